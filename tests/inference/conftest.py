"""A complete data path for tests: engine with a random model, model server, gateway, real sockets."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from sparrel.bench.data_path import KEY, MODEL, SECRET, FixedAuthenticator, FixedDirectory
from sparrel.bench.random_model import write_random_model
from sparrel.engine import AsyncEngine, EngineConfig
from sparrel.inference.codec import Codec
from sparrel.inference.gateway import GatewaySettings, Replica, create_gateway
from sparrel.inference.server import ModelInfo, create_model_server, serve


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_model(tmp_path_factory.mktemp("random-model"), context=256)


@pytest.fixture(scope="session")
def codec(model_folder: Path) -> Codec:
    return Codec(model_folder)


class Background:
    """An event loop in a thread, for servers that tests talk to from outside."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=120)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)


@pytest.fixture(scope="session")
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


@dataclass
class DataPath:
    """Addresses and handles of one running data path."""

    gateway: str
    model_server: str
    engine: AsyncEngine
    directory: FixedDirectory

    @property
    def base_url(self) -> str:
        return f"{self.gateway}/inference/v1"

    @property
    def client(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=self.base_url, api_key=KEY, max_retries=0, timeout=60)

    def post(
        self, path: str, body: Any = None, *, content: bytes | None = None, key: str = KEY
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        return httpx.post(f"{self.gateway}{path}", json=body, content=content, headers=headers, timeout=60)


@pytest.fixture(scope="session")
def data_path(model_folder: Path, background: Background) -> Iterator[DataPath]:
    engine = AsyncEngine(EngineConfig(model_folder, max_num_seqs=16, num_threads=1))
    background.run(engine.start())
    info = ModelInfo.load({"name": MODEL, "supportsTools": True}, model_folder)
    server = background.run(serve(create_model_server(engine, model_folder, info, SECRET), "127.0.0.1"))
    directory = FixedDirectory([Replica("replica-1", server.address, capacity=16)])
    gateway = create_gateway(directory, FixedAuthenticator(), SECRET, GatewaySettings(poll_interval_s=0.02))
    front = background.run(serve(gateway, "127.0.0.1"))
    yield DataPath(front.address, server.address, engine, directory)
    background.run(front.stop(grace_s=1))
    background.run(gateway.aclose())
    background.run(server.stop(grace_s=1))
    background.run(engine.shutdown())


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait for a condition, for at most so many seconds."""

    def wait(condition: Callable[[], bool], within_s: float = 30.0) -> None:
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, f"not within {within_s} s"
            time.sleep(0.002)

    return wait


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], Coroutine[Any, Any, None]]:
    """Wait for a condition while the test's own event loop goes on."""

    async def wait(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():  # noqa: ASYNC110  what is waited for has no event to offer
                await asyncio.sleep(0.001)

    return wait
