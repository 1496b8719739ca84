"""Get a request to a replica that answers: wait, choose, send, and send again while nothing has come back."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from sparrel.errors import BadGateway, Unavailable
from sparrel.inference.asgi import ELSEWHERE_HEADER
from sparrel.inference.gateway.balancer import Balancer
from sparrel.inference.gateway.cold_start import ColdStarts
from sparrel.inference.gateway.directory import Directory, Replica
from sparrel.inference.gateway.settings import GatewaySettings
from sparrel.inference.gateway.upstream import Broken, Unreachable, Upstream

_AVOID_S = 1.0
"""A replica that just failed is tried again after this long, if it is still listed."""


@dataclass(slots=True)
class Errand:
    """One request to deliver, and what has gone wrong with it so far."""

    deployment: str
    path: str
    body: bytes
    headers: dict[str, str]
    affinity: bytes | None
    before_wake: Callable[[], object]
    """Called before a sleeping deployment is woken; raises when the request is not worth it."""
    breaks: int = 0
    failed_at: dict[str, float] = field(default_factory=dict)
    first_failure: float = math.inf

    def failed(self, replica: Replica) -> None:
        self.failed_at[replica.id] = _now()
        self.first_failure = min(self.first_failure, _now())


class Dispatcher:
    def __init__(self, directory: Directory, upstream: Upstream, settings: GatewaySettings) -> None:
        self._directory = directory
        self._upstream = upstream
        self._settings = settings
        self._balancer = Balancer()
        self._cold_starts = ColdStarts(
            directory,
            poll_interval_s=settings.poll_interval_s,
            wake_interval_s=settings.wake_interval_s,
        )

    @asynccontextmanager
    async def deliver(self, errand: Errand) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield a replica's response; the replica counts the request until the block is left.

        After a replica's 503 others are tried. When there are none, a full replica's answer is passed on,
        while a leaving replica's successor is waited for.
        """
        async with AsyncExitStack() as stack:
            yield await self._find_answer(errand, stack)

    async def _find_answer(self, errand: Errand, stack: AsyncExitStack) -> aiohttp.ClientResponse:
        while True:
            replicas = await self._usable(errand)
            replica = self._balancer.choose(replicas, errand.affinity)
            attempt = AsyncExitStack()
            try:
                response = await self._send(errand, replica, attempt)
            except (Unreachable, Broken) as failure:
                await attempt.aclose()
                self._note(errand, replica, failure)
                continue
            except BaseException:
                await attempt.aclose()
                raise
            leaving = ELSEWHERE_HEADER in response.headers
            if response.status != 503 or (len(replicas) == 1 and not leaving):
                stack.push_async_exit(attempt)
                return response
            await attempt.aclose()
            errand.failed(replica)

    async def _send(
        self, errand: Errand, replica: Replica, attempt: AsyncExitStack
    ) -> aiohttp.ClientResponse:
        attempt.enter_context(self._balancer.lease(replica))
        url = replica.address + errand.path
        return await attempt.enter_async_context(self._upstream.post(url, errand.body, errand.headers))

    def _note(self, errand: Errand, replica: Replica, failure: Exception) -> None:
        errand.failed(replica)
        if isinstance(failure, Broken):
            # It may be this very request that breaks replicas, so it does not get to try them all.
            errand.breaks += 1
            if errand.breaks > self._settings.max_resends:
                raise BadGateway("The model's replicas broke off before answering")

    async def _usable(self, errand: Errand) -> Sequence[Replica]:
        """Return replicas worth trying, waiting for a cold start or for unreachable ones to recover."""
        while True:
            replicas = await self._directory.replicas(errand.deployment)
            if not replicas:
                errand.before_wake()
                timeout_s = self._settings.cold_start_timeout_s
                replicas = await self._cold_starts.wait(errand.deployment, timeout_s)
            avoided_until = _now() - _AVOID_S
            usable = [r for r in replicas if errand.failed_at.get(r.id, -_AVOID_S) <= avoided_until]
            if usable:
                return usable
            if _now() - errand.first_failure >= self._settings.recovery_timeout_s:
                raise Unavailable("No replica of this model can be reached", retry_after_s=5)
            await asyncio.sleep(self._settings.poll_interval_s)


def _now() -> float:
    return asyncio.get_running_loop().time()
