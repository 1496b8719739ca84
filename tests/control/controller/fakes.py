"""A cluster in memory that behaves like the real one: what is asked of it shows later, in observations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from sparrel.control.controller.runtime import (
    Observation,
    Phase,
    ReplicaGroupSpec,
    ReplicaReport,
    fingerprint,
)


@dataclass
class Group:
    spec: ReplicaGroupSpec
    target: int
    replicas: list[str] = field(default_factory=list)
    """Ids of running replicas."""
    applied: int = 1


class MemoryRuntime:
    """Starts replicas when the test says that time passes (`settle`)."""

    def __init__(self) -> None:
        self.groups: dict[str, Group] = {}
        self.calls: list[tuple[str, str]] = []
        self.broken: set[str] = set()
        """Model URIs that cannot be loaded."""
        self.unplaceable: set[str] = set()
        self._born = 0
        self.before_call: Callable[[], Awaitable[None]] | None = None

    async def observe(self) -> Mapping[str, Observation]:
        await self._pause()
        return {name: self._observation(name, group) for name, group in self.groups.items()}

    async def apply(self, spec: ReplicaGroupSpec, replicas: int) -> None:
        await self._pause()
        self.calls.append(("apply", spec.deployment))
        known = self.groups.get(spec.deployment)
        if known is None:
            self.groups[spec.deployment] = Group(spec, replicas)
        elif known.spec != spec:
            self.groups[spec.deployment] = Group(spec, replicas, applied=known.applied + 1)
        else:
            known.target = replicas

    async def scale(self, deployment: str, replicas: int) -> None:
        await self._pause()
        self.calls.append(("scale", deployment))
        self.groups[deployment].target = replicas

    async def remove(self, deployment: str) -> None:
        await self._pause()
        self.calls.append(("remove", deployment))
        self.groups.pop(deployment, None)

    def settle(self) -> list[ReplicaReport]:
        """Start and stop what was asked for; return what the living replicas report."""
        reports = []
        for name, group in self.groups.items():
            if group.spec.model_uri in self.broken and group.target:
                reports.append(
                    ReplicaReport(f"{name}/bad", name, "", Phase.FAILED, message="no tensor lm_head")
                )
                continue
            del group.replicas[group.target :]
            while len(group.replicas) < group.target and group.spec.model_uri not in self.unplaceable:
                self._born += 1
                group.replicas.append(f"{name}/{self._born}")
            reports += [
                ReplicaReport(r, name, f"http://{r}", Phase.RUNNING, capacity=4) for r in group.replicas
            ]
        return reports

    def _observation(self, name: str, group: Group) -> Observation:
        running = len(group.replicas)
        return Observation(
            deployment=name,
            fingerprint=fingerprint(group.spec),
            phase=Phase.RUNNING if running == group.target else Phase.STARTING,
            target_replicas=group.target,
            running_replicas=running,
            unplaced="A replica needs 8 GPU." if group.spec.model_uri in self.unplaceable else "",
        )

    async def _pause(self) -> None:
        if self.before_call is not None:
            await self.before_call()
