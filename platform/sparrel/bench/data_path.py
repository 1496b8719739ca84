"""The data path in processes of its own: model servers and a gateway over a fixed directory.

    python -m sparrel.bench.data_path model FOLDER
    python -m sparrel.bench.data_path gateway ADDRESS…
    python -m sparrel.bench.data_path clients GATEWAY NUMBER

Servers print their address when they accept connections and end with their standard input; clients open
so many streams at once and print how they ended.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp
import uvloop

from sparrel.errors import ModelNotFound, Unauthenticated
from sparrel.inference.descriptors import raise_limit
from sparrel.inference.gateway import ModelListing, Replica, Route, create_gateway
from sparrel.kernel.identity import Principal

SECRET = "bench-secret"
KEY = "sp_bench"
MODEL = "accounts/bench/models/random"
DEPLOYMENT = "accounts/bench/deployments/random"


@dataclass(slots=True)
class FixedDirectory:
    """One model on replicas that a caller may change at will."""

    replica_list: list[Replica] = field(default_factory=list)
    wakes: int = 0

    async def resolve(self, model: str, caller: Principal) -> Route:
        if model != MODEL:
            raise ModelNotFound
        return Route(MODEL, DEPLOYMENT, "accounts/bench/deployedModels/random")

    async def replicas(self, deployment: str) -> Sequence[Replica]:
        return self.replica_list

    async def wake(self, deployment: str) -> None:
        self.wakes += 1

    async def models(self, caller: Principal) -> Sequence[ModelListing]:
        return [ModelListing(MODEL, 1_700_000_000, "bench", "HF_BASE_MODEL", True, False, True, 1024)]


class FixedAuthenticator:
    async def authenticate(self, key: str | None) -> Principal:
        if key != KEY:
            raise Unauthenticated("The API key is missing or not valid")
        return Principal("bench", "tester", "user", "tester@localhost", "key-1")


@dataclass(frozen=True, slots=True)
class Part:
    address: str
    pid: int


@contextmanager
def running(*arguments: str) -> Iterator[Part]:
    """Run `python -m sparrel.bench.data_path ARGUMENTS` until the block ends."""
    command = [sys.executable, "-m", "sparrel.bench.data_path", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().strip()
            if not address:
                raise RuntimeError(f"{' '.join(arguments)} did not start")
            yield Part(address, process.pid)
        finally:
            process.kill()


async def _serve_model(folder: str) -> None:
    from sparrel.engine import AsyncEngine, EngineConfig
    from sparrel.inference.server import ModelInfo, create_model_server, serve

    engine = AsyncEngine(EngineConfig(folder, max_num_seqs=32, num_threads=1))
    await engine.start()
    info = ModelInfo.load({"name": MODEL, "supportsTools": True}, folder)
    server = await serve(create_model_server(engine, folder, info, SECRET), "127.0.0.1")
    await _announce(server.address)


async def _serve_gateway(addresses: Sequence[str]) -> None:
    from sparrel.inference.server.serving import serve

    replicas = [Replica(f"replica-{i}", address, capacity=32) for i, address in enumerate(addresses)]
    server = await serve(create_gateway(FixedDirectory(replicas), FixedAuthenticator(), SECRET), "127.0.0.1")
    await _announce(server.address)


async def _open_streams(gateway: str, number: int) -> None:
    """Print `[how many streams were answered whole, how many were told to come back]`."""
    raise_limit()
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        endings = await asyncio.gather(*(_stream(session, gateway) for _ in range(number)))
    print(json.dumps([endings.count("[DONE]"), endings.count("503")]))


async def _stream(session: aiohttp.ClientSession, gateway: str) -> str:
    body = {"model": MODEL, "prompt": "hello", "max_tokens": 2, "stream": True, "ignore_eos": True}
    headers = {"authorization": f"Bearer {KEY}"}
    try:
        async with session.post(f"{gateway}/v1/completions", json=body, headers=headers) as response:
            text = await response.text()
            return text.split()[-1] if response.status == 200 else str(response.status)
    except aiohttp.ClientError as error:
        return type(error).__name__


async def _announce(address: str) -> None:
    print(address, flush=True)
    await asyncio.to_thread(sys.stdin.read)


def main(arguments: Sequence[str]) -> None:
    kind, *rest = arguments
    if kind == "model":
        uvloop.run(_serve_model(rest[0]))
    elif kind == "gateway":
        uvloop.run(_serve_gateway(rest))
    else:
        uvloop.run(_open_streams(rest[0], int(rest[1])))


if __name__ == "__main__":
    main(sys.argv[1:])
