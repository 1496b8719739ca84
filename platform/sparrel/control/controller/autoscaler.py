"""How many replicas a deployment should have: a pure function of its load, its policy and the clock.

The windows are waiting times: load must stay high for `scaleUpWindow` before replicas are added, low for
`scaleDownWindow` before they are removed, absent for `scaleToZeroWindow` before the last one stops. What
has to be remembered between two looks is a `Memory`, which the caller stores with the deployment, so that
a controller that dies in the middle of a window does not start it again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sparrel.kernel.fields import parse_duration

DEFAULT_SCALE_UP_WINDOW_S = 30.0
DEFAULT_SCALE_DOWN_WINDOW_S = 600.0
DEFAULT_SCALE_TO_ZERO_WINDOW_S = 3600.0
DEFAULT_LOAD_TARGETS = {"default": 0.8}

ACTIVITY_RESOLUTION_S = 10.0
"""`last_active` moves in steps of this, so that a busy deployment is not written at every look."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The bounds and the autoscaling policy of one deployment."""

    min_replicas: int = 0
    max_replicas: int = 1
    """0 keeps the deployment asleep whatever is asked of it."""
    scale_up_window_s: float = DEFAULT_SCALE_UP_WINDOW_S
    scale_down_window_s: float = DEFAULT_SCALE_DOWN_WINDOW_S
    scale_to_zero_window_s: float = DEFAULT_SCALE_TO_ZERO_WINDOW_S
    load_targets: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_LOAD_TARGETS))

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Policy:
        """Read a Deployment document (camelCase)."""
        low = int(document.get("minReplicaCount") or 0)
        high = document.get("maxReplicaCount")
        policy = document.get("autoscalingPolicy") or {}
        return cls(
            min_replicas=low,
            max_replicas=max(low, 1) if high is None else int(high),
            scale_up_window_s=seconds(policy.get("scaleUpWindow"), DEFAULT_SCALE_UP_WINDOW_S),
            scale_down_window_s=seconds(policy.get("scaleDownWindow"), DEFAULT_SCALE_DOWN_WINDOW_S),
            scale_to_zero_window_s=seconds(policy.get("scaleToZeroWindow"), DEFAULT_SCALE_TO_ZERO_WINDOW_S),
            load_targets=policy.get("loadTargets") or DEFAULT_LOAD_TARGETS,
        )

    @property
    def awake(self) -> int:
        """Replicas of a deployment that was just started or woken."""
        return min(max(self.min_replicas, 1), self.max_replicas)


@dataclass(frozen=True, slots=True)
class Load:
    """What a deployment's engines report, summed over its ready replicas."""

    running: int = 0
    waiting: int = 0
    capacity: int = 1
    """Requests that one replica runs at once."""
    tokens_per_s: float = 0.0
    active: bool = False
    """Whether anything was asked since the last look, including what has already been answered."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the windows need to remember; times are seconds since the epoch."""

    above_since: float | None = None
    above_replicas: int | None = None
    """Least number of replicas that load has called for since then."""
    below_since: float | None = None
    below_replicas: int | None = None
    """Greatest number of replicas that load has called for since then."""
    last_active: float | None = None

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Memory:
        known = {name: value for name, value in (stored or {}).items() if name in cls.__slots__}
        return cls(**known)

    def stored(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def wanted(policy: Policy, load: Load) -> int:
    """Return the replicas that the load calls for; of several targets the largest answer wins."""
    answers = [_by_target(name, target, load) for name, target in policy.load_targets.items() if target > 0]
    return max(answers, default=0)


def step(policy: Policy, current: int, load: Load, memory: Memory, now: float) -> tuple[int, Memory]:
    """Return the number of replicas to have from now on, and what to remember."""
    memory = _note_activity(memory, load, now)
    bounded = min(max(current, policy.min_replicas), policy.max_replicas)
    if bounded != current:
        return bounded, _forget(memory)
    if current == 0:
        return 0, _forget(memory)
    if _idle(policy, load, memory, now):
        return 0, _forget(memory)
    goal = min(max(wanted(policy, load), policy.min_replicas, 1), policy.max_replicas)
    if goal > current:
        return _rise(policy, current, goal, memory, now)
    if goal < current:
        return _fall(policy, current, goal, memory, now)
    return current, _forget(memory)


def wake(policy: Policy, memory: Memory, now: float) -> tuple[int, Memory]:
    """Return the replicas for a sleeping deployment that somebody asks for."""
    return policy.awake, replace(_forget(memory), last_active=now)


def seconds(duration: Any, default: float) -> float:
    """Read a duration as documents hold it (`"30s"`)."""
    return parse_duration(duration) if duration else default


def _by_target(name: str, target: float, load: Load) -> int:
    if name == "default":
        return math.ceil((load.running + load.waiting) / (max(load.capacity, 1) * target) - 1e-9)
    if name == "tokens_generated_per_second":
        return math.ceil(load.tokens_per_s / target - 1e-9)
    return 0


def _note_activity(memory: Memory, load: Load, now: float) -> Memory:
    busy = load.active or load.running + load.waiting > 0
    if memory.last_active is None or (busy and now - memory.last_active >= ACTIVITY_RESOLUTION_S):
        return replace(memory, last_active=now)
    return memory


def _idle(policy: Policy, load: Load, memory: Memory, now: float) -> bool:
    if policy.min_replicas > 0 or load.active or load.running + load.waiting > 0:
        return False
    return memory.last_active is not None and now - memory.last_active >= policy.scale_to_zero_window_s


def _rise(policy: Policy, current: int, goal: int, memory: Memory, now: float) -> tuple[int, Memory]:
    since = now if memory.above_since is None else memory.above_since
    least = goal if memory.above_replicas is None else min(goal, memory.above_replicas)
    if now - since >= policy.scale_up_window_s:
        return least, _forget(memory)
    return current, replace(_forget(memory), above_since=since, above_replicas=least)


def _fall(policy: Policy, current: int, goal: int, memory: Memory, now: float) -> tuple[int, Memory]:
    since = now if memory.below_since is None else memory.below_since
    most = goal if memory.below_replicas is None else max(goal, memory.below_replicas)
    if now - since >= policy.scale_down_window_s:
        return most, _forget(memory)
    return current, replace(_forget(memory), below_since=since, below_replicas=most)


def _forget(memory: Memory) -> Memory:
    return Memory(last_active=memory.last_active)
