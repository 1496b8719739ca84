"""Connections to SQLite and PostgreSQL.

SQLite runs in WAL mode, where readers never wait for the writer, with `synchronous=FULL`: a commit is on
the disk before it is acknowledged. Writers start with BEGIN IMMEDIATE on a pool of one connection, so that
in a process they queue, and between processes they wait `busy_timeout` instead of failing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import URL, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_TIMEOUT_S = 10
READERS = 4

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
}


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


JSON_OPTIONS: dict[str, Any] = {"json_serializer": _dumps, "json_deserializer": orjson.loads}


def parse_url(url: str) -> URL:
    """Return the URL with the driver that we use; raise ValueError for another database."""
    parsed = make_url(url)
    driver = _DRIVERS.get(parsed.drivername, parsed.drivername)
    if driver not in _DRIVERS.values():
        raise ValueError(f"SPARREL_DATABASE_URL: {parsed.drivername!r} is neither sqlite nor postgresql")
    if driver.startswith("sqlite") and not parsed.database:
        raise ValueError("SPARREL_DATABASE_URL: SQLite needs a file, as in sqlite:////var/lib/sparrel.db")
    return parsed.set(drivername=driver)


def open_engines(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    """Return (writer, reader); on PostgreSQL they are one."""
    if url.get_backend_name() == "postgresql":
        engine = create_async_engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True, **JSON_OPTIONS)
        return engine, engine
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    writer = create_async_engine(
        url, pool_size=1, max_overflow=0, pool_timeout=BUSY_TIMEOUT_S, **JSON_OPTIONS
    )
    reader = create_async_engine(
        url, pool_size=READERS, max_overflow=0, pool_timeout=BUSY_TIMEOUT_S, **JSON_OPTIONS
    )
    event.listen(writer.sync_engine, "connect", _prepare(query_only=False))
    event.listen(reader.sync_engine, "connect", _prepare(query_only=True))
    event.listen(
        writer.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE")
    )
    event.listen(reader.sync_engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return writer, reader


def pragmas(*, query_only: bool) -> tuple[str, ...]:
    return (
        f"PRAGMA busy_timeout={BUSY_TIMEOUT_S * 1000}",
        "PRAGMA journal_mode=WAL",
        "PRAGMA synchronous=FULL",
        "PRAGMA cache_size=-16384",
        "PRAGMA temp_store=MEMORY",
        "PRAGMA mmap_size=268435456",
        f"PRAGMA query_only={int(query_only)}",
    )


def _prepare(*, query_only: bool) -> Callable[[Any, Any], None]:
    def prepare(connection: Any, record: Any) -> None:
        # The driver's own implicit BEGIN would come too late; transactions are ours (see above).
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas(query_only=query_only):
            cursor.execute(pragma)
        cursor.close()

    return prepare
