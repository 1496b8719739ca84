"""The one protocol between the controller and whatever runs model replicas.

`control/cluster/` implements it on Ray Serve; the controller's tests implement it in memory.
All calls are idempotent and return quickly: long work shows up in later observations.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Protocol


class Phase(StrEnum):
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    FAILED = "FAILED"
    STOPPING = "STOPPING"


@dataclass(frozen=True, slots=True)
class ReplicaGroupSpec:
    """Everything that decides what one replica runs; a change of it means new replicas."""

    deployment: str
    """Full resource name; the runtime derives its own application name from it."""
    model: str
    """Full name of the base model."""
    model_uri: str
    """Where the weights are: a local folder or an fsspec URL."""
    accelerator_type: str = ""
    """Empty: CPU."""
    accelerator_count: int = 0
    world_size: int = 1
    engine: Mapping[str, Any] = field(default_factory=dict)
    """Options of EngineConfig that differ from its defaults."""
    model_info: Mapping[str, Any] = field(default_factory=dict)
    """What the model server needs of the Model resource: context length, template, tool support…"""


def fingerprint(spec: ReplicaGroupSpec) -> str:
    """Return a short name of the spec's content: equal for equal specs, in any process."""
    text = json.dumps(asdict(spec), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Observation:
    """One replica group as the runtime sees it now."""

    deployment: str
    fingerprint: str
    """`fingerprint(spec)` of the spec last applied."""
    phase: Phase
    target_replicas: int
    running_replicas: int
    message: str = ""
    unplaced: str = ""
    """Why some replicas found no place on the cluster; empty when all have one."""


class Runtime(Protocol):
    async def observe(self) -> Mapping[str, Observation]:
        """Return every group this platform owns, by deployment name, orphans included."""

    async def apply(self, spec: ReplicaGroupSpec, replicas: int) -> None:
        """Make the group exist with this spec; a changed spec rolls its replicas over."""

    async def scale(self, deployment: str, replicas: int) -> None:
        """Change the number of replicas without touching the healthy ones."""

    async def remove(self, deployment: str) -> None:
        """Stop the group; an absent one is success."""


@dataclass(frozen=True, slots=True)
class ReplicaReport:
    """What a replica tells the controller about once a second."""

    replica: str
    """Unique id of this incarnation."""
    deployment: str
    address: str
    phase: Phase
    running: int = 0
    waiting: int = 0
    capacity: int = 1
    requests_total: int = 0
    generated_tokens_total: int = 0
    message: str = ""
    """Why it failed, when it did."""
