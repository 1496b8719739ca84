"""Leases with fencing tokens: who may act, and a number that outdates everybody before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sparrel.control.store.tables import leases
from sparrel.errors import AlreadyExists

Writer = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class LeaseTable:
    """A lease belongs to one holder until it expires; each change of holder raises its token."""

    def __init__(self, writer: Writer, clock: Callable[[], datetime]) -> None:
        self._writer = writer
        self._clock = clock

    async def acquire(self, name: str, holder: str, ttl_s: float) -> int | None:
        """Return the fencing token, None while another holder has the lease.

        A holder that asks again gets a new token: its earlier self may still be running.
        """
        now = self._clock().timestamp()
        try:
            async with self._writer() as connection:
                statement = select(leases).where(leases.c.name == name).with_for_update()
                held = (await connection.execute(statement)).one_or_none()
                values = {"holder": holder, "expires": now + ttl_s}
                if held is None:
                    await connection.execute(insert(leases).values(name=name, token=1, **values))
                    return 1
                if held.holder != holder and held.expires > now:
                    return None
                token = int(held.token) + 1
                await connection.execute(
                    update(leases).where(leases.c.name == name).values(token=token, **values)
                )
                return token
        except AlreadyExists:  # two first holders at once
            return None

    async def renew(self, name: str, holder: str, token: int, ttl_s: float) -> bool:
        """Keep a lease for another `ttl_s`; False when it is no longer this holder's."""
        async with self._writer() as connection:
            mine = (leases.c.name == name, leases.c.holder == holder, leases.c.token == token)
            expires = self._clock().timestamp() + ttl_s
            result = await connection.execute(update(leases).where(*mine).values(expires=expires))
            return result.rowcount == 1

    async def release(self, name: str, holder: str, token: int) -> None:
        """Let go at once. The row stays, because its token must never go back."""
        async with self._writer() as connection:
            mine = (leases.c.name == name, leases.c.holder == holder, leases.c.token == token)
            await connection.execute(update(leases).where(*mine).values(holder="", expires=0.0))
