"""Many clients at once: all are held, all are answered."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from sparrel.bench.data_path import KEY, MODEL


@pytest.fixture
def open_files() -> None:
    """Each connection through the gateway takes four descriptors of this one process."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def hold(data_path: Any, clients: int, eventually: Any) -> list[str]:
    """Open so many streams to a sleeping deployment, wake it, and return how each stream ended."""
    replicas, data_path.directory.replica_list = data_path.directory.replica_list, []
    body = {"model": MODEL, "prompt": "hello", "max_tokens": 2, "stream": True, "ignore_eos": True}
    timeout = aiohttp.ClientTimeout(total=540)
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers) as session:

        async def stream() -> str:
            async with session.post(f"{data_path.base_url}/completions", json=body) as response:
                return (await response.text())[-14:] if response.status == 200 else str(response.status)

        streams = [asyncio.create_task(stream()) for _ in range(clients)]
        try:
            await eventually(lambda: data_path.front.in_flight == clients)
        finally:
            data_path.directory.replica_list = replicas
        return await asyncio.gather(*streams)


async def test_a_thousand_connections_are_held_and_answered(
    data_path: Any, open_files: None, eventually: Callable[..., Any]
) -> None:
    assert set(await hold(data_path, 1000, eventually)) == {"data: [DONE]\n\n"}


@pytest.mark.soak
async def test_ten_thousand_connections_are_held_and_answered(
    data_path: Any, open_files: None, eventually: Callable[..., Any]
) -> None:
    endings = await hold(data_path, 10_000, eventually)
    # The replica takes as many as it is set to and says so to the rest.
    assert set(endings) <= {"data: [DONE]\n\n", "503"}
    assert endings.count("data: [DONE]\n\n") >= 4096
