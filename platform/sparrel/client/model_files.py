"""A model's files to the platform and back, streamed: memory use does not depend on their size."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from sparrel.client.collection import Document
from sparrel.client.local_files import local_files
from sparrel.client.retries import RetryPolicy
from sparrel.client.transport import Broken, Transport
from sparrel.errors import InvalidArgument

if TYPE_CHECKING:
    from sparrel.client.aio import AsyncClient

Progress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes of it that are done, and its size."""

CHUNK_BYTES = 1 << 20
TIMEOUT = httpx.Timeout(300.0, connect=10.0)


class ModelFiles:
    def __init__(self, client: AsyncClient, transport: Transport) -> None:
        self._client = client
        self._transport = transport
        self._retries = RetryPolicy()

    async def upload(self, name: str, folder: Path, progress: Progress | None) -> Document:
        sizes = local_files(folder)
        models = self._client.models
        urls = (await models.call("getUploadEndpoint", name, filename_to_size=sizes))["filenameToSignedUrls"]
        for file, size in sizes.items():
            await self._persist(partial(self._put, urls[file], folder / file, file, size, progress))
        await models.call("validateUpload", name)
        return await models.get(name)

    async def download(self, name: str, folder: Path, progress: Progress | None) -> list[Path]:
        urls = (await self._client.models.call("getDownloadEndpoint", name))["filenameToSignedUrls"]
        root = folder.resolve()  # noqa: ASYNC240  (a few metadata reads)
        paths = []
        for file, url in urls.items():
            target = (root / file).resolve()
            if not target.is_relative_to(root):
                raise InvalidArgument(f"the server named a file outside the folder: {file!r}")
            await self._persist(partial(self._get, url, target, file, progress))
            paths.append(target)
        return paths

    async def _persist(self, transfer: Callable[[], Awaitable[None]]) -> None:
        """Repeat a transfer that broke in the middle."""
        for attempt in range(1, self._retries.attempts + 1):
            try:
                await transfer()
                return
            except Broken:
                delay = self._retries.delay_s(attempt, {})
                if attempt == self._retries.attempts or delay is None:
                    raise
                await self._client.sleep(delay)

    async def _put(self, url: str, path: Path, name: str, size: int, progress: Progress | None) -> None:
        digest = hashlib.sha256()

        async def content() -> AsyncIterator[bytes]:
            done = 0
            with path.open("rb") as file:
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    digest.update(chunk)
                    yield chunk
                    done += len(chunk)
                    if progress is not None:
                        progress(name, done, size)

        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
            "x-goog-content-length-range": f"{size},{size}",
        }
        response = await self._transport.send(
            lambda: httpx.Request(
                "PUT", url, headers=headers, content=content(), extensions={"timeout": TIMEOUT.as_dict()}
            ),
            repeat=False,
        )
        stored = response.headers.get("repr-digest")
        if stored is not None and stored != f"sha-256=:{base64.b64encode(digest.digest()).decode()}:":
            raise Broken(f"{name} was damaged on its way")

    async def _get(self, url: str, target: Path, name: str, progress: Progress | None) -> None:
        """Continue a file where an earlier try ended, and give it its name once it is complete."""
        part = target.with_name(target.name + ".part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            done = part.stat().st_size if part.exists() else 0
            headers = {"Range": f"bytes={done}-"} if done else {}
            response = await self._transport.send(
                lambda: httpx.Request("GET", url, headers=headers, extensions={"timeout": TIMEOUT.as_dict()}),
                stream=True,
                repeat=False,
            )
            await self._save(response, part, done if response.status_code == 206 else 0, name, progress)
            os.replace(part, target)
        except OSError as error:
            raise InvalidArgument(f"cannot write {str(target)!r}: {error.strerror}") from error

    async def _save(
        self, response: httpx.Response, part: Path, done: int, name: str, progress: Progress | None
    ) -> None:
        total = done + int(response.headers.get("content-length", 0))
        try:
            with part.open("ab" if done else "wb") as file:
                async for chunk in response.aiter_bytes(CHUNK_BYTES):
                    await asyncio.to_thread(file.write, chunk)
                    done += len(chunk)
                    if progress is not None:
                        progress(name, done, total)
        except httpx.TransportError as error:
            raise Broken(f"the download of {name} broke off: {error or type(error).__name__}") from error
        finally:
            await response.aclose()
