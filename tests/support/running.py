"""A running platform for tests: its own home folder, a free port, real processes, real HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
import pytest

from sparrel.bench.random_model import write_random_model
from sparrel.control.cluster import local, processes
from sparrel.control.cluster.layout import Layout
from sparrel.control.store import Store
from sparrel.resources.model import Model
from sparrel.settings import Settings
from tests.support.stores import make_row

T = TypeVar("T")

MODEL = "accounts/default/models/tiny"
BROKEN_MODEL = "accounts/default/models/broken"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], T], *, within_s: float = 60.0, what: str = "it") -> T:
    """Return the first true value of `look`; fail when there is none in time."""
    deadline = time.monotonic() + within_s
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come about within {within_s:g} s; last seen: {value!r}")
        threading.Event().wait(0.1)


@dataclass(frozen=True)
class Platform:
    settings: Settings
    api_key: str

    @property
    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return httpx.Client(base_url=self.settings.base_url, headers=headers, timeout=90, trust_env=False)

    # Resources

    def deploy(self, name: str, model: str = MODEL, **fields: Any) -> str:
        body = {"baseModel": model, "minReplicaCount": 0, "maxReplicaCount": 1, **fields}
        with self.client as client:
            answer = client.post(f"/v1/accounts/default/deployments?deploymentId={name}", json=body)
        assert answer.status_code == 200, answer.text
        return f"accounts/default/deployments/{name}"

    def get(self, name: str) -> dict[str, Any]:
        with self.client as client:
            answer = client.get(f"/v1/{name}")
        return answer.json() if answer.status_code == 200 else {"state": answer.status_code}

    def patch(self, name: str, verb: str = "", **fields: Any) -> None:
        with self.client as client:
            answer = client.patch(f"/v1/{name}{verb}", json=fields)
        assert answer.status_code == 200, answer.text

    def delete(self, name: str) -> None:
        with self.client as client:
            answer = client.delete(f"/v1/{name}?ignoreChecks=true&hard=true")
        assert answer.status_code == 200, answer.text

    def until(self, name: str, within_s: float = 180.0, **wanted: Any) -> dict[str, Any]:
        """Wait until the resource's fields are as wanted."""
        deadline = time.monotonic() + within_s
        while True:
            document = self.get(name)
            if all(document.get(key) == value for key, value in wanted.items()):
                return document
            if time.monotonic() > deadline:
                shown = {
                    key: document.get(key) for key in ("state", "status", "replicaCount", "replicaStats")
                }
                pytest.fail(f"{name} did not get {wanted} within {within_s:g} s: {shown}")
            threading.Event().wait(0.1)

    # Inference

    def chat(self, deployment: str, max_tokens: int = 4) -> httpx.Response:
        with self.client as client:
            return client.post("/inference/v1/chat/completions", json=chat_body(deployment, max_tokens))

    # Processes

    def processes(self) -> list[psutil.Process]:
        record = Layout(self.settings).read_record()
        return processes.marked(record.mark) if record is not None else []

    def process(self, title: str) -> psutil.Process:
        """Return the one live process whose title contains `title`."""
        [found] = self.processes_titled(title)
        return found

    def processes_titled(self, title: str) -> list[psutil.Process]:
        return [p for p in self.processes() if title in " ".join(_command(p))]

    # The store

    def store(self, work: Callable[[Store], Coroutine[Any, Any, T]]) -> T:
        """Work on the platform's own database, as another process of it would."""

        async def run() -> T:
            store = await Store.open(self.settings.database)
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(run())


def chat_body(deployment: str, max_tokens: int, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": "Say something."}]
    # A random model would end where it likes.
    return {"model": deployment, "messages": messages, "max_tokens": max_tokens, "ignore_eos": True, **more}


def stream(platform: Platform, deployment: str, max_tokens: int) -> Iterator[dict[str, Any]]:
    """Yield the events of a streamed chat; ends at [DONE] or with the connection."""
    body = chat_body(deployment, max_tokens, stream=True)
    with (
        platform.client as client,
        client.stream("POST", "/inference/v1/chat/completions", json=body) as answer,
    ):
        assert answer.status_code == 200, answer.read()
        for line in answer.iter_lines():
            if line.startswith("data: ") and line != "data: [DONE]":
                yield json.loads(line.removeprefix("data: "))


def start(home: Path) -> Platform:
    settings = Settings(home=home, port=free_port())
    started = local.up(settings)
    return Platform(settings, started.api_key)


def add_models(platform: Platform, folder: Path) -> None:
    tiny = write_random_model(folder / "tiny", context=2048)
    broken = write_random_model(folder / "broken", context=2048)
    for weights in broken.glob("*.safetensors"):
        weights.write_bytes(weights.read_bytes()[:1000])

    async def add(store: Store) -> None:
        for name, path in ((MODEL, tiny), (BROKEN_MODEL, broken)):
            document = {"kind": "HF_BASE_MODEL", "contextLength": 2048}
            row = make_row(name, "READY", at=store.now(), **document)
            row.document = Model().to_document() | row.document
            row.internal["path"] = str(path)
            await store.insert(row)

    platform.store(add)


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
