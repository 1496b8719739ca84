"""What one request carries through the kernel and into a resource's rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic.alias_generators import to_camel

from sparrel.errors import InvalidArgument, NotFound
from sparrel.kernel import wire
from sparrel.kernel.identity import Principal
from sparrel.kernel.resource import Resource
from sparrel.kernel.rows import Event, Row, Store
from sparrel.settings import Settings


class Params:
    """The query string; names in either case."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {to_camel(key) if "_" in key else key: value for key, value in values.items()}

    def text(self, name: str) -> str:
        return self._values.get(name, "")

    def flag(self, name: str) -> bool:
        value = self._values.get(name, "").lower()
        if value not in ("", "true", "false", "1", "0"):
            raise InvalidArgument(f"{name} must be true or false, not {value[:40]!r}", param=name)
        return value in ("true", "1")

    def number(self, name: str) -> int:
        value = self._values.get(name, "")
        try:
            return int(value or "0")
        except ValueError:
            raise InvalidArgument(f"{name} must be a whole number, not {value[:40]!r}", param=name) from None


@dataclass(slots=True)
class Context:
    """One call of one method on one resource."""

    resource: type[Resource]
    store: Store
    settings: Settings
    principal: Principal
    account: str
    """Account id in the path, its alias resolved."""
    parent: str
    """Full name of what the collection is under, `accounts/a`; may hold `-` for any."""
    params: Params
    body: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    """Full name of the resource; empty for a method of the collection."""
    row: Row | None = None
    """The resource itself, in a custom verb on one."""
    given: frozenset[str] = frozenset()
    """Wire names of the fields that the caller gave, whatever their value."""
    secrets: dict[str, Any] = field(default_factory=dict)
    """Values of input-only fields that the caller gave."""
    shown: dict[str, Any] = field(default_factory=dict)
    """Fields that this one answer shows and nothing stores: the plain text of a new key."""
    base_url: str = ""
    """Scheme and host under which the caller reached the platform."""

    def now(self) -> datetime:
        return self.store.now()

    def require_row(self) -> Row:
        assert self.row is not None, "only a verb on an item has a row"
        return self.row

    def event(self, verb: str, resource: str, payload: dict[str, Any] | None = None) -> Event:
        """Return the audit event of this call."""
        return Event(
            account=self.account,
            actor=self.principal.email,
            key_id=self.principal.key_id,
            method=verb + self.resource.spec.title,
            resource=resource,
            payload=payload or {},
            admin=self.principal.is_admin,
        )

    async def modify(self, verb: str, change: Callable[[Row], None]) -> Row:
        """Apply `change` to the newest state of the row and store it with an audit event."""
        async with self.store.transaction() as transaction:
            row = await transaction.get(self.require_row().name, lock=True)
            if row is None:
                raise not_found(self.resource, self.require_row().name)
            change(row)
            row = await transaction.replace(row, expected_version=row.version)
            await transaction.append_event(self.event(verb, row.name))
        self.row = row
        return row

    def document(self, row: Row) -> dict[str, Any]:
        return wire.complete(self.resource, row.document)


def not_found(resource: type[Resource], name: str) -> NotFound:
    """Return the one answer for what does not exist and for what is another account's."""
    return NotFound(f'{resource.spec.singular} "{name}" not found')
