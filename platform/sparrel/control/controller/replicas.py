"""What the replicas say of themselves: their latest reports, who fell silent, and how much they do."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sparrel.control.controller.autoscaler import Load
from sparrel.control.controller.runtime import Observation, Phase, ReplicaReport

SILENT_S = 12.0
"""A replica reports every second; a loaded machine may make it miss several."""
SUSPECT_S = 3.0
"""Enough silence when the runtime, too, counts fewer replicas than have reported."""
ADOPTED_S = 3.0
"""Least time for a replica to be heard by a new controller."""
RATE_WINDOW_S = 30.0


@dataclass(frozen=True, slots=True)
class _Heard:
    report: ReplicaReport
    at: float


class ReplicaBook:
    """The reports of one controller's lifetime; what the previous one knew is read from the store."""

    def __init__(self) -> None:
        self._heard: dict[str, _Heard] = {}
        self._changed: set[str] = set()
        self._gone: set[str] = set()
        self._requests: dict[str, int] = {}
        self._tokens: dict[str, deque[tuple[float, int]]] = defaultdict(deque)

    def adopt(self, reports: Iterable[tuple[ReplicaReport, float]], now: float) -> None:
        """Take over the stored reports with their times; each gets a moment to be heard again."""
        for report, at in reports:
            at = min(max(at, now - SILENT_S + ADOPTED_S), now)
            self._heard.setdefault(report.replica, _Heard(report, at))

    def note(self, report: ReplicaReport, now: float) -> None:
        """Take in a report; one with STOPPING is a replica's last."""
        if report.phase is Phase.STOPPING:
            self._forget(report.replica)
            return
        self._heard[report.replica] = _Heard(report, now)
        self._changed.add(report.replica)
        self._gone.discard(report.replica)

    def drop(self, deployment: str) -> None:
        """Forget a group that was removed, its reported failure with it."""
        for report in self.of(deployment):
            self._forget(report.replica)

    def reap(self, seen: Mapping[str, Observation], now: float) -> None:
        """Forget the replicas that fell silent."""
        groups: dict[str, list[_Heard]] = defaultdict(list)
        for heard in sorted(self._heard.values(), key=lambda heard: heard.at):
            groups[heard.report.deployment].append(heard)
        for deployment, members in groups.items():
            known = seen[deployment].running_replicas if deployment in seen else 0
            running = sum(heard.report.phase is Phase.RUNNING for heard in members)
            for position, heard in enumerate(members):
                # Where the runtime counts fewer, those that have been silent longest are the missing ones.
                limit = SUSPECT_S if position < running - known else SILENT_S
                if now - heard.at > limit:
                    self._forget(heard.report.replica)

    def of(self, deployment: str) -> list[ReplicaReport]:
        return [heard.report for heard in self._heard.values() if heard.report.deployment == deployment]

    def load(self, deployment: str, now: float) -> Load:
        """Return the deployment's load, and whether anything was asked since the last call."""
        ready = [report for report in self.of(deployment) if report.phase is Phase.RUNNING]
        requests = sum(report.requests_total for report in ready)
        before = self._requests.get(deployment)
        self._requests[deployment] = requests
        return Load(
            running=sum(report.running for report in ready),
            waiting=sum(report.waiting for report in ready),
            capacity=max((report.capacity for report in ready), default=1),
            tokens_per_s=self._rate(deployment, sum(report.generated_tokens_total for report in ready), now),
            active=before is not None and requests > before,
        )

    def take_changes(self) -> tuple[list[ReplicaReport], list[str]]:
        """Return what to write to the store since the last call: reports, and ids to remove."""
        changed = [self._heard[replica].report for replica in self._changed if replica in self._heard]
        gone = list(self._gone)
        self._changed.clear()
        self._gone.clear()
        return changed, gone

    def put_back(self, changed: Iterable[ReplicaReport], gone: Iterable[str]) -> None:
        """Undo `take_changes` after a failed write."""
        self._changed.update(report.replica for report in changed)
        self._gone.update(gone)

    def _forget(self, replica: str) -> None:
        self._heard.pop(replica, None)
        self._changed.discard(replica)
        self._gone.add(replica)

    def _rate(self, deployment: str, total: int, now: float) -> float:
        samples = self._tokens[deployment]
        if samples and total < samples[-1][1]:
            samples.clear()
        samples.append((now, total))
        while len(samples) > 2 and now - samples[0][0] > RATE_WINDOW_S:
            samples.popleft()
        elapsed = now - samples[0][0]
        return (total - samples[0][1]) / elapsed if elapsed > 0 else 0.0
