"""The awaited client; `blocking.Client` is the same one driven from a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from sparrel.client.collection import Collection, Document
from sparrel.client.config import ClientConfig
from sparrel.client.model_files import ModelFiles, Progress
from sparrel.client.retries import RetryPolicy
from sparrel.client.transport import Transport
from sparrel.errors import InvalidArgument
from sparrel.kernel.catalog import catalog


class AsyncClient:
    """Every resource of the catalog as an attribute: `client.deployments`, `client.api_keys`."""

    def __init__(
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        account_id: str | None = None,
        config: ClientConfig | None = None,
        retries: RetryPolicy | None = None,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.config = config or ClientConfig.resolve(
            base_url=base_url, api_key=api_key, account_id=account_id
        )
        self.sleep = sleep
        self._transport = Transport(self.config, retries=retries, http=http, sleep=sleep)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._transport.close()

    def __getattr__(self, name: str) -> Collection:
        if not name.startswith("_"):
            wanted = name.replace("_", "").lower()
            for collection in catalog():
                if collection.lower() == wanted:
                    return self.collection(collection)
        raise AttributeError(f"there is no resource {name!r}; there are {', '.join(catalog())}")

    def collection(self, name: str, *, parent: str | None = None) -> Collection:
        """Return a collection by its path segment, of the own account unless `parent` is given."""
        return Collection(self, catalog()[name], parent=parent)

    async def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> Document:
        """Call any path of the resource API and return the parsed answer."""
        answer, _ = await self._transport.call(method, path, query=query, body=body)
        return answer

    async def account_id(self) -> str:
        """Return the account in use; the server says which one a key belongs to."""
        if self.config.account_id is None:
            account, _ = await self.verify()
            self.config = replace(self.config, account_id=account)
            self._transport.config = self.config
        if not self.config.account_id:
            raise InvalidArgument("invalid id: id must be at least 1 character long")
        return self.config.account_id

    async def verify(self) -> tuple[str, Document]:
        """Return the account of the key, and what else the server says of it; raise Unauthenticated."""
        answer, headers = await self._transport.call("GET", "/verifyApiKey")
        return headers.get("x-fireworks-account-id", ""), answer

    async def upload_model(
        self, name: str, folder: Path | str, *, progress: Progress | None = None
    ) -> Document:
        """Upload a folder's files for a model that exists, have them checked, and return the READY model."""
        return await ModelFiles(self, self._transport).upload(name, Path(folder), progress)

    async def download_model(
        self, name: str, folder: Path | str, *, progress: Progress | None = None
    ) -> list[Path]:
        """Download a model's files into a folder and return their paths."""
        return await ModelFiles(self, self._transport).download(name, Path(folder), progress)
