"""Wait for a sleeping deployment: many requests, one poll, one start."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from sparrel.errors import DeadlineExceeded
from sparrel.inference.gateway.directory import Directory, Replica


class ColdStarts:
    """Shares one polling task per deployment among all requests that wait for it."""

    def __init__(self, directory: Directory, *, poll_interval_s: float, wake_interval_s: float) -> None:
        self._directory = directory
        self._poll_interval_s = poll_interval_s
        self._wake_interval_s = wake_interval_s
        self._polls: dict[str, _Poll] = {}

    async def wait(self, deployment: str, timeout_s: float) -> Sequence[Replica]:
        """Return the first ready replicas; raises what `wake` raises, or DeadlineExceeded."""
        poll = self._polls.get(deployment)
        if poll is None or poll.task.done():
            poll = self._polls[deployment] = _Poll(asyncio.create_task(self._poll(deployment)))
        poll.waiting += 1
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.shield(poll.task)
        except TimeoutError:
            raise DeadlineExceeded(f"The deployment did not start within {timeout_s:.0f} seconds") from None
        finally:
            poll.waiting -= 1
            if not poll.waiting:
                # Nobody is interested any longer, or the answer is here.
                poll.task.cancel()
                if self._polls.get(deployment) is poll:
                    del self._polls[deployment]

    async def _poll(self, deployment: str) -> Sequence[Replica]:
        clock = asyncio.get_running_loop().time
        next_wake = 0.0
        while True:
            if clock() >= next_wake:
                # Said again now and then: the demand stays fresh, and a deployment that fails is noticed.
                await self._directory.wake(deployment)
                next_wake = clock() + self._wake_interval_s
            replicas = await self._directory.replicas(deployment)
            if replicas:
                return replicas
            await asyncio.sleep(self._poll_interval_s)


class _Poll:
    def __init__(self, task: asyncio.Task[Sequence[Replica]]) -> None:
        self.task = task
        self.waiting = 0
