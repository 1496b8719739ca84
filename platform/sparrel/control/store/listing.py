"""Lists: one page by keyset, and the exact number of matches.

Unfiltered totals are kept by the writers. A filtered total is counted once and remembered until the
collection changes: `collections.revision`, read in the same snapshot, says whether it has.
"""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, or_, select

from sparrel.control.store.expressions import Expressions
from sparrel.control.store.tables import collections, resources
from sparrel.kernel.fields import Kind
from sparrel.kernel.filtering import Operand
from sparrel.kernel.ordering import OrderKey
from sparrel.kernel.rows import Page, Query, Row

REMEMBERED_TOTALS = 1024

_NAME = Operand(("name",), Kind.STRING, False, "")


class Lister:
    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions
        self._totals: OrderedDict[tuple[Any, ...], tuple[int, int]] = OrderedDict()

    def page(self, connection: Connection, query: Query) -> Page:
        """Return one page; the caller holds a transaction, so that total and rows agree."""
        total = self._total(connection, query) if query.count else -1
        if total == 0:
            return Page([], 0, None)
        order = _with_tie_break(query.order)
        found = (connection.execute(self._rows(query, order))).all()
        rows = [row_of(record) for record in found[: query.page_size]]
        more = len(found) > query.page_size
        return Page(rows, total, self._cursor(found[query.page_size - 1], order) if more else None)

    # --- rows --------------------------------------------------------------------------------------

    def _rows(self, query: Query, order: tuple[OrderKey, ...]) -> Select[Any]:
        keys = [self._expressions.sort_key(key.operand) for key in order]
        statement = select(
            *resources.c, *(key.label(f"sort_{position}") for position, key in enumerate(keys))
        ).where(*self._where(query))
        if query.cursor is not None:
            statement = statement.where(_after(order, keys, query.cursor))
        directions = [
            key.desc() if entry.descending else key.asc() for entry, key in zip(order, keys, strict=True)
        ]
        return statement.order_by(*directions).limit(query.page_size + 1)

    def _where(self, query: Query) -> list[ColumnElement[bool]]:
        # Spelled out, not bound: a partial index is only used for a collection the planner can see.
        conditions = [resources.c.collection == literal_column(f"'{query.collection}'")]
        if query.account is not None:
            conditions.append(resources.c.account == query.account)
        if query.parent is not None:
            conditions.append(resources.c.parent == query.parent)
        if not query.show_deleted:
            conditions.append(resources.c.deleted == 0)
        if query.filter is not None:
            conditions.append(self._expressions.condition(query.filter))
        return conditions

    def _cursor(self, record: Any, order: tuple[OrderKey, ...]) -> tuple[Any, ...]:
        values = (getattr(record, f"sort_{position}") for position in range(len(order)))
        return tuple(_plain(value) for value in values)

    # --- totals ------------------------------------------------------------------------------------

    def _total(self, connection: Connection, query: Query) -> int:
        live, deleted, revision = self._counters(connection, query)
        if query.filter is None and query.parent is None:
            return live + deleted if query.show_deleted else live
        key = (query.collection, query.account, query.parent, query.filter, query.show_deleted)
        known = self._totals.get(key)
        if known is None or known[0] != revision:
            statement = select(func.count()).select_from(resources).where(*self._where(query))
            known = revision, (connection.execute(statement)).scalar_one()
        self._totals[key] = known
        self._totals.move_to_end(key)
        if len(self._totals) > REMEMBERED_TOTALS:
            self._totals.popitem(last=False)
        return known[1]

    def _counters(self, connection: Connection, query: Query) -> tuple[int, int, int]:
        columns = (collections.c.live, collections.c.deleted, collections.c.revision)
        statement = select(*(func.coalesce(func.sum(column), 0) for column in columns)).where(
            collections.c.collection == query.collection
        )
        if query.account is not None:
            statement = statement.where(collections.c.account == query.account)
        live, deleted, revision = (connection.execute(statement)).one()
        return int(live), int(deleted), int(revision)


def _with_tie_break(order: tuple[OrderKey, ...]) -> tuple[OrderKey, ...]:
    """Add the name, in the direction of the last key: an index is read one way, forwards or backwards."""
    return (*order, OrderKey(_NAME, descending=bool(order) and order[-1].descending))


def row_of(record: Any) -> Row:
    return Row(
        name=record.name,
        account=record.account,
        collection=record.collection,
        id=record.id,
        parent=record.parent,
        create_time=record.create_time,
        update_time=record.update_time,
        state=record.state,
        delete_time=record.delete_time,
        lookup=record.lookup,
        version=record.version,
        document=record.document,
        internal=record.internal,
    )


def _after(
    order: tuple[OrderKey, ...], keys: list[ColumnElement[Any]], cursor: tuple[Any, ...]
) -> ColumnElement[bool]:
    """Return "comes after the cursor": later in the first key, or equal there and later in the next."""
    alternatives = []
    for position, (entry, key) in enumerate(zip(order, keys, strict=True)):
        equal = [keys[i] == cursor[i] for i in range(position)]
        later = key < cursor[position] if entry.descending else key > cursor[position]
        alternatives.append(and_(*equal, later))
    # Implied by the rest; it gives the index a range to start in.
    first = keys[0] <= cursor[0] if order[0].descending else keys[0] >= cursor[0]
    return and_(first, or_(*alternatives))


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value
