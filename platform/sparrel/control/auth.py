"""API keys: how they look, how they are kept, and who a caller is."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sparrel.control.store import Store
from sparrel.errors import Unauthenticated
from sparrel.kernel.fields import parse_timestamp
from sparrel.kernel.identity import Principal

PREFIX = "sp_"
SHOWN_CHARACTERS = 8
CACHE_S = 0.9
"""A revoked key stops working within a second."""
CACHE_SIZE = 10_000


def new_key() -> str:
    """Make a key with 256 bits of randomness."""
    return PREFIX + secrets.token_urlsafe(32)


def lookup_of(key: str) -> str:
    """Return what a key is stored and found by. A random key needs no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    until: float
    """Monotonic time at which the store is asked again."""
    expires: datetime | None


class StoreAuthenticator:
    """Implements the gateway's Authenticator over the store."""

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[str, _Known] = {}

    async def authenticate(self, key: str | None) -> Principal:
        """Return the key's owner; raise Unauthenticated."""
        if not key:
            raise Unauthenticated(
                "no API key: send it as 'Authorization: Bearer <key>' or 'X-Api-Key: <key>'"
            )
        lookup = lookup_of(key)
        known = self._known.get(lookup)
        if known is None or known.until <= self._clock():
            known = await self._ask(lookup)
        if known.expires is not None and known.expires <= self._store.now():
            raise Unauthenticated("this API key has expired")
        return known.principal

    async def _ask(self, lookup: str) -> _Known:
        """Read the key and its user, and remember them for a moment."""
        asked_at = self._clock()
        self._known.pop(lookup, None)
        row = await self._store.by_lookup(lookup)
        user = await self._store.get(row.internal["user"]) if row is not None else None
        if row is None or user is None or user.state == "DELETING":
            raise Unauthenticated("this API key is not valid")
        expires = row.document.get("expireTime")
        principal = Principal(
            account=row.account,
            user=user.id,
            role=user.document["role"],
            email=user.document["email"],
            key_id=row.id,
        )
        known = _Known(principal, asked_at + CACHE_S, parse_timestamp(expires) if expires else None)
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        self._known[lookup] = known
        return known
