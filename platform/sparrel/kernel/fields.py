"""The vocabulary of a declaration: what a field is, and the types that JSON has no word for.

    class Deployment(Resource):
        base_model: Annotated[str, REQUIRED, IMMUTABLE, Ref("models")] = ""
        expire_time: Timestamp = None
        \"\"\"The time at which this deployment is deleted by itself.\"\"\"

Every field has a default: its wire zero value, which is what a reader sees while it is unset. Whether a
caller must give it is said by REQUIRED and checked by the kernel, so one class serves create and update.
Values are kept in their canonical wire form (a timestamp is a string), so a stored document is a response.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Flag, StrEnum, auto
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

# --- what a field is -------------------------------------------------------------------------------


class Mark(Flag):
    """What the kernel enforces about one field; written inside `Annotated[...]`."""

    NONE = 0
    REQUIRED = auto()
    IMMUTABLE = auto()
    OUTPUT_ONLY = auto()
    INPUT_ONLY = auto()
    INDEXED = auto()
    COMPUTED = auto()


REQUIRED = Mark.REQUIRED
"""Must be given on create (a server default filled in by the resource's rules counts)."""
IMMUTABLE = Mark.IMMUTABLE
"""Fixed after create; sending the stored value again is accepted."""
OUTPUT_ONLY = Mark.OUTPUT_ONLY
"""Written by the server; ignored in a request."""
INPUT_ONLY = Mark.INPUT_ONLY
"""A secret: accepted, handed to the resource's rules, never stored in the document nor returned."""
INDEXED = Mark.INDEXED
"""Clients filter on it: the store keeps an index."""
COMPUTED = Mark.OUTPUT_ONLY | Mark.COMPUTED
"""Filled in while answering, never stored, so it cannot be filtered or ordered by."""


@dataclass(frozen=True, slots=True)
class Ref:
    """The field names another resource; a bare id is completed with the request's account."""

    collection: str


class Kind(StrEnum):
    """The wire types; everything that reads a declaration switches on these."""

    STRING = "string"
    BOOL = "bool"
    INT32 = "int32"
    INT64 = "int64"
    FLOAT = "float"
    TIMESTAMP = "timestamp"
    DURATION = "duration"
    ENUM = "enum"
    MESSAGE = "message"
    LIST = "list"
    MAP = "map"


# --- types -----------------------------------------------------------------------------------------

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$")
_DURATION = re.compile(r"(-?\d{1,12}(?:\.\d{1,9})?)s$")


def format_timestamp(moment: datetime) -> str:
    """Return RFC 3339 in UTC with six digits: fixed width, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_timestamp(text: str) -> datetime:
    """Read an RFC 3339 time; raise ValueError for anything else."""
    if not isinstance(text, str) or not _TIMESTAMP.match(text):
        raise ValueError('must be an RFC 3339 time such as "2026-01-31T12:00:00Z"')
    # fromisoformat reads at most six digits of the fraction; clients in Go send nine.
    shortened = re.sub(r"(\.\d{6})\d+", r"\1", text.replace(" ", "T").upper())
    return datetime.fromisoformat(shortened).astimezone(UTC)


def parse_duration(text: str) -> float:
    """Read a wire duration (`600s`, `1.5s`) as seconds."""
    match = _DURATION.match(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError('must be a duration in seconds such as "600s"')
    return float(match[1])


def format_duration(seconds: float) -> str:
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"


def _clean_text(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain the character U+0000")
    return value


def _int64(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value):
        return int(value)
    return value


Str = Annotated[str, AfterValidator(_clean_text)]
Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1), Kind.INT32]
Int64 = Annotated[
    int,
    BeforeValidator(_int64),
    Field(ge=-(2**63), le=2**63 - 1),
    PlainSerializer(str, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "int64"}),
    Kind.INT64,
]
"""A string on the wire, because JavaScript's numbers end at 2**53; a number is accepted too."""
Float = Annotated[float, Field(allow_inf_nan=False), Kind.FLOAT]
Timestamp = Annotated[
    Annotated[str, BeforeValidator(lambda v: format_timestamp(parse_timestamp(v)))] | None,
    WithJsonSchema({"type": "string", "format": "date-time", "nullable": True}),
    Kind.TIMESTAMP,
]
Duration = Annotated[
    Annotated[str, BeforeValidator(lambda v: format_duration(parse_duration(v)))] | None,
    WithJsonSchema({"type": "string", "example": "600s", "nullable": True}),
    Kind.DURATION,
]
OpenEnum = Annotated[Str, Field(pattern=r"^([A-Z][A-Z0-9_]*)?$"), Kind.STRING]
"""Names like an enum's, but a self-hosted platform may have its own (regions)."""


class WireEnum(StrEnum):
    """An enum whose first member means unset; names on the wire, proto numbers accepted."""

    @classmethod
    def numbers(cls) -> Mapping[int, str]:
        """Return proto numbers where they are not the position."""
        return {}

    @classmethod
    def _missing_(cls, value: object) -> WireEnum | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        numbers = cls.numbers() or dict(enumerate(cls.__members__))
        return cls.__members__.get(numbers.get(value, ""))


class Message(BaseModel):
    """Part of a resource; also the base of Resource."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        extra="ignore",
        use_attribute_docstrings=True,
        validate_default=False,
        protected_namespaces=(),
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_unset(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: item for key, item in value.items() if item is not None}
        return value

    @classmethod
    def fields(cls) -> Mapping[str, FieldSpec]:
        """Return the fields by their Python names, in the order declared."""
        return field_specs(cls)

    def to_document(self) -> dict[str, Any]:
        """Return the complete wire form."""
        return self.model_dump(mode="json", by_alias=True)


class Status(Message):
    """The outcome of a resource's last operation."""

    code: Str = "OK"
    """Name of a gRPC code."""
    message: Str = ""
    """What a developer needs to know of it."""


# --- what generators read --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a declaration as the CLI, the SDK, the filters and the docs see it."""

    name: str
    """Python name, `base_model`."""
    wire: str
    """JSON name, `baseModel`."""
    kind: Kind
    marks: Mark
    doc: str
    default: Any
    """The wire zero value."""
    enum: type[WireEnum] | None = None
    message: type[Message] | None = None
    """Class of a MESSAGE, or of the items of a LIST or MAP of messages."""
    item: Kind | None = None
    """Kind of the items of a LIST or MAP."""
    ref: str | None = None
    """Collection that the field refers to."""
    max_length: int | None = None

    @property
    def required(self) -> bool:
        return bool(self.marks & Mark.REQUIRED)

    @property
    def immutable(self) -> bool:
        return bool(self.marks & Mark.IMMUTABLE)

    @property
    def output_only(self) -> bool:
        return bool(self.marks & Mark.OUTPUT_ONLY)

    @property
    def input_only(self) -> bool:
        return bool(self.marks & Mark.INPUT_ONLY)

    @property
    def indexed(self) -> bool:
        return bool(self.marks & Mark.INDEXED)

    @property
    def computed(self) -> bool:
        return Mark.COMPUTED in self.marks and self.output_only


@cache
def field_specs(cls: type[BaseModel]) -> Mapping[str, FieldSpec]:
    zero = cls().model_dump(mode="json", by_alias=True)
    return {name: _field_spec(name, info, zero) for name, info in cls.model_fields.items()}


def _field_spec(name: str, info: Any, zero: Mapping[str, Any]) -> FieldSpec:
    wire = info.alias or name
    marks, kind, ref, max_length = _read_metadata(info.metadata)
    shape = _shape(info.annotation)
    kind = kind or shape.kind
    return FieldSpec(
        name=name,
        wire=wire,
        kind=kind,
        marks=marks,
        doc=(info.description or "").strip(),
        default=zero[wire],
        enum=shape.enum,
        message=shape.message,
        item=shape.item,
        ref=ref,
        max_length=max_length,
    )


def _read_metadata(metadata: Any) -> tuple[Mark, Kind | None, str | None, int | None]:
    marks, kind, ref, max_length = Mark.NONE, None, None, None
    for entry in metadata:
        if isinstance(entry, Mark):
            marks |= entry
        elif isinstance(entry, Kind):
            kind = entry
        elif isinstance(entry, Ref):
            ref = entry.collection
        else:
            max_length = getattr(entry, "max_length", None) or max_length
    return marks, kind, ref, max_length


@dataclass(frozen=True, slots=True)
class _Shape:
    kind: Kind
    enum: type[WireEnum] | None = None
    message: type[Message] | None = None
    item: Kind | None = None


_SCALARS: dict[Any, Kind] = {str: Kind.STRING, bool: Kind.BOOL, int: Kind.INT32, float: Kind.FLOAT}


def _shape(annotation: Any) -> _Shape:
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *metadata = get_args(annotation)
        inner = _shape(base)
        kind = _read_metadata(metadata)[1]
        return _Shape(kind or inner.kind, inner.enum, inner.message, inner.item)
    if origin in (Union, UnionType):
        (only,) = [part for part in get_args(annotation) if part is not NoneType]
        return _shape(only)
    if origin in (list, dict):
        inner = _shape(get_args(annotation)[-1])
        return _Shape(Kind.LIST if origin is list else Kind.MAP, inner.enum, inner.message, inner.kind)
    if isinstance(annotation, type) and issubclass(annotation, WireEnum):
        return _Shape(Kind.ENUM, enum=annotation)
    if isinstance(annotation, type) and issubclass(annotation, Message):
        return _Shape(Kind.MESSAGE, message=annotation)
    return _Shape(_SCALARS[annotation])
