"""Model servers in processes of their own, killed at the worst moment."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import openai
import psutil
import pytest

from sparrel.bench.data_path import KEY, MODEL, SECRET, Part, running
from sparrel.inference.gateway.affinity import affinity_key
from sparrel.inference.gateway.balancer import Balancer
from sparrel.inference.gateway.directory import Replica


@pytest.fixture
def server(model_folder: Path) -> Iterator[Part]:
    with running("model", str(model_folder)) as part:
        yield part


@pytest.fixture
def servers(model_folder: Path) -> Iterator[list[Part]]:
    """Two, started at the same time."""
    both = [running("model", str(model_folder)) for _ in range(2)]
    with ThreadPoolExecutor() as threads, ExitStack() as stack:
        starting = [threads.submit(stack.enter_context, part) for part in both]
        yield [part.result() for part in starting]


def client(gateway: Part) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{gateway.address}/inference/v1", api_key=KEY, max_retries=0, timeout=60)


def state(server: Part) -> dict[str, int]:
    response = httpx.get(f"{server.address}/internal/state", headers={"x-sparrel-secret": SECRET})
    return dict(response.json())


def chosen_first(servers: list[Part]) -> Part:
    """The replica that the gateway's first request goes to."""
    replicas = [Replica(f"replica-{i}", server.address, capacity=32) for i, server in enumerate(servers)]
    key = affinity_key({"headers": []}, {}, session_affinity=False)
    first = Balancer().choose(replicas, key)
    return servers[replicas.index(first)]


def test_a_killed_replica_breaks_its_streams_loudly_and_later_requests_not_at_all(
    servers: list[Part],
) -> None:
    with running("gateway", *(server.address for server in servers)) as gateway:
        options: Any = {
            "model": MODEL,
            "prompt": "hello",
            "max_tokens": 200,
            "extra_body": {"ignore_eos": True},
        }
        stream = client(gateway).completions.create(**options, stream=True)
        next(iter(stream))
        os.kill(chosen_first(servers).pid, signal.SIGKILL)
        with pytest.raises(openai.APIError, match="stopped in the middle"):
            list(stream)
        for _ in range(6):
            assert client(gateway).completions.create(**options).usage.completion_tokens == 200


def test_a_killed_ingress_ends_its_streams_with_an_exception_and_frees_the_engine(
    server: Part, until: Callable[..., None]
) -> None:
    with running("gateway", server.address) as gateway:
        options: Any = {
            "model": MODEL,
            "prompt": "hello",
            "max_tokens": 200,
            "extra_body": {"ignore_eos": True},
        }
        stream = client(gateway).completions.create(**options, n=8, stream=True)
        next(iter(stream))
        os.kill(gateway.pid, signal.SIGKILL)
        with pytest.raises((openai.APIError, httpx.TransportError)):
            list(stream)
    until(lambda: state(server)["running"] == 0)


def test_what_has_not_begun_moves_to_another_replica_unseen(
    servers: list[Part], until: Callable[..., None]
) -> None:
    with (
        running("gateway", *(server.address for server in servers)) as gateway,
        ThreadPoolExecutor() as threads,
    ):
        first = chosen_first(servers)
        other = next(server for server in servers if server is not first)
        before = state(other)["requests_total"]
        os.kill(first.pid, signal.SIGSTOP)  # the kernel accepts for it, and nothing ever comes back
        answer = threads.submit(lambda: stream_text(gateway))
        until(lambda: connected(gateway, first))
        os.kill(first.pid, signal.SIGKILL)
        text = answer.result(timeout=60)
        assert text.endswith("data: [DONE]\n\n")
        assert "error" not in text
        assert state(other)["requests_total"] == before + 1


def stream_text(gateway: Part) -> str:
    body = {"model": MODEL, "prompt": "hello", "max_tokens": 3, "stream": True}
    headers = {"authorization": f"Bearer {KEY}"}
    return httpx.post(f"{gateway.address}/v1/completions", json=body, headers=headers, timeout=60).text


def connected(gateway: Part, server: Part) -> bool:
    port = urlsplit(server.address).port
    connections = psutil.Process(gateway.pid).net_connections("tcp")
    return any(connection.raddr and connection.raddr.port == port for connection in connections)
