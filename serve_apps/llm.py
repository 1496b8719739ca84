"""One replica of a language model: the engine, the model server beside it, and its reports.

Requests reach the model server over plain HTTP on the node's address, not through Serve: a token that
crosses a Ray handle costs more than one that the engine makes. Serve places, watches and replaces replicas.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from typing import Any

import ray
import yaml
from ray import serve

from sparrel.control.cluster.fetch import FetchFailed, local_folder
from sparrel.control.cluster.layout import Layout
from sparrel.control.cluster.reporter import Reporter
from sparrel.control.cluster.serve_internals import confine_replica, versioned
from sparrel.control.controller.runtime import ReplicaGroupSpec, fingerprint
from sparrel.settings import Settings, configs_dir

CPU_SHARE = 0.1
"""Of a core, by Ray's books: a laptop fits several models, which share its cores."""
GPU_HOST_CPUS = 1.0
DRAIN_S = 60.0
REMOVAL_S = 60.0

log = logging.getLogger(__name__)


class LLMReplica:
    async def __init__(self, spec: ReplicaGroupSpec, secret: str) -> None:  # type: ignore[misc]
        # The controller imports this module to deploy it, and has no use for torch.
        from sparrel.engine import AsyncEngine, EngineConfig, ModelLoadError
        from sparrel.inference.server import ModelInfo, create_model_server
        from sparrel.inference.server import serve as serve_http

        confine_replica()
        _log_to_stderr()
        replica = serve.get_replica_context().replica_id.unique_id
        self._reporter = Reporter(replica, spec.deployment, on_death=_end_process)
        try:
            folder = await asyncio.to_thread(local_folder, spec.model_uri, Settings.from_env())
            self._engine = AsyncEngine(EngineConfig(model=folder, num_threads=_threads(spec), **spec.engine))
            await self._engine.start()
            info = ModelInfo.load(spec.model_info, folder)
            self._server = create_model_server(self._engine, folder, info, secret)
        except (ModelLoadError, FetchFailed, ValueError, OSError) as error:
            await self._give_up(error)
        self._http = await serve_http(self._server, ray.util.get_node_ip_address())
        await self._reporter.running(self._http.address, self._server.state)
        log.info("%s serves %s at %s", replica, spec.model, self._http.address)

    def check_health(self) -> None:
        """Raise when the engine is dead."""
        self._server.state()

    async def __del__(self) -> None:
        """Leave in good order: no new requests, then the running ones to their end."""
        self._server.drain()
        await self._reporter.stopping()
        await self._http.stop(DRAIN_S)
        await self._engine.shutdown()

    async def _give_up(self, error: Exception) -> None:
        """Report that another try would fail the same way; the controller then removes the group."""
        log.error("The model cannot be served: %s", error)
        await self._reporter.failed(str(error))
        await asyncio.sleep(REMOVAL_S)
        raise error


def build(spec: ReplicaGroupSpec, name: str, replicas: int) -> tuple[Any, dict[str, float]]:
    """Return the bound Serve deployment of a group, and the resources that one replica needs."""
    options = _resources(spec)
    deployment: Any = serve.deployment(LLMReplica)
    deployment = deployment.options(
        name=name,
        num_replicas=replicas,
        ray_actor_options=options,
        health_check_period_s=2,
        health_check_timeout_s=30,
        graceful_shutdown_timeout_s=DRAIN_S + 5,
        # The old replicas serve until the new ones do, where there is room for both.
        max_surge_percent=0 if spec.accelerator_type else 100,
    )
    secret = Layout(Settings.from_env()).secret.read_text()
    return versioned(deployment, fingerprint(spec)).bind(spec, secret), _needs(options)


def _resources(spec: ReplicaGroupSpec) -> dict[str, Any]:
    if not spec.accelerator_type:
        return {"num_cpus": CPU_SHARE}
    kinds = yaml.safe_load((configs_dir() / "accelerators.yaml").read_text())
    return {
        "num_cpus": GPU_HOST_CPUS,
        "num_gpus": spec.accelerator_count,
        "accelerator_type": kinds[spec.accelerator_type]["ray"],
    }


def _needs(options: dict[str, Any]) -> dict[str, float]:
    needs = {"CPU": options["num_cpus"]}
    if "num_gpus" in options:
        needs |= {"GPU": options["num_gpus"], f"accelerator_type:{options['accelerator_type']}": 0.001}
    return needs


def _threads(spec: ReplicaGroupSpec) -> int | None:
    """Give the engine all the cores: Ray would allow a replica with a small share only one thread."""
    return None if spec.accelerator_type else len(os.sched_getaffinity(0))


def _end_process(error: Exception) -> None:
    """A replica without an engine is of no use: end it, and Serve starts another."""
    log.error("The engine has died: %s", error)
    threading.Timer(0.2, os._exit, (1,)).start()


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
