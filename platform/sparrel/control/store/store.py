"""The platform's memory: resources, audit events, leases, replicas and demand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sparrel.control.store.demand import DemandTable
from sparrel.control.store.direct import DirectReader, TooLong
from sparrel.control.store.engines import open_engines, parse_url
from sparrel.control.store.expressions import Expressions
from sparrel.control.store.failures import translated
from sparrel.control.store.leases import LeaseTable
from sparrel.control.store.listing import Lister, row_of
from sparrel.control.store.migrate import migrate
from sparrel.control.store.replicas import ReplicaTable
from sparrel.control.store.tables import events, resources
from sparrel.control.store.transactions import Transaction
from sparrel.kernel.rows import Event, Page, Query, Row

_BY_NAME = select(resources).where(resources.c.name == bindparam("name"))
_BY_LOOKUP = select(resources).where(resources.c.lookup == bindparam("lookup"))


def utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """One database, opened with `await Store.open(url)`; every method is safe to call concurrently."""

    def __init__(self, writer: AsyncEngine, reader: AsyncEngine, clock: Callable[[], datetime]) -> None:
        self._writer_engine = writer
        self._reader_engine = reader
        self._clock = clock
        self.dialect = writer.dialect.name
        self._lister = Lister(Expressions(self.dialect))
        self._direct = DirectReader(writer.url, self._lister) if self.dialect == "sqlite" else None
        # One statement needs no BEGIN and COMMIT of its own around it.
        self._single = reader.execution_options(isolation_level="AUTOCOMMIT")
        self.leases = LeaseTable(self._writing, clock)
        self.replicas = ReplicaTable(self._reading, self._writing)
        self.demand = DemandTable(self._reading, self._writing)

    @classmethod
    async def open(cls, url: str, *, clock: Callable[[], datetime] = utc_now) -> Store:
        """Connect and bring the schema up to date."""
        with translated():
            writer, reader = open_engines(parse_url(url))
            await migrate(writer)
            # Connections belong to an event loop; who opens a store in one may use it in another.
            await writer.dispose()
        return cls(writer, reader, clock)

    async def close(self) -> None:
        if self._direct is not None:
            self._direct.close()
        await self._reader_engine.dispose()
        await self._writer_engine.dispose()

    def now(self) -> datetime:
        return self._clock()

    # --- reading -----------------------------------------------------------------------------------

    async def get(self, name: str) -> Row | None:
        if self._direct is not None:
            with suppress(TooLong):
                return self._direct.get(name)
        async with self._reading() as connection:
            record = (await connection.execute(_BY_NAME, {"name": name})).one_or_none()
        return None if record is None else row_of(record)

    async def by_lookup(self, lookup: str) -> Row | None:
        if self._direct is not None:
            with suppress(TooLong):
                return self._direct.by_lookup(lookup)
        async with self._reading() as connection:
            record = (await connection.execute(_BY_LOOKUP, {"lookup": lookup})).one_or_none()
        return None if record is None else row_of(record)

    async def list(self, query: Query) -> Page:
        """Return one page; its rows and its total are of the same moment."""
        if self._direct is not None:
            with suppress(TooLong):
                return self._direct.list(query)
        if not query.count:
            async with self._reading() as connection:
                return await connection.run_sync(self._lister.page, query)
        with translated():
            async with self._reader_engine.connect() as connection:
                if self.dialect == "postgresql":
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                return await connection.run_sync(self._lister.page, query)

    async def scan(self, collection: str, *, states: Collection[str] | None = None) -> Sequence[Row]:
        """Return every row of a collection, of all accounts, by name: for reconcilers."""
        statement = select(resources).where(resources.c.collection == collection).order_by(resources.c.name)
        if states is not None:
            statement = statement.where(resources.c.state.in_(list(states)))
        async with self._reading() as connection:
            return [row_of(record) for record in await connection.execute(statement)]

    async def events(self, account: str, *, limit: int = 100) -> Sequence[Event]:
        """Return an account's newest audit events first."""
        statement = (
            select(*(column for column in events.c if column.name != "id"))
            .where(events.c.account == account)
            .order_by(events.c.time.desc(), events.c.id.desc())
            .limit(limit)
        )
        async with self._reading() as connection:
            found = (await connection.execute(statement)).mappings()
            return [Event(**{**record, "admin": bool(record["admin"])}) for record in found]

    # --- writing -----------------------------------------------------------------------------------

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction: committed at the end of the block, rolled back by an exception."""
        with translated():
            async with self._writer_engine.begin() as connection:
                transaction = Transaction(connection, self._lister, self._clock)
                yield transaction
                await transaction.finish()

    async def insert(self, row: Row) -> Row:
        """Store a new row; raise AlreadyExists."""
        async with self.transaction() as transaction:
            return await transaction.insert(row)

    async def replace(self, row: Row, *, expected_version: int) -> Row:
        """Store a changed row; raise Aborted when another writer was faster."""
        async with self.transaction() as transaction:
            return await transaction.replace(row, expected_version=expected_version)

    async def delete(self, name: str, *, expected_version: int | None = None) -> None:
        """Remove a row for good; raise NotFound, or Aborted on another version."""
        async with self.transaction() as transaction:
            await transaction.delete(name, expected_version=expected_version)

    async def append_event(self, event: Event) -> None:
        async with self.transaction() as transaction:
            await transaction.append_event(event)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._single.connect() as connection:
                yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        with translated():
            async with self._writer_engine.begin() as connection:
                yield connection
