"""Stores for tests: an empty one on either database, and rows to put in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from sqlalchemy import make_url

from sparrel.control.store import Row, Store
from sparrel.control.store.tables import metadata
from sparrel.kernel.catalog import resource

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    """A time that only moves when told, except that no two readings are alike."""

    def __init__(self, start: datetime = START) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        self.moment += timedelta(microseconds=1)
        return self.moment

    def advance(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@asynccontextmanager
async def opened(url: str, clock: Clock | None = None) -> AsyncIterator[Store]:
    store = await Store.open(url, clock=clock or Clock())
    try:
        yield store
    finally:
        await store.close()


async def empty_postgres(url: str) -> None:
    """Remove every row that an earlier test left."""
    parsed = make_url(url)
    connection = await asyncpg.connect(
        user=parsed.username, database=parsed.database, host=str(parsed.query["host"])
    )
    try:
        exists = await connection.fetchval("SELECT to_regclass('resources')")
        if exists:
            await connection.execute("TRUNCATE " + ", ".join(table.name for table in metadata.sorted_tables))
    finally:
        await connection.close()


def make_row(name: str, state: str = "READY", *, at: datetime = START, **fields: Any) -> Row:
    """Return a row of the collection in its name; fields by their wire names."""
    parent, collection, resource_id = re.fullmatch(r"(?:(.*)/)?([^/]+)/([^/]+)", name).groups()  # type: ignore[union-attr]
    document = resource(collection)().to_document() | fields
    return Row(
        name=name,
        account=name.split("/")[1],
        collection=collection,
        id=resource_id,
        parent=parent or "",
        create_time=at,
        update_time=at,
        state=state,
        document=document,
    )
