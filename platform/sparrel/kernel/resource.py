"""A resource is one class: its fields, and one `ResourceSpec` that says how it behaves as a collection.

Routes, OpenAPI, store indexes, filters, CLI verbs, SDK methods and reference docs are generated from it.
`docs/adding-a-resource.md` adds one from scratch.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Literal

from sparrel.kernel.fields import FieldSpec, Kind, Message


class Verb(StrEnum):
    """The standard methods."""

    CREATE = "create"
    GET = "get"
    LIST = "list"
    UPDATE = "update"
    DELETE = "delete"


ALL_VERBS = frozenset(Verb)


class IdStyle(StrEnum):
    """How the server makes an id when the caller gave none."""

    NONE = "none"
    """It does not: the caller must choose."""
    RANDOM = "random"
    """Eight hexadecimal digits."""
    UUID = "uuid"
    DERIVED = "derived"
    """From the body, by the resource's rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdRule:
    """Which ids a caller may choose, and what is made when there is none."""

    pattern: str = r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?"
    text: str = (
        "must be 1 to 63 characters of a-z, 0-9 and hyphen, start with a letter and not end with a hyphen"
    )
    style: IdStyle = IdStyle.NONE

    def matches(self, value: str) -> bool:
        return re.fullmatch(self.pattern, value) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A query parameter (or key of a create wrapper) beyond the standard ones."""

    name: str
    kind: Kind = Kind.STRING
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """Create body `{"model": {...}, "modelId": "..."}`."""

    id_key: str = ""
    """Empty: the server makes the id."""
    optional: bool = False
    """Whether the resource itself may be left out of the body."""
    params: tuple[Param, ...] = ()
    """Further keys of the wrapper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bare:
    """The create body is the resource; its id is a query parameter, or none."""

    id_query: str = ""
    params: tuple[Param, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomVerb:
    """A method beyond the standard ones, `POST …/deployments/d:undelete`, as generators see it.

    What it does is a function registered with `@custom_verb` (kernel/verbs.py).
    """

    name: str
    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"] = "POST"
    on: Literal["item", "collection"] = "item"
    request: type[Message] | None = None
    response: type[Message] | None = None
    """None: an empty object, unless `returns_resource`."""
    returns_resource: bool = False
    params: tuple[Param, ...] = ()
    doc: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the CLI's and the console's table."""

    title: str
    path: str
    """Wire path, `peftDetails.baseModel`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceSpec:
    """How a resource behaves as a collection."""

    collection: str
    """Path segment and list key, `deployments`."""
    singular: str
    """Key of a create wrapper, and the noun of error messages, `deployment`."""
    parents: tuple[str, ...] = ("accounts",)
    """Collections above it, outermost first; empty for accounts themselves."""
    also_under: tuple[tuple[str, ...], ...] = ()
    """Other paths that lead to the same collection, e.g. `users/{u}/apiKeys`."""
    list_key: str = ""
    """Where it is not the path segment (`peftMergeJobs` at `PeftMergeJobs`)."""
    id_rule: IdRule = field(default_factory=IdRule)
    id_field: str = "name"
    """Field that identifies one on the wire; `keyId` for API keys, which have no resource name."""
    create: Wrapped | Bare = field(default_factory=Bare)
    verbs: frozenset[Verb] = ALL_VERBS
    custom: tuple[CustomVerb, ...] = ()
    list_params: tuple[Param, ...] = ()
    update_params: tuple[Param, ...] = ()
    delete_params: tuple[Param, ...] = ()
    default_order: str = "name"
    order_by: bool = True
    """False: the list has one order and `orderBy` is ignored."""
    page_size: int = 50
    max_page_size: int = 200
    soft_delete: bool = False
    public_read: bool = False
    """Whether a row with `public` set is readable by every account."""
    writer_role: Literal["user", "admin"] = "user"
    """Least role that may create, change or delete one."""
    search: tuple[str, ...] = ("name", "display_name", "description")
    """Fields that a bare literal in a filter looks into."""
    nouns: tuple[str, ...] = ()
    """CLI names, preferred one first."""
    columns: tuple[Column, ...] = ()

    @property
    def plural_key(self) -> str:
        return self.list_key or self.collection

    @property
    def title(self) -> str:
        """Return the name as used in RPC-like method names, `ApiKey`."""
        return self.singular[0].upper() + self.singular[1:]

    def offers(self, verb: Verb) -> bool:
        return verb in self.verbs


class Resource(Message):
    """Base of every declaration."""

    spec: ClassVar[ResourceSpec]

    @classmethod
    def field(cls, path: str) -> FieldSpec | None:
        """Return the field at a dotted path, each part in either case; None when there is none.

        The part after a map's name is its key: the map's own FieldSpec is returned.
        """
        found = find_field(cls, tuple(path.split(".")))
        return found[-1] if found else None


@cache
def fields_by_any_name(cls: type[Message]) -> Mapping[str, FieldSpec]:
    """Return the fields of a message under both their names."""
    specs = cls.fields().values()
    return {spec.name: spec for spec in specs} | {spec.wire: spec for spec in specs}


def find_field(cls: type[Message], path: tuple[str, ...]) -> tuple[FieldSpec, ...]:
    """Return the fields along a path, outermost first; empty when a part does not exist."""
    found: list[FieldSpec] = []
    current: type[Message] | None = cls
    for position, part in enumerate(path):
        if found and found[-1].kind is Kind.MAP:
            return tuple(found) if position == len(path) - 1 else ()
        spec = fields_by_any_name(current).get(part) if current is not None else None
        if spec is None:
            return ()
        found.append(spec)
        current = spec.message if spec.kind is Kind.MESSAGE else None
    return tuple(found)


@cache
def zero_document(cls: type[Message]) -> Mapping[str, Any]:
    """Return the wire form of a message with nothing set."""
    return cls().to_document()
