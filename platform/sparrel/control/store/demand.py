"""Requests that wait for a sleeping deployment: for each, the newest time somebody asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from sparrel.control.store.tables import demand

Connect = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class DemandTable:
    def __init__(self, reader: Connect, writer: Connect) -> None:
        self._reader = reader
        self._writer = writer

    async def signal(self, deployment: str, now: datetime | float) -> None:
        """Record that a request waits; only the newest time is kept."""
        time = _seconds(now)
        async with self._writer() as connection:
            make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            statement: Any = make(demand).values(deployment=deployment, time=time)
            newer = statement.on_conflict_do_update(
                index_elements=["deployment"], set_={"time": time}, where=demand.c.time < time
            )
            await connection.execute(newer)

    async def read(self) -> dict[str, float]:
        """Return the newest unix time by deployment."""
        async with self._reader() as connection:
            found = await connection.execute(select(demand.c.deployment, demand.c.time))
            return {record.deployment: record.time for record in found}

    async def clear(self, deployment: str, up_to: datetime | float) -> None:
        """Forget demand that has been met; a request that came later stays recorded."""
        async with self._writer() as connection:
            met = (demand.c.deployment == deployment, demand.c.time <= _seconds(up_to))
            await connection.execute(delete(demand).where(*met))


def _seconds(moment: datetime | float) -> float:
    return moment.timestamp() if isinstance(moment, datetime) else moment
