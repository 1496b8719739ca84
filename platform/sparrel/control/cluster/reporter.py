"""A replica's reports to the controller: every second, and at once when something changes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ray.exceptions import RayError

from sparrel.control.cluster.names import find_controller
from sparrel.control.controller.runtime import Phase, ReplicaReport

PERIOD_S = 1.0
CALL_TIMEOUT_S = 5.0

log = logging.getLogger(__name__)


class Reporter:
    """Tells the controller about one replica until it is stopped.

    `measure` returns the load; what it raises ends the reports with `on_death`.
    """

    def __init__(self, replica: str, deployment: str, on_death: Callable[[Exception], None]) -> None:
        self._report = ReplicaReport(replica, deployment, address="", phase=Phase.STARTING)
        self._on_death = on_death
        self._measure: Callable[[], Mapping[str, int]] = dict
        self._controller: Any = None
        self._task = asyncio.create_task(self._run())

    async def running(self, address: str, measure: Callable[[], Mapping[str, int]]) -> None:
        self._measure = measure
        await self._say(replace(self._report, address=address, phase=Phase.RUNNING))

    async def failed(self, reason: str) -> None:
        """Say why the replica cannot start; repeats it until the controller has heard."""
        self._task.cancel()
        report = replace(self._report, phase=Phase.FAILED, message=reason)
        while True:
            if await self._say(report):
                return
            await asyncio.sleep(PERIOD_S)

    async def stopping(self) -> None:
        self._task.cancel()
        await self._say(replace(self._report, phase=Phase.STOPPING, running=0, waiting=0))

    async def _run(self) -> None:
        while True:
            try:
                load: Mapping[str, Any] = self._measure()
            except Exception as error:
                self._on_death(error)
                return
            await self._say(replace(self._report, **load))
            await asyncio.sleep(PERIOD_S)

    async def _say(self, report: ReplicaReport) -> bool:
        """Send one report; a controller that is being restarted misses it and gets the next."""
        self._report = report
        with contextlib.suppress(RayError, TimeoutError, ValueError):
            if self._controller is None:
                self._controller = await asyncio.to_thread(find_controller)
            return bool(await asyncio.wait_for(_result(self._controller, report), CALL_TIMEOUT_S))
        return False


async def _result(controller: Any, report: ReplicaReport) -> Any:
    return await controller.report.remote(report)
