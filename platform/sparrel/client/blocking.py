"""The blocking client: one event loop in a thread of its own, so it also works inside a running loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from sparrel.client import collection, model_files
from sparrel.client.aio import AsyncClient
from sparrel.client.config import ClientConfig

T = TypeVar("T")
Document = collection.Document
_END = object()


class Client:
    """`AsyncClient` for code that does not await; takes the same arguments."""

    def __init__(self, **arguments: Any) -> None:
        self._loop = _LoopThread()
        try:
            self._client = self._loop.run(_make(arguments))
        except BaseException:
            self._loop.stop()
            raise

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._loop.run(self._client.close())
        self._loop.stop()

    @property
    def config(self) -> ClientConfig:
        return self._client.config

    def __getattr__(self, name: str) -> BlockingCollection:
        if name.startswith("_"):
            raise AttributeError(name)
        return BlockingCollection(getattr(self._client, name), self._loop)

    def collection(self, name: str, *, parent: str | None = None) -> BlockingCollection:
        return BlockingCollection(self._client.collection(name, parent=parent), self._loop)

    def request(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> Document:
        return self._loop.run(self._client.request(method, path, query=query, body=body))

    def account_id(self) -> str:
        return self._loop.run(self._client.account_id())

    def verify(self) -> tuple[str, Document]:
        return self._loop.run(self._client.verify())

    def upload_model(
        self, name: str, folder: Path | str, *, progress: model_files.Progress | None = None
    ) -> Document:
        return self._loop.run(self._client.upload_model(name, folder, progress=progress))

    def download_model(
        self, name: str, folder: Path | str, *, progress: model_files.Progress | None = None
    ) -> list[Path]:
        return self._loop.run(self._client.download_model(name, folder, progress=progress))


class BlockingCollection:
    """`Collection` without await; `list` returns an ordinary iterator."""

    def __init__(self, inner: collection.Collection, loop: _LoopThread) -> None:
        self._inner = inner
        self._loop = loop
        self.spec = inner.spec

    def list(self, **arguments: Any) -> Iterator[Document]:
        return self._loop.iterate(self._inner.list(**arguments))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        method = getattr(self._inner, name)

        def call(*args: Any, **arguments: Any) -> Any:
            return self._loop.run(method(*args, **arguments))

        return call


class _LoopThread:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sparrel-client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; an interruption of the caller cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        async def step() -> Any:
            return await anext(items, _END)

        while (item := self.run(step())) is not _END:
            yield item

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _make(arguments: Mapping[str, Any]) -> AsyncClient:
    """Build the client inside the loop, where its connections will live."""
    return AsyncClient(**arguments)
