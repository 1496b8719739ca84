"""A control plane for tests: accounts, keys, and clients that speak to it in process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from sparrel.control.app import create_app
from sparrel.control.auth import StoreAuthenticator, lookup_of
from sparrel.control.store import Row, Store
from sparrel.settings import PLATFORM_ACCOUNT, Settings
from tests.support.stores import make_row


@dataclass
class Platform:
    store: Store
    settings: Settings
    app: FastAPI
    clients: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    def client(self, key: str | None) -> httpx.AsyncClient:
        """Return a client with a key; None for no key."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        name = key or ""
        if name not in self.clients:
            transport = httpx.ASGITransport(app=self.app)
            self.clients[name] = httpx.AsyncClient(transport=transport, base_url="http://p", headers=headers)
        return self.clients[name]

    @property
    def admin(self) -> Caller:
        """The administrator of `acme`."""
        return Caller(self.client("key-acme-admin"))

    @property
    def user(self) -> Caller:
        """An ordinary user of `acme`."""
        return Caller(self.client("key-acme-user"))

    @property
    def other(self) -> Caller:
        """The administrator of another account."""
        return Caller(self.client("key-other-admin"))

    @property
    def nobody(self) -> Caller:
        return Caller(self.client(None))

    async def add(self, name: str, state: str = "READY", **fields: Any) -> Row:
        """Store a row as the platform itself would."""
        row = await self.store.insert(make_row(name, state, at=self.store.now(), **fields))
        return row

    async def add_model(self, name: str = "accounts/acme/models/base", **fields: Any) -> Row:
        details = {"worldSize": 1, "parameterCount": "1", "modelType": "llama"}
        return await self.add(name, **{"kind": "HF_BASE_MODEL", "baseModelDetails": details, **fields})

    async def add_adapter(
        self, name: str = "accounts/acme/models/lora", base: str = "accounts/acme/models/base"
    ) -> Row:
        details = {"baseModel": base, "r": 8, "targetModules": ["q_proj"]}
        return await self.add(name, kind="HF_PEFT_ADDON", peftDetails=details)

    async def set_state(
        self, name: str, state: str, code: str = "OK", message: str = "", **fields: Any
    ) -> Row:
        """Do what the controller does."""
        row = await self.store.get(name)
        assert row is not None
        row.set_state(state, code, message)
        row.document |= fields
        return await self.store.replace(row, expected_version=row.version)


@dataclass
class Caller:
    """Short calls that return (status, body)."""

    http: httpx.AsyncClient

    async def __call__(self, method: str, path: str, body: Any = None, **params: Any) -> tuple[int, Any]:
        content = {} if body is None else {"json": body}
        answer = await self.http.request(method, f"/v1/{path}", params=params, **content)
        assert answer.headers["content-type"] == "application/json"
        return answer.status_code, answer.json()

    async def ok(self, method: str, path: str, body: Any = None, **params: Any) -> Any:
        status, answer = await self(method, path, body, **params)
        assert status == 200, answer
        return answer

    async def fails(self, status: int, method: str, path: str, body: Any = None, **params: Any) -> str:
        """Expect an error; return its message."""
        got, answer = await self(method, path, body, **params)
        assert got == status, answer
        assert set(answer) == {"code", "message", "details"}
        return str(answer["message"])


def user_rows(account: str, user: str, role: str) -> list[Row]:
    """Return a user and their key, `key-<account>-<user>`."""
    name = f"accounts/{account}/users/{user}"
    email = f"{user}@{account}.test"
    key = make_row(f"accounts/{account}/apiKeys/{user}", "", keyId=user, email=email)
    key.parent, key.lookup, key.internal = name, lookup_of(f"key-{account}-{user}"), {"user": name}
    return [make_row(name, email=email, role=role), key]


async def seed(store: Store) -> None:
    """Store three accounts with their users and keys."""
    accounts = (PLATFORM_ACCOUNT, "acme", "other")
    rows = [make_row(f"accounts/{account}", email=f"owner@{account}.test") for account in accounts]
    for account in accounts:
        rows += user_rows(account, "admin", "admin")
    rows += user_rows("acme", "user", "user")
    async with store.transaction() as tx:
        await tx.insert_many(rows)


@asynccontextmanager
async def running_platform(store: Store, folder: Path) -> AsyncIterator[Platform]:
    await seed(store)
    settings = Settings(home=folder)
    # Every request asks the store: tests change rows behind the cache's back.
    app = create_app(store, settings, authenticator=StoreAuthenticator(store, clock=_never_the_same()))
    platform = Platform(store, settings, app)
    try:
        yield platform
    finally:
        for client in platform.clients.values():
            await client.aclose()


def _never_the_same() -> Any:
    seconds = iter(range(0, 10**9, 10))
    return lambda: float(next(seconds))
