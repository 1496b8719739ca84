"""A control plane behind a real socket: uvicorn in a thread, SQLite, the data of a first start."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from sparrel.control.app import create_app
from sparrel.control.bootstrap import bootstrap
from sparrel.control.store import Store
from sparrel.settings import Settings


@dataclass(frozen=True)
class ControlServer:
    settings: Settings

    @property
    def base_url(self) -> str:
        return self.settings.base_url

    @property
    def api_key(self) -> str:
        return (self.settings.run_dir / "api_key").read_text().strip()

    @property
    def env(self) -> dict[str, str]:
        """Variables that give a command this platform and nothing of the machine's own."""
        return {"SPARREL_HOME": str(self.settings.home), "SPARREL_PORT": str(self.settings.port)}


@contextmanager
def control_server(home: Path) -> Iterator[ControlServer]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    settings = Settings(home=home, port=listener.getsockname()[1])
    home.mkdir(parents=True, exist_ok=True)
    started, stop, problems = threading.Event(), threading.Event(), []

    async def serve() -> None:
        store = await Store.open(settings.database)
        try:
            await bootstrap(store, settings)
            server = uvicorn.Server(
                uvicorn.Config(create_app(store, settings), log_level="warning", lifespan="off")
            )
            task = asyncio.create_task(server.serve(sockets=[listener]))
            while not server.started and not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            started.set()
            await asyncio.to_thread(stop.wait)
            server.should_exit = True
            await task
        finally:
            await store.close()

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as problem:
            problems.append(problem)
        finally:
            started.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait(60)
    if problems:
        raise problems[0]
    try:
        yield ControlServer(settings)
    finally:
        stop.set()
        thread.join(20)
        listener.close()


def set_state_once_made(server: ControlServer, name: str, *steps: tuple[str, str, str]) -> threading.Thread:
    """Do what the controller does, from another thread: give a new resource each (state, code, message)."""

    async def work() -> None:
        store = await Store.open(server.settings.database)
        try:
            for state, code, message in steps:
                await _set_state(store, name, state, code, message)
        finally:
            await store.close()

    thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    return thread


async def _set_state(store: Store, name: str, state: str, code: str, message: str) -> None:
    async with asyncio.timeout(30):
        while (row := await store.get(name)) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    row.set_state(state, code, message)
    await store.replace(row, expected_version=row.version)
