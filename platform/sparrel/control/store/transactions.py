"""Writes that happen together: rows, their audit events and the counters of their collections."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from sparrel.control.store.failures import CONFLICT
from sparrel.control.store.listing import Lister, row_of
from sparrel.control.store.tables import collections, events, leases, resources
from sparrel.errors import Aborted, AlreadyExists, NotFound
from sparrel.kernel.fields import format_timestamp, parse_timestamp
from sparrel.kernel.rows import Event, Page, Query, Row

Clock = Callable[[], datetime]


class Transaction:
    """One open transaction; `Store.transaction()` commits it, or rolls it back on an exception."""

    def __init__(self, connection: AsyncConnection, lister: Lister, clock: Clock) -> None:
        self._connection = connection
        self._lister = lister
        self._clock = clock
        self._changes: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])

    def now(self) -> datetime:
        return self._clock()

    # --- reading -----------------------------------------------------------------------------------

    async def get(self, name: str, *, lock: bool = False) -> Row | None:
        """Return a row; with `lock` nobody else changes it before this transaction ends."""
        statement = select(resources).where(resources.c.name == name)
        # SQLite has one writer, which is us; its dialect leaves FOR UPDATE out.
        found = await self._connection.execute(statement.with_for_update() if lock else statement)
        record = found.one_or_none()
        return None if record is None else row_of(record)

    async def by_lookup(self, lookup: str) -> Row | None:
        found = await self._connection.execute(select(resources).where(resources.c.lookup == lookup))
        record = found.one_or_none()
        return None if record is None else row_of(record)

    async def list(self, query: Query) -> Page:
        return await self._connection.run_sync(self._lister.page, query)

    # --- writing -----------------------------------------------------------------------------------

    async def insert(self, row: Row) -> Row:
        """Store a new row; raise AlreadyExists."""
        row.version = 1
        self._count(row, live=+1)
        upsert = _insert_ignoring(self._connection)(resources).values(_values(row)).on_conflict_do_nothing()
        result = await self._connection.execute(upsert)
        if result.rowcount != 1:
            raise AlreadyExists(f'{_noun(row)} "{row.name}" already exists')
        return row

    async def insert_many(self, rows: Sequence[Row]) -> None:
        """Store many new rows at once."""
        for row in rows:
            row.version = 1
            self._count(row, live=+1)
        await self._connection.execute(insert(resources), [_values(row) for row in rows])

    async def replace(self, row: Row, *, expected_version: int) -> Row:
        """Store a changed row; raise Aborted when its version is no longer the expected one."""
        row = dataclasses.replace(row, version=expected_version + 1, update_time=self.now())
        was_deleted = await self._was_deleted(row.name)
        values = _values(row)
        statement = (
            update(resources)
            .where(resources.c.name == row.name, resources.c.version == expected_version)
            .values(values)
        )
        if was_deleted is None or (await self._connection.execute(statement)).rowcount != 1:
            raise await self._lost(row.name)
        moved = int(row.delete_time is not None) - was_deleted
        self._count(row, live=-moved, deleted=moved)
        return row

    async def delete(self, name: str, *, expected_version: int | None = None) -> None:
        """Remove a row for good; raise NotFound, or Aborted on another version."""
        statement = delete(resources).where(resources.c.name == name)
        if expected_version is not None:
            statement = statement.where(resources.c.version == expected_version)
        columns = (resources.c.account, resources.c.collection, resources.c.deleted)
        gone = (await self._connection.execute(statement.returning(*columns))).one_or_none()
        if gone is None:
            raise await self._lost(name)
        change = self._changes[gone.account, gone.collection]
        change[gone.deleted] -= 1
        change[2] += 1

    async def append_event(self, event: Event) -> None:
        values = dataclasses.asdict(event) | {"time": event.time or self.now(), "admin": int(event.admin)}
        await self._connection.execute(insert(events).values(values))

    async def check_lease(self, name: str, token: int) -> None:
        """Raise Aborted unless `token` is still the newest holder's: fences off a former holder's write."""
        statement = select(leases.c.token).where(leases.c.name == name).with_for_update()
        current = (await self._connection.execute(statement)).scalar_one_or_none()
        if current != token:
            raise Aborted(f"lease {name!r} was taken over")

    async def finish(self) -> None:
        """Write the counters, in a fixed order so that two transactions never wait for each other."""
        for (account, collection), (live, deleted, revision) in sorted(self._changes.items()):
            first = {"live": live, "deleted": deleted, "revision": revision}
            statement = _insert_ignoring(self._connection)(collections).values(
                account=account, collection=collection, **first
            )
            added = {name: collections.c[name] + value for name, value in first.items()}
            await self._connection.execute(
                statement.on_conflict_do_update(index_elements=["account", "collection"], set_=added)
            )

    async def _was_deleted(self, name: str) -> int | None:
        statement = select(resources.c.deleted).where(resources.c.name == name)
        return (await self._connection.execute(statement)).scalar_one_or_none()

    async def _lost(self, name: str) -> NotFound | Aborted:
        exists = await self._was_deleted(name) is not None
        return Aborted(CONFLICT) if exists else NotFound(f'"{name}" not found')

    def _count(self, row: Row, *, live: int = 0, deleted: int = 0) -> None:
        change = self._changes[row.account, row.collection]
        change[0] += live
        change[1] += deleted
        change[2] += 1


def _values(row: Row) -> dict[str, Any]:
    """Return the columns, with name, state and times copied into the document where it has them.

    The one time that goes the other way is `deleteTime`: whoever soft-deletes sets it in the document.
    """
    own = {
        "name": row.name,
        "state": row.state,
        "createTime": format_timestamp(row.create_time),
        "updateTime": format_timestamp(row.update_time),
    }
    for key, value in own.items():
        if key in row.document and value != "":
            row.document[key] = value
    if "deleteTime" in row.document:
        deleted = row.document["deleteTime"]
        row.delete_time = parse_timestamp(deleted) if deleted else None
    return {
        "name": row.name,
        "account": row.account,
        "collection": row.collection,
        "id": row.id,
        "parent": row.parent,
        "state": row.state,
        "create_time": row.create_time,
        "update_time": row.update_time,
        "delete_time": row.delete_time,
        "deleted": int(row.delete_time is not None),
        "lookup": row.lookup,
        "version": row.version,
        "document": row.document,
        "internal": row.internal,
    }


def _noun(row: Row) -> str:
    return row.collection.removesuffix("s")


def _insert_ignoring(connection: AsyncConnection) -> Any:
    """Return the dialect's INSERT, the one that knows ON CONFLICT."""
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
