"""The resource API against a bare uvicorn route: CPU per request, and how lists grow with the store.

    python -m sparrel.bench.control [--requests N]

Each server is a process of its own (`python -m sparrel.bench.control serve|bare PORT`), so that its CPU
time is its own.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import uvicorn
from fastapi import FastAPI

from sparrel.bench.load import Load, get_many
from sparrel.bench.report import Row, Section, at_most, markdown
from sparrel.control.app import create_app
from sparrel.control.bootstrap import bootstrap, key_path
from sparrel.control.store import Store
from sparrel.kernel.rows import Row as StoredRow
from sparrel.resources.model import Model
from sparrel.settings import Settings

FEW, MANY = 10, 100_000
START_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    pid: int


def measure(requests: int = 2000) -> Section:
    """Compare GET and filtered list at two sizes of the store with a constant FastAPI route."""
    with TemporaryDirectory() as root:
        few = _at_size(Path(root) / "few", FEW, requests)
        many = _at_size(Path(root) / "many", MANY, requests)
        with _serving("bare", Settings(home=Path(root))) as server:
            bare = get_many(
                f"{server.url}/constant", pid=server.pid, requests=requests, clients=4, headers={}
            )
    rows = [
        _row(f"GET by name, {FEW} models", few["get"], bare, 6),
        _row(f"GET by name, {MANY:,} models", many["get"], bare, 6),
        _row(f"list of 50 with a filter, {MANY:,} models / {FEW}", many["list"], few["list"], 3),
    ]
    note = (
        "CPU of the server per request, 4 keep-alive clients, SQLite, authentication on. "
        "The baseline of GET is a FastAPI route that returns a constant."
    )
    return Section("Control plane", note, rows)


def _row(what: str, ours: Load, baseline: Load, bound: float) -> Row:
    ratio = ours.cpu_ms_per_request / baseline.cpu_ms_per_request
    return Row(what, _milliseconds(ours), _milliseconds(baseline), ratio, at_most(bound))


def _milliseconds(load: Load) -> str:
    return f"{load.cpu_ms_per_request:.2f} ms"


def _at_size(home: Path, models: int, requests: int) -> dict[str, Load]:
    home.mkdir()
    settings = Settings(home=home)
    key = asyncio.run(_fill(settings, models))
    headers = {"Authorization": f"Bearer {key}"}
    with _serving("serve", settings) as server:
        base = f"{server.url}/v1/accounts/{settings.account}/models"

        def load(url: str, count: int) -> Load:
            return get_many(url, pid=server.pid, requests=count, clients=4, headers=headers)

        return {
            "get": load(f"{base}/model-{models // 2}", requests),
            "list": load(f"{base}?filter=state%3DREADY&pageSize=50", max(40, requests // 10)),
        }


async def _fill(settings: Settings, models: int) -> str:
    """Make a store with the data of a first start and so many models; return the first key."""
    store = await Store.open(settings.database)
    try:
        await bootstrap(store, settings)
        for first in range(0, models, 1000):
            async with store.transaction() as tx:
                numbers = range(first, min(first + 1000, models))
                await tx.insert_many([_model(settings.account, number, store.now()) for number in numbers])
    finally:
        await store.close()
    return key_path(settings).read_text().strip()


def _model(account: str, number: int, now: datetime) -> StoredRow:
    parent = f"accounts/{account}"
    document = Model().to_document() | {"kind": "HF_BASE_MODEL", "state": "READY"}
    return StoredRow(
        name=f"{parent}/models/model-{number}",
        account=account,
        collection="models",
        id=f"model-{number}",
        parent=parent,
        create_time=now,
        update_time=now,
        state="READY",
        document=document,
    )


# --- the two servers ------------------------------------------------------------------------------------


@contextmanager
def _serving(kind: str, settings: Settings) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "sparrel.bench.control", kind, str(port)]
    with subprocess.Popen(command, env=os.environ | settings.to_env()) as process:
        try:
            _wait_until_up(f"http://127.0.0.1:{port}", process)
            yield Server(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.terminate()


def _wait_until_up(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server at {url} did not start")


async def constant() -> dict[str, str]:
    return {"name": "constant"}


async def _serve(kind: str, port: int) -> None:
    settings = Settings.from_env()
    if kind == "bare":
        app = FastAPI()
        app.add_api_route("/constant", constant)
    else:
        app = create_app(await Store.open(settings.database), settings)
    config = uvicorn.Config(app, port=port, access_log=False, log_level="warning", lifespan="off")
    await uvicorn.Server(config).serve()


def main(arguments: list[str]) -> None:
    if arguments and arguments[0] in ("serve", "bare"):
        asyncio.run(_serve(arguments[0], int(arguments[1])))
    else:
        requests = int(arguments[1]) if arguments[:1] == ["--requests"] else 2000
        print(markdown([measure(requests)]))


if __name__ == "__main__":
    main(sys.argv[1:])
