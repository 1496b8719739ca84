"""Filters: AIP-160 text to a typed tree, checked against the resource's declaration.

    parse(Deployment, 'base_model="accounts/a/models/m" AND NOT state=FAILED')

The tree knows nothing of SQL; the store compiles it. It is never evaluated over rows in Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedInput, VisitError

from sparrel.errors import InvalidArgument
from sparrel.kernel.fields import FieldSpec, Kind, format_timestamp, parse_duration, parse_timestamp
from sparrel.kernel.names import canonical_name
from sparrel.kernel.resource import Resource, find_field

MAX_LENGTH = 8192
MAX_TERMS = 200
"""SQLite refuses expressions 1000 deep; this stays far below it."""
MAX_NESTING = 50


@dataclass(frozen=True, slots=True)
class Operand:
    """A field as the store addresses it."""

    path: tuple[str, ...]
    """Wire names; the last one may be a map's key."""
    kind: Kind
    nullable: bool
    """Whether unset is null rather than a zero value (times, durations, map entries)."""
    zero: Any
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A quoted string with `*` at one or both ends."""

    text: str
    open_start: bool
    open_end: bool


@dataclass(frozen=True, slots=True)
class Compare:
    """`operand op value`; op is one of `= != < <= > >=`."""

    operand: Operand
    op: str
    value: str | float | int | bool | Pattern


@dataclass(frozen=True, slots=True)
class Contains:
    """A string with a substring (case ignored), a list with an element, a map with a key."""

    operand: Operand
    value: str


@dataclass(frozen=True, slots=True)
class Present:
    """A field that is set."""

    operand: Operand


@dataclass(frozen=True, slots=True)
class Literal:
    """A bare word: a substring (case ignored) of any of the operands."""

    operands: tuple[Operand, ...]
    text: str


@dataclass(frozen=True, slots=True)
class And:
    items: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    items: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    item: Filter


Filter: TypeAlias = Compare | Contains | Present | Literal | And | Or | Not

NUMBERS = (Kind.INT32, Kind.INT64, Kind.FLOAT)


@lru_cache(maxsize=1024)
def parse(resource: type[Resource], text: str) -> Filter | None:
    """Return the tree of a filter, None for an empty one; raise InvalidArgument."""
    _check_size(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise InvalidArgument(_syntax_message(text, error), param="filter") from None
    if tree.data == "start":
        return None
    try:
        result: Filter = _Builder(resource).transform(tree)
    except VisitError as error:
        raise error.orig_exc from None
    return result


def terms(tree: Filter | None) -> Iterator[Filter]:
    """Yield the leaves."""
    if isinstance(tree, And | Or):
        for item in tree.items:
            yield from terms(item)
    elif isinstance(tree, Not):
        yield from terms(tree.item)
    elif tree is not None:
        yield tree


def operand(resource: type[Resource], path: tuple[str, ...]) -> Operand:
    """Return the stored field at a path in either case; raise InvalidArgument when there is none."""
    fields = find_field(resource, path)
    if not fields or any(field.computed or field.input_only for field in fields):
        raise InvalidArgument(
            f'unknown field "{".".join(path)}" of {resource.spec.singular}', param=".".join(path)
        )
    last = fields[-1]
    wire = tuple(field.wire for field in fields)
    if len(fields) < len(path):
        if not re.fullmatch(r'[^"$\[\]][^"]*', path[-1]):
            raise InvalidArgument(f"the key {path[-1]!r} cannot be filtered by", param=".".join(path))
        return Operand((*wire, path[-1]), last.item or Kind.STRING, True, None)
    nullable = last.kind in (Kind.TIMESTAMP, Kind.DURATION)
    compound = last.kind in (Kind.LIST, Kind.MAP, Kind.MESSAGE)
    return Operand(wire, last.kind, nullable, None if compound else last.default, last.indexed)


def _check_size(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise InvalidArgument(f"filter is longer than {MAX_LENGTH} characters", param="filter")
    if "\x00" in text:
        raise InvalidArgument("filter contains the character U+0000", param="filter")
    depth = 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth > MAX_NESTING:
            raise InvalidArgument(f"filter is nested more than {MAX_NESTING} deep", param="filter")


@lru_cache(maxsize=1)
def _parser() -> Lark:
    grammar = Path(__file__).with_name("filter.lark").read_text()
    return Lark(grammar, parser="lalr", lexer="contextual")


def _syntax_message(text: str, error: UnexpectedInput) -> str:
    position = error.pos_in_stream
    if position is None or position < 0 or position >= len(text):
        return f"invalid filter {text[:200]!r}: it ends too early"
    return f"invalid filter {text[:200]!r}: unexpected {text[position : position + 20]!r} at {position}"


class _Builder(Transformer[Token, Any]):
    """Bottom-up: turn lark's tree into ours."""

    def __init__(self, resource: type[Resource]) -> None:
        super().__init__()
        self._resource = resource
        self._terms = 0

    def expression(self, items: list[Filter]) -> Filter:
        return items[0] if len(items) == 1 else And(tuple(items))

    sequence = expression

    def factor(self, items: list[Filter]) -> Filter:
        return items[0] if len(items) == 1 else Or(tuple(items))

    def negation(self, items: list[Filter]) -> Filter:
        return Not(items[0])

    def literal(self, items: list[Token]) -> Filter:
        self._count()
        text = _Value.of(items[0]).text
        return Literal(_searched(self._resource, text), text)

    def comparison(self, items: list[Any]) -> Filter:
        self._count()
        word, comparator, value = items
        return self._distribute(_split_path(str(word)), str(comparator), value)

    def _distribute(self, path: tuple[str, ...], op: str, value: Token | Filter) -> Filter:
        """Apply `field op (a OR b)` to each literal of the group."""
        if isinstance(value, Token):
            return _restriction(self._resource, path, op, _Value.of(value))
        if isinstance(value, And | Or):
            return type(value)(tuple(self._distribute(path, op, item) for item in value.items))
        if isinstance(value, Not):
            return Not(self._distribute(path, op, value.item))
        if isinstance(value, Literal):
            return _restriction(self._resource, path, op, _Value(value.text, False, False))
        raise InvalidArgument(f'the group after "{".".join(path)} {op}" may hold only values', param="filter")

    def _count(self) -> None:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise InvalidArgument(f"filter has more than {MAX_TERMS} terms", param="filter")


ID = Operand(("id",), Kind.STRING, False, "")
"""The last part of a name: what a bare word is looked for in, since every name starts alike."""


def _searched(resource: type[Resource], text: str) -> tuple[Operand, ...]:
    fields = tuple(operand(resource, (name,)) for name in resource.spec.search if name in resource.fields())
    return tuple(ID if field.path == ("name",) and "/" not in text else field for field in fields)


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    open_start: bool
    open_end: bool

    @classmethod
    def of(cls, token: Token) -> _Value:
        raw = str(token)
        if token.type == "STRING":
            raw = raw[1:-1]
        open_start = len(raw) > 1 and raw.startswith("*")
        open_end = raw.endswith("*") and not raw.endswith("\\*")
        body = raw[int(open_start) : len(raw) - int(open_end)]
        text = re.sub(r"\\(.)", r"\1", body, flags=re.DOTALL) if token.type == "STRING" else body
        return cls(text, open_start, open_end)

    @property
    def any(self) -> bool:
        return not self.text and self.open_end


def _split_path(word: str) -> tuple[str, ...]:
    parts = re.findall(r'"(?:\\.|[^"\\])*"|[^."]+', word, flags=re.DOTALL)
    return tuple(re.sub(r"\\(.)", r"\1", p[1:-1]) if p.startswith('"') else p for p in parts)


def _restriction(resource: type[Resource], path: tuple[str, ...], op: str, value: _Value) -> Filter:
    target = operand(resource, path)
    try:
        if op == ":":
            return _has(target, value)
        if target.kind in (Kind.MESSAGE, Kind.LIST, Kind.MAP):
            raise ValueError(f"can only be tested with ':', not '{op}'")
        return Compare(target, op, _convert(resource, path, target, op, value))
    except ValueError as error:
        raise InvalidArgument(f"filter: {'.'.join(path)} {error}", param=".".join(path)) from None


def _has(target: Operand, value: _Value) -> Filter:
    if value.any:
        return Present(target)
    if target.kind is Kind.MESSAGE:
        raise ValueError("is a message: test its fields, or ':*' for its presence")
    if target.kind in (Kind.STRING, Kind.LIST, Kind.MAP):
        return Contains(target, value.text)
    return Compare(target, "=", _scalar(target, value.text))


def _convert(
    resource: type[Resource], path: tuple[str, ...], target: Operand, op: str, value: _Value
) -> str | float | int | bool | Pattern:
    if target.kind is Kind.ENUM:
        return _enum(resource, path, op, value.text)
    if target.kind is not Kind.STRING:
        return _scalar(target, value.text, op)
    field = find_field(resource, path)[-1]
    text = canonical_name(value.text) if _is_name(field) else value.text
    if not value.open_start and not value.open_end:
        return text
    if op not in ("=", "!="):
        raise ValueError(f"takes no wildcard with '{op}'")
    return Pattern(text, value.open_start, value.open_end)


def _is_name(field: FieldSpec) -> bool:
    return field.ref is not None or field.name == "name"


def _enum(resource: type[Resource], path: tuple[str, ...], op: str, text: str) -> str:
    kind = find_field(resource, path)[-1].enum
    if op not in ("=", "!="):
        raise ValueError(f"is an enum: it has no order for '{op}'")
    if kind is None or text not in kind.__members__:
        raise ValueError(f"has no value {text!r}; it is one of {', '.join(kind.__members__ if kind else ())}")
    return text


def _scalar(target: Operand, text: str, op: str = "=") -> str | float | int | bool:
    if target.kind is Kind.BOOL:
        if text not in ("true", "false") or op not in ("=", "!="):
            raise ValueError("takes '=' or '!=' with true or false")
        return text == "true"
    if target.kind is Kind.TIMESTAMP:
        return format_timestamp(parse_timestamp(text))
    if target.kind is Kind.DURATION:
        return parse_duration(text)
    if target.kind in NUMBERS:
        return _number(text)
    return text


def _number(text: str) -> int | float:
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    if re.fullmatch(r"-?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", text):
        return float(text)
    raise ValueError(f"must be compared with a number, not {text!r}")
