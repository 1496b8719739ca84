"""Closed-loop HTTP load, and what a server process spent on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import psutil


@dataclass(frozen=True, slots=True)
class Load:
    """What a burst of requests cost. CPU seconds are the server's, which neighbours disturb least."""

    requests: int
    wall_s: float
    cpu_s: float

    @property
    def cpu_ms_per_request(self) -> float:
        return 1000 * self.cpu_s / self.requests

    @property
    def per_second(self) -> float:
        return self.requests / self.wall_s


def cpu_seconds(pid: int) -> float:
    """Return user plus system time of a process, all threads."""
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def get_many(url: str, *, pid: int, requests: int, clients: int, headers: Mapping[str, str]) -> Load:
    """GET `url` `requests` times from `clients` concurrent loops; every answer must be 200."""
    return asyncio.run(_get_many(url, pid, requests, clients, headers))


async def _get_many(url: str, pid: int, requests: int, clients: int, headers: Mapping[str, str]) -> Load:
    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector, headers=dict(headers)) as session:

        async def loop(count: int) -> None:
            for _ in range(count):
                async with session.get(url) as response:
                    await response.read()
                    response.raise_for_status()

        await loop(10)  # connections, caches and lazy imports are not what is measured
        cpu, start = cpu_seconds(pid), time.perf_counter()
        await asyncio.gather(*(loop(requests // clients) for _ in range(clients)))
        wall = time.perf_counter() - start
        return Load(requests // clients * clients, wall, cpu_seconds(pid) - cpu)
