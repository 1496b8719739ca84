"""Replica groups as Ray Serve applications: one application per deployment, named after it."""

from __future__ import annotations

import asyncio
import hashlib
import importlib
from collections.abc import Callable, Mapping
from typing import Any

import ray

from sparrel.control.cluster import serve_internals
from sparrel.control.cluster.serve_internals import AppView
from sparrel.control.controller.runtime import Observation, Phase, ReplicaGroupSpec

PREFIX = "dep:"
PHASES = {
    "NOT_STARTED": Phase.STARTING,
    "DEPLOYING": Phase.STARTING,
    "RUNNING": Phase.RUNNING,
    # A replica failed its health check or died; Serve is replacing it.
    "UNHEALTHY": Phase.STARTING,
    "DEPLOY_FAILED": Phase.FAILED,
    "DELETING": Phase.STOPPING,
}


class RayRuntime:
    """Runtime on the Serve of the Ray cluster that this process is connected to."""

    def __init__(self, builder: str = "serve_apps.llm:build") -> None:
        self._builder = builder
        """`module:function` that turns a spec into a Serve application's single deployment, bound."""
        self._needs: dict[str, dict[str, float]] = {}

    async def observe(self) -> Mapping[str, Observation]:
        views = await serve_internals.applications(PREFIX)
        cluster: Mapping[str, float] = {}
        if any(view.replica_states.get("STARTING") for view in views.values()):
            cluster = await asyncio.to_thread(ray.cluster_resources)
        return {deployment_of(name): self._observation(view, cluster) for name, view in views.items()}

    async def apply(self, spec: ReplicaGroupSpec, replicas: int) -> None:
        await asyncio.to_thread(self._deploy, spec, replicas)

    async def scale(self, deployment: str, replicas: int) -> None:
        await serve_internals.scale(app_name(deployment), serve_name(deployment), replicas)

    async def remove(self, deployment: str) -> None:
        await serve_internals.delete(app_name(deployment))

    def _deploy(self, spec: ReplicaGroupSpec, replicas: int) -> None:
        build = _load(self._builder)
        application, needs = build(spec, name=serve_name(spec.deployment), replicas=replicas)
        self._needs[spec.deployment] = needs
        serve_internals.deploy(application, app_name(spec.deployment))

    def _observation(self, view: AppView, cluster: Mapping[str, float]) -> Observation:
        deployment = deployment_of(view.name)
        return Observation(
            deployment=deployment,
            fingerprint=view.version,
            phase=PHASES.get(view.status, Phase.STARTING),
            target_replicas=view.target_replicas,
            running_replicas=view.replica_states.get("RUNNING", 0),
            message=view.message,
            unplaced=self._unplaced(deployment, view, cluster),
        )

    def _unplaced(self, deployment: str, view: AppView, cluster: Mapping[str, float]) -> str:
        """Say which resources a starting replica waits for, if the whole cluster lacks them."""
        if not view.replica_states.get("STARTING") or not cluster:
            return ""
        lacking = [
            f"{amount:g} {name} (the cluster has {cluster.get(name, 0):g})"
            for name, amount in self._needs.get(deployment, {}).items()
            if cluster.get(name, 0) < amount
        ]
        return f"A replica needs {', '.join(lacking)}." if lacking else ""


def app_name(deployment: str) -> str:
    """Return the Serve application's name; it holds the deployment's, so that nothing need be stored."""
    return PREFIX + deployment


def deployment_of(app: str) -> str:
    return app.removeprefix(PREFIX)


def serve_name(deployment: str) -> str:
    """Return a name for the Serve deployment that people recognise in `ray status` and in logs."""
    digest = hashlib.sha256(deployment.encode()).hexdigest()[:6]
    return f"{deployment.rpartition('/')[2]}-{digest}"


def _load(path: str) -> Callable[..., Any]:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
