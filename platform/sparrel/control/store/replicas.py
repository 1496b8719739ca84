"""Model replicas as the controller last heard of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from sparrel.control.store.tables import replicas

Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class Report(Protocol):
    """What a row is made of; `controller.runtime.ReplicaReport` is one."""

    @property
    def replica(self) -> str: ...
    @property
    def deployment(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def phase(self) -> str: ...
    @property
    def running(self) -> int: ...
    @property
    def waiting(self) -> int: ...
    @property
    def capacity(self) -> int: ...
    @property
    def requests_total(self) -> int: ...
    @property
    def generated_tokens_total(self) -> int: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    replica: str
    deployment: str
    address: str
    phase: str
    running: int
    waiting: int
    capacity: int
    requests_total: int
    generated_tokens_total: int
    message: str
    reported: float
    """Unix time of the report."""


_FIELDS = tuple(ReplicaRow.__dataclass_fields__)


class ReplicaTable:
    def __init__(self, reader: Connect, writer: Connect) -> None:
        self._reader = reader
        self._writer = writer

    async def upsert(self, report: Report, now: datetime | float) -> None:
        await self.upsert_many([report], now)

    async def upsert_many(self, reports: Collection[Report], now: datetime | float) -> None:
        """Store the newest report of each replica, in one transaction."""
        if not reports:
            return
        reported = now.timestamp() if isinstance(now, datetime) else now
        values = [_values(report, reported) for report in reports]
        async with self._writer() as connection:
            make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            statement: Any = make(replicas)
            changed = {name: statement.excluded[name] for name in _FIELDS if name != "replica"}
            await connection.execute(
                statement.on_conflict_do_update(index_elements=["replica"], set_=changed), values
            )

    async def list(self, deployment: str | None = None) -> list[ReplicaRow]:
        statement = select(*(replicas.c[name] for name in _FIELDS)).order_by(replicas.c.replica)
        if deployment is not None:
            statement = statement.where(replicas.c.deployment == deployment)
        async with self._reader() as connection:
            return [ReplicaRow(*record) for record in await connection.execute(statement)]

    async def remove(self, replica_ids: Collection[str]) -> None:
        if not replica_ids:
            return
        async with self._writer() as connection:
            await connection.execute(delete(replicas).where(replicas.c.replica.in_(list(replica_ids))))


def _values(report: Report, reported: float) -> dict[str, Any]:
    values = {name: getattr(report, name) for name in _FIELDS if name != "reported"}
    return values | {"phase": str(report.phase), "reported": reported}
