"""One deployment, one look: what its row says, what the runtime shows, and the one step that follows.

`decide` is a pure function. The controller writes its outcome under the row's version and only then asks
the runtime for the effect, so a death in between costs nothing: the next look finds the stored target and
an observation that differs from it, and decides the same effect again.

    CREATING ──▶ READY ◀──▶ UPDATING      any of them ──(cannot be served)──▶ FAILED ──(new spec)──▶ CREATING
    any ──DELETE, expiry, disuse──▶ DELETING ──▶ DELETED ──(purge time)──▶ gone
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sparrel.control.controller import autoscaler
from sparrel.control.controller.autoscaler import Load, Memory, Policy
from sparrel.control.controller.runtime import (
    Observation,
    Phase,
    ReplicaGroupSpec,
    ReplicaReport,
    fingerprint,
)
from sparrel.control.controller.specs import NotServable
from sparrel.kernel.fields import format_timestamp, parse_timestamp

AUTO_DELETE_S = 7 * 24 * 3600
PURGE_AFTER_S = 7 * 24 * 3600
LAST_USED_RESOLUTION_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the controller waits before it calls something a failure."""

    placement_s: float = 900.0
    """For resources that the cluster does not have yet (a node may be on its way)."""
    model_s: float = 3600.0
    """For the base model to become READY."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a decision about one deployment may depend on."""

    state: str
    document: Mapping[str, Any]
    internal: Mapping[str, Any]
    spec: ReplicaGroupSpec | NotServable
    seen: Observation | None
    reports: Sequence[ReplicaReport] = ()
    """Of its replicas that are alive, by their latest word."""
    load: Load = field(default_factory=Load)
    demand: float | None = None
    """When somebody last asked for it in its sleep."""
    now: float = 0.0

    @property
    def ready(self) -> int:
        return sum(report.phase is Phase.RUNNING for report in self.reports)


@dataclass(frozen=True, slots=True)
class Apply:
    spec: ReplicaGroupSpec
    replicas: int


@dataclass(frozen=True, slots=True)
class Scale:
    replicas: int


@dataclass(frozen=True, slots=True)
class Remove:
    pass


Effect = Apply | Scale | Remove


@dataclass(frozen=True, slots=True)
class Outcome:
    """The row as it should be, and what to ask of the runtime once it is."""

    state: str
    document: dict[str, Any]
    internal: dict[str, Any]
    effect: Effect | None = None
    purge: bool = False
    """The row itself goes."""


def decide(scene: Scene, limits: Limits = Limits()) -> Outcome:
    """Return the next step for one deployment; calling it again after that step changes nothing."""
    if scene.state == "DELETING":
        return _delete(scene)
    if scene.state == "DELETED":
        return _purge(scene)
    reason = _why_delete(scene)
    if reason:
        return _outcome(scene, "DELETING", message=reason)
    if scene.state == "FAILED" and not _changed_since_failure(scene):
        return _outcome(scene, "FAILED", effect=Remove() if scene.seen else None, keep_status=True)
    failure = _failure(scene, limits)
    if failure:
        return _fail(scene, *failure)
    return _serve(scene)


def _delete(scene: Scene) -> Outcome:
    if scene.seen is not None:
        return _outcome(scene, "DELETING", effect=Remove(), keep_status=True)
    if scene.internal.get("hard"):
        return _outcome(scene, "DELETED", purge=True)
    changes = {
        "deleteTime": _timestamp(scene.now),
        "purgeTime": scene.document.get("purgeTime") or _timestamp(scene.now + PURGE_AFTER_S),
    }
    return _outcome(scene, "DELETED", changes=changes, keep_status=True)


def _purge(scene: Scene) -> Outcome:
    due = _epoch(scene.document.get("purgeTime"))
    purge = bool(scene.internal.get("hard")) or (due is not None and scene.now >= due)
    effect = Remove() if scene.seen is not None else None
    return _outcome(scene, "DELETED", effect=effect, purge=purge and effect is None, keep_status=True)


def _why_delete(scene: Scene) -> str:
    expiry = _epoch(scene.document.get("expireTime"))
    if expiry is not None and scene.now >= expiry:
        return "Its expire time has passed."
    stored = scene.internal.get("autoDeleteSeconds")
    unused_s = AUTO_DELETE_S if stored is None else float(stored)
    if unused_s <= 0 or int(scene.document.get("minReplicaCount") or 0) > 0:
        return ""
    used = scene.internal.get("lastUsedTime") or _epoch(scene.document.get("createTime"))
    if used is not None and scene.now - used >= unused_s:
        return f"It was not used for {unused_s:g} seconds."
    return ""


def _changed_since_failure(scene: Scene) -> bool:
    failed = scene.internal.get("failure") or {}
    if isinstance(scene.spec, NotServable):
        return False
    return bool(failed) and failed.get("fingerprint") != fingerprint(scene.spec)


def _failure(scene: Scene, limits: Limits) -> tuple[str, str] | None:
    """Return the gRPC code and the reason when this deployment cannot be served as it is."""
    if isinstance(scene.spec, NotServable):
        waited = _waited(scene, limits.model_s)
        return (scene.spec.code, str(scene.spec)) if scene.spec.final or waited else None
    for report in scene.reports:
        if report.phase is Phase.FAILED:
            return "FAILED_PRECONDITION", report.message
    if scene.seen is None or scene.seen.fingerprint != fingerprint(scene.spec):
        return None
    if scene.seen.phase is Phase.FAILED:
        return "INTERNAL", scene.seen.message
    if scene.seen.unplaced and scene.ready == 0 and _waited(scene, limits.placement_s):
        return "RESOURCE_EXHAUSTED", scene.seen.unplaced
    return None


def _waited(scene: Scene, limit_s: float) -> bool:
    since = scene.internal.get("loadingSince")
    return since is not None and scene.now - since >= limit_s


def _fail(scene: Scene, code: str, message: str) -> Outcome:
    failed = None if isinstance(scene.spec, NotServable) else fingerprint(scene.spec)
    return _outcome(
        scene,
        "FAILED",
        code=code,
        message=message,
        internal={"failure": {"fingerprint": failed}, "loadingSince": None, "target": None},
        changes={"desiredReplicaCount": 0},
        effect=Remove() if scene.seen else None,
        running=0,
    )


def _serve(scene: Scene) -> Outcome:
    policy = Policy.of(scene.document)
    target, internal = _target(scene, policy)
    changes = {"desiredReplicaCount": target}
    if isinstance(scene.spec, NotServable):
        internal["loadingSince"] = scene.internal.get("loadingSince") or scene.now
        return _outcome(scene, "CREATING", message=str(scene.spec), internal=internal, changes=changes)
    state, message = _progress(scene, policy, target, scene.spec)
    starting = target > 0 and scene.ready == 0
    internal["loadingSince"] = (scene.internal.get("loadingSince") or scene.now) if starting else None
    internal["failure"] = None
    return _outcome(
        scene,
        state,
        message=message,
        internal=internal,
        changes=changes,
        effect=_effect(scene, scene.spec, target),
    )


def _target(scene: Scene, policy: Policy) -> tuple[int, dict[str, Any]]:
    """Return the wanted replicas, and what to store about them."""
    memory = Memory.of(scene.internal.get("autoscaler"))
    stored = scene.internal.get("target")
    chosen = scene.internal.get("desiredReplicas")
    asked = scene.demand is not None
    current = policy.awake if stored is None else int(stored)
    if chosen is not None and chosen != scene.internal.get("chosen"):
        # NOTE: `:scale` may go below the minimum, down to sleep; it holds until load or demand moves it.
        current = min(int(chosen), policy.max_replicas)
        target, memory = current, Memory(last_active=scene.now)
    elif current == 0 and asked:
        target, memory = autoscaler.wake(policy, memory, scene.now)
    elif chosen is not None and current == chosen < policy.min_replicas:
        target = current
    else:
        target, memory = autoscaler.step(policy, current, scene.load, memory, scene.now)
    internal = {"target": target, "autoscaler": memory.stored(), "chosen": chosen}
    used = scene.internal.get("lastUsedTime") or 0.0
    if (asked or scene.load.active or scene.load.running) and scene.now - used >= LAST_USED_RESOLUTION_S:
        internal["lastUsedTime"] = scene.now
    return target, internal


def _progress(scene: Scene, policy: Policy, target: int, spec: ReplicaGroupSpec) -> tuple[str, str]:
    """Return the state and what to say about it."""
    seen = scene.seen
    current = seen is not None and seen.fingerprint == fingerprint(spec)
    settled = current and seen is not None and seen.phase is Phase.RUNNING
    waiting = (
        seen.unplaced
        if seen is not None and seen.unplaced
        else f"Starting {target} replica{'s' if target != 1 else ''}."
    )
    if scene.state in ("CREATING", "FAILED", "STATE_UNSPECIFIED"):
        needed = min(target, max(policy.min_replicas, 1))
        if target == 0 or (current and scene.ready >= needed):
            return "READY", ""
        return "CREATING", waiting
    if seen is not None and not current:
        return "UPDATING", "Replacing replicas after a change."
    if scene.state == "UPDATING":
        rolled = target == 0 or (settled and scene.ready > 0)
        return ("READY", "") if rolled else ("UPDATING", waiting)
    return "READY", waiting if target > 0 and scene.ready == 0 else ""


def _effect(scene: Scene, spec: ReplicaGroupSpec, target: int) -> Effect | None:
    if scene.seen is None or scene.seen.phase is Phase.STOPPING:
        return Apply(spec, target) if target > 0 and scene.seen is None else None
    if scene.seen.fingerprint != fingerprint(spec):
        return Apply(spec, target)
    return Scale(target) if scene.seen.target_replicas != target else None


def _outcome(
    scene: Scene,
    state: str,
    *,
    code: str = "OK",
    message: str = "",
    changes: Mapping[str, Any] | None = None,
    internal: Mapping[str, Any] | None = None,
    effect: Effect | None = None,
    purge: bool = False,
    keep_status: bool = False,
    running: int | None = None,
) -> Outcome:
    document = {**scene.document, **(changes or {}), "state": state}
    document["replicaCount"] = scene.ready if running is None else running
    document["replicaStats"] = _stats(scene, int(document.get("desiredReplicaCount") or 0))
    if not keep_status:
        document["status"] = {"code": code, "message": message}
    kept = {**scene.internal, **(internal or {})}
    kept = {name: value for name, value in kept.items() if value is not None}
    return Outcome(state, document, kept, effect, purge)


def _stats(scene: Scene, target: int) -> dict[str, int]:
    initializing = sum(report.phase is Phase.STARTING for report in scene.reports)
    return {
        "pendingSchedulingReplicaCount": max(target - initializing - scene.ready, 0),
        "downloadingModelReplicaCount": 0,
        "initializingReplicaCount": initializing,
        "readyReplicaCount": scene.ready,
    }


def _timestamp(epoch: float) -> str:
    return format_timestamp(datetime.fromtimestamp(epoch, UTC))


def _epoch(timestamp: Any) -> float | None:
    return parse_timestamp(timestamp).timestamp() if timestamp else None
