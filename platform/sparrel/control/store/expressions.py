"""Filters and sort keys as SQL. Where the two databases differ, both spellings stand side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    literal,
    literal_column,
    not_,
    or_,
    true,
    type_coerce,
)

from sparrel.control.store.tables import resources
from sparrel.kernel.fields import Kind
from sparrel.kernel.filtering import (
    And,
    Compare,
    Contains,
    Filter,
    Literal,
    Not,
    Operand,
    Or,
    Pattern,
    Present,
)

Expression = ColumnElement[Any]
Condition = ColumnElement[bool]

_COLUMNS: dict[tuple[str, ...], Expression] = {
    ("name",): type_coerce(resources.c.name, Text),
    ("id",): type_coerce(resources.c.id, Text),
    ("state",): type_coerce(resources.c.state, Text),
    ("createTime",): type_coerce(resources.c.create_time, Text),
    ("updateTime",): type_coerce(resources.c.update_time, Text),
}

_OPERATORS: dict[str, Callable[[Expression, Any], Condition]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
}


class Expressions:
    """Builds SQL for one of the two databases."""

    def __init__(self, dialect: str) -> None:
        self._sqlite = dialect == "sqlite"

    # --- fields ------------------------------------------------------------------------------------

    def text_of(self, path: tuple[str, ...]) -> str:
        """Return the SQL text of a declared field's JSON value; null when unset."""
        if self._sqlite:
            return f"json_extract(document, '$.{'.'.join(path)}')"
        return f"(document #>> '{{{','.join(path)}}}')"

    def indexed_text(self, operand: Operand) -> str:
        """Return the SQL text of a field exactly as an index and a query both spell it."""
        value = self.text_of(operand.path)
        if operand.kind is Kind.BOOL:
            return f"coalesce({value}, {'0' if self._sqlite else repr('false')})"
        if operand.nullable:
            return value if self._sqlite else f'({value} COLLATE "C")'
        zero = str(operand.zero or "").replace("'", "''")
        spelled = f"coalesce({value}, '{zero}')"
        return spelled if self._sqlite else f'({spelled} COLLATE "C")'

    def field(self, operand: Operand) -> Expression:
        """Return a field as SQL: text, a number, or a boolean in the database's JSON spelling."""
        column = _COLUMNS.get(operand.path)
        if column is not None:
            return column
        if operand.nullable and operand.kind is Kind.STRING:
            return self._map_entry(operand.path)
        if operand.kind in (Kind.INT32, Kind.INT64):
            return func.coalesce(
                cast(self._raw(operand), BigInteger), (operand.zero and int(operand.zero)) or 0
            )
        if operand.kind is Kind.FLOAT:
            return func.coalesce(cast(self._raw(operand), Float), operand.zero or 0.0)
        if operand.kind is Kind.DURATION:
            return cast(func.rtrim(self._raw(operand), "s"), Float)
        return literal_column(self.indexed_text(operand), Text)

    def sort_key(self, operand: Operand) -> Expression:
        """Return a field with unset as the least value."""
        field = self.field(operand)
        if operand.path in _COLUMNS or not operand.nullable:
            return field
        return func.coalesce(field, 0.0 if operand.kind is Kind.DURATION else "")

    def _raw(self, operand: Operand) -> Expression:
        return literal_column(self.text_of(operand.path), Text)

    def _map_entry(self, path: tuple[str, ...]) -> Expression:
        key = bindparam(None, path[-1], type_=Text)
        if self._sqlite:
            return literal_column(f"document -> '$.{'.'.join(path[:-1])}'").op("->>", return_type=Text())(key)
        return literal_column(f"(document #> '{{{','.join(path[:-1])}}}')").op("->>", return_type=Text())(key)

    # --- conditions --------------------------------------------------------------------------------

    def condition(self, tree: Filter) -> Condition:
        match tree:
            case And(items):
                return and_(true(), *map(self.condition, items))
            case Or(items):
                return or_(false(), *map(self.condition, items))
            case Not(item):
                return not_(self.condition(item))
            case Literal(operands, text):
                return or_(false(), *(self._has_substring(self.field(o), text) for o in operands))
            case Present(operand):
                return self._present(operand)
            case Contains(operand, value):
                return self._contains(operand, value)
            case Compare(operand, op, value):
                return self._compare(operand, op, value)

    def _compare(self, operand: Operand, op: str, value: Any) -> Condition:
        field = self.field(operand)
        if isinstance(value, Pattern):
            matched = self._matches(field, value)
            compared = matched if op == "=" else not_(matched)
        else:
            compared = _OPERATORS[op](field, self._bound(value))
        if not operand.nullable or operand.path in _COLUMNS:
            return compared
        # Unset differs from every value and is neither less nor greater; and NOT of it must still be true.
        return or_(field.is_(None), compared) if op == "!=" else and_(field.is_not(None), compared)

    def _bound(self, value: str | float | int | bool) -> Any:
        if isinstance(value, bool):
            return int(value) if self._sqlite else str(value).lower()
        return value

    def _matches(self, field: Expression, pattern: Pattern) -> Condition:
        text, length = pattern.text, len(pattern.text)
        if not text:
            return field.is_not(None)
        if pattern.open_start and pattern.open_end:
            return self._position(field, literal(text)) > 0
        if pattern.open_start:
            tail = func.substr(field, -length) if self._sqlite else func.right(field, length)
            return tail == text
        after = _successor(text)
        return and_(field >= text, field < after) if after else field >= text

    def _position(self, field: Expression, text: Expression) -> Expression:
        return func.instr(field, text) if self._sqlite else func.strpos(field, text)

    def _has_substring(self, field: Expression, text: str) -> Condition:
        return func.coalesce(self._position(func.lower(field), func.lower(literal(text))), 0) > 0

    def _contains(self, operand: Operand, value: str) -> Condition:
        if operand.kind is Kind.STRING:
            return self._has_substring(self.field(operand), value)
        if not self._sqlite:
            path = ",".join(operand.path)
            return func.coalesce(
                func.jsonb_exists(literal_column(f"(document #> '{{{path}}}')"), literal(value)), False
            )
        column = "value" if operand.kind is Kind.LIST else "key"
        items = func.json_each(literal_column("document"), f"$.{'.'.join(operand.path)}").table_valued(column)
        return items.select().where(items.c[column] == value).exists()

    def _present(self, operand: Operand) -> Condition:
        if operand.path in _COLUMNS:
            return self.field(operand) != (operand.zero or "")
        if operand.kind in (Kind.LIST, Kind.MAP):
            return func.coalesce(self._raw(operand), "[]").not_in(["[]", "{}"])
        if operand.nullable or operand.kind is Kind.MESSAGE:
            value = self.field(operand) if operand.nullable else self._raw(operand)
            return value.is_not(None)
        zero = operand.zero if operand.kind is not Kind.BOOL else self._bound(False)
        return self.field(operand) != (int(zero) if operand.kind is Kind.INT64 else zero)


def _successor(text: str) -> str:
    """Return the least text above everything that starts with `text`; empty when there is none."""
    while text:
        code = ord(text[-1]) + 1
        code = 0xE000 if 0xD800 <= code < 0xE000 else code
        if code <= 0x10FFFF:
            return text[:-1] + chr(code)
        text = text[:-1]
    return ""
