"""The controller as a detached Ray actor: one per platform, restarted by Ray wherever it dies.

The supervisor imports this module to start the actor; what only the actor needs (the store, the
reconcilers: 60 MiB) is imported when it runs.
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING, Any

import ray

from sparrel import __version__
from sparrel.control.cluster.names import CONTROLLER, NAMESPACE, find_controller
from sparrel.settings import Settings

if TYPE_CHECKING:
    from sparrel.control.controller.loop import Controller
    from sparrel.control.controller.runtime import ReplicaReport
    from sparrel.control.store import Store

RETRY_S = 2.0

ONE_MACHINE = "SPARREL_ONE_MACHINE"
"""Set where no node can join: resources that are missing now stay missing."""

log = logging.getLogger(__name__)


class ControllerActor:
    """Opens the store, sees that the first accounts exist, and runs the controller until it is ended."""

    async def __init__(self) -> None:  # type: ignore[misc]
        _log_to_stderr()
        self._settings = Settings.from_env()
        self._controller: Controller | None = None
        self._started = asyncio.Event()
        self._trouble = ""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(_die)

    def report(self, report: ReplicaReport) -> bool:
        """Take in what a replica says of itself; False while the controller is not up yet."""
        if self._controller is None:
            return False
        self._controller.report(report)
        return True

    def poke(self) -> None:
        """Look at the store now."""
        if self._controller is not None:
            self._controller.poke()

    async def started(self, timeout_s: float) -> str:
        """Wait until the store is open and filled; return what stands in the way, if anything does."""
        try:
            await asyncio.wait_for(self._started.wait(), timeout_s)
        except TimeoutError:
            return self._trouble or "The controller is still starting."
        return ""

    def identity(self) -> tuple[str, int]:
        """Return the version of the code it runs, and its process id."""
        return __version__, os.getpid()

    async def _run(self) -> None:
        from sparrel.control.cluster.ray_runtime import RayRuntime
        from sparrel.control.controller.loop import Controller, ControllerSettings
        from sparrel.control.controller.reconciler import Limits

        store = await self._open_store()
        limits = Limits(placement_s=10.0) if os.environ.get(ONE_MACHINE) else Limits()
        holder = f"{os.uname().nodename}-{os.getpid()}-{os.urandom(4).hex()}"
        settings = ControllerSettings(limits=limits)
        self._controller = Controller(store, RayRuntime(), holder=holder, settings=settings)
        self._started.set()
        await self._controller.run()

    async def _open_store(self) -> Store:
        from sparrel.control.bootstrap import bootstrap
        from sparrel.control.store import Store

        while True:
            try:
                store = await Store.open(self._settings.database)
                await bootstrap(store, self._settings)
                return store
            except Exception as error:
                self._trouble = f"The store cannot be opened: {error}"
                log.exception("The store cannot be opened; trying again.")
                await asyncio.sleep(RETRY_S)


def start_controller() -> Any:
    """Return the platform's controller, started if there is none of this build."""
    try:
        running = find_controller()
        if ray.get(running.identity.remote(), timeout=30)[0] == __version__:
            return running
        # A detached actor keeps the code it was started with.
        ray.kill(running, no_restart=True)
    except (ValueError, ray.exceptions.RayActorError):
        pass
    actor = ray.remote(ControllerActor)
    return actor.options(
        name=CONTROLLER,
        namespace=NAMESPACE,
        lifetime="detached",
        get_if_exists=True,
        max_restarts=-1,
        num_cpus=0,
        max_concurrency=1000,
        resources=_on_head(),
    ).remote()


def _on_head() -> dict[str, float]:
    """Pin the controller to the head node, where a store in a file is."""
    return {"node:__internal_head__": 0.001}


def _die(task: asyncio.Task[None]) -> None:
    """End the process when the loop has ended: Ray starts a new one."""
    if not task.cancelled() and task.exception() is not None:
        log.error("The controller ended; its process is restarted.", exc_info=task.exception())
    os._exit(1)


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
