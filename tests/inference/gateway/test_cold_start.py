"""Waiting for a sleeping deployment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sparrel.errors import DeadlineExceeded, Unavailable
from sparrel.inference.gateway import Replica
from sparrel.inference.gateway.cold_start import ColdStarts

READY = Replica("r1", "http://r1")


class Sleeping:
    """A directory whose deployment is ready after so many looks."""

    def __init__(self, looks: float, failure: Exception | None = None) -> None:
        self.looks, self.failure = looks, failure
        self.wakes = self.asked = 0

    async def wake(self, deployment: str) -> None:
        self.wakes += 1
        if self.failure is not None and self.wakes > 1:
            raise self.failure

    async def replicas(self, deployment: str) -> Sequence[Replica]:
        self.asked += 1
        return [READY] if self.asked > self.looks else []


def cold_starts(directory: Sleeping, wake_interval_s: float = 60) -> ColdStarts:
    return ColdStarts(directory, poll_interval_s=0.001, wake_interval_s=wake_interval_s)  # type: ignore[arg-type]


async def test_a_thousand_waiters_share_one_poll_and_one_wake() -> None:
    directory = Sleeping(looks=5)
    starts = cold_starts(directory)
    found = await asyncio.gather(*(starts.wait("d", 30) for _ in range(1000)))
    assert found == [[READY]] * 1000
    assert (directory.wakes, directory.asked) == (1, 6)


async def test_a_deployment_that_fails_while_starting_fails_all_waiters() -> None:
    starts = cold_starts(Sleeping(float("inf"), Unavailable("out of memory")), wake_interval_s=0.005)
    results = await asyncio.gather(*(starts.wait("d", 30) for _ in range(5)), return_exceptions=True)
    assert [str(result) for result in results] == ["out of memory"] * 5


async def test_patience_ends() -> None:
    with pytest.raises(DeadlineExceeded, match="did not start"):
        await cold_starts(Sleeping(float("inf"))).wait("d", 0.02)


async def test_polling_ends_when_the_last_waiter_leaves(eventually: Any) -> None:
    directory = Sleeping(float("inf"))
    starts = cold_starts(directory)
    waiters = [asyncio.create_task(starts.wait("d", 30)) for _ in range(3)]
    await eventually(lambda: directory.asked >= 3)
    waiters[0].cancel()
    asked = directory.asked
    await eventually(lambda: directory.asked >= asked + 3)
    for waiter in waiters[1:]:
        waiter.cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    await eventually(lambda: not [t for t in asyncio.all_tasks() if "ColdStarts._poll" in repr(t.get_coro())])


async def test_a_later_request_starts_a_poll_of_its_own() -> None:
    directory = Sleeping(looks=2)
    starts = cold_starts(directory)
    await starts.wait("d", 30)
    assert await starts.wait("d", 30) == [READY]
    assert directory.wakes == 2
