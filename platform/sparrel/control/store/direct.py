"""SQLite read in the event loop's own thread.

A read by key takes some 20 µs; the trip to a worker thread and back takes ten times that. In WAL mode a
reader waits for nobody, so short reads happen right here. One that turns out long, such as a filter without
an index over many rows, is stopped after STEPS and done again in a thread.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import StaticPool

from sparrel.control.store.engines import JSON_OPTIONS, pragmas
from sparrel.control.store.listing import Lister
from sparrel.kernel.rows import Page, Query, Row

STEPS = 100_000
"""Instructions of SQLite's machine that one read may take here: about two milliseconds."""

_COLUMNS = (
    "name, account, collection, id, parent, create_time, update_time, state, delete_time, lookup, version,"
    " document, internal"
)
_BY_NAME = f"SELECT {_COLUMNS} FROM resources WHERE name = ?"
_BY_LOOKUP = f"SELECT {_COLUMNS} FROM resources WHERE lookup = ?"


class TooLong(Exception):
    """The read was stopped; do it where it may take its time."""


class DirectReader:
    def __init__(self, url: URL, lister: Lister) -> None:
        self._lister = lister
        self._lock = threading.Lock()
        self._engine = create_engine(
            url.set(drivername="sqlite"),
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            **JSON_OPTIONS,
        )
        event.listen(self._engine, "connect", self._prepare)
        event.listen(self._engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        self._connection = self._engine.connect()
        self._cursor: Any = self._connection.connection.dbapi_connection

    def close(self) -> None:
        self._connection.close()
        self._engine.dispose()

    def get(self, name: str) -> Row | None:
        return self._one(_BY_NAME, name)

    def by_lookup(self, lookup: str) -> Row | None:
        return self._one(_BY_LOOKUP, lookup)

    def list(self, query: Query) -> Page:
        """Return one page; raise TooLong."""
        with self._lock, self._limited(), self._connection.begin():
            return self._lister.page(self._connection, query)

    def _one(self, statement: str, key: str) -> Row | None:
        with self._lock, self._limited():
            record = self._cursor.execute(statement, (key,)).fetchone()
        return None if record is None else _row(*record)

    @contextmanager
    def _limited(self) -> Iterator[None]:
        """Raise TooLong for whatever keeps the event loop: many steps, or a rare wait for a lock."""
        try:
            yield
        except (sqlite3.OperationalError, OperationalError) as error:
            raise TooLong from error

    @staticmethod
    def _prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas(query_only=True):
            connection.execute(pragma)
        connection.execute("PRAGMA busy_timeout=0")
        connection.set_progress_handler(lambda: 1, STEPS)


def _row(
    name: str,
    account: str,
    collection: str,
    resource_id: str,
    parent: str,
    create_time: str,
    update_time: str,
    state: str,
    delete_time: str | None,
    lookup: str | None,
    version: int,
    document: str,
    internal: str,
) -> Row:
    return Row(
        name=name,
        account=account,
        collection=collection,
        id=resource_id,
        parent=parent,
        create_time=datetime.fromisoformat(create_time),
        update_time=datetime.fromisoformat(update_time),
        state=state,
        delete_time=datetime.fromisoformat(delete_time) if delete_time else None,
        lookup=lookup,
        version=version,
        document=orjson.loads(document),
        internal=orjson.loads(internal),
    )
