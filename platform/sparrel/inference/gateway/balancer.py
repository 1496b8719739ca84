"""Choose a replica: the one that likely has the prompt cached, unless it is busier than its share."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b

from sparrel.inference.gateway.directory import Replica

BOUND = 1.25
"""A replica takes at most this multiple of its fair share for the sake of its cache."""
_FORGET_ABOVE = 1024


@dataclass(slots=True)
class _Load:
    own: int = 0
    """Requests that this ingress has open on the replica."""
    reported: int = 0
    others: int = 0
    """Requests that came from elsewhere, as of the last report."""

    def observe(self, reported: int) -> None:
        """A report already counts our own requests; what it has beyond them is other ingresses'."""
        if reported != self.reported:
            self.reported, self.others = reported, max(0, reported - self.own)

    @property
    def total(self) -> int:
        return self.own + self.others


class Balancer:
    """Bounded-load rendezvous hashing for requests with a key, least load for the others."""

    def __init__(self) -> None:
        self._loads: dict[str, _Load] = {}

    def choose(self, replicas: Sequence[Replica], key: bytes | None) -> Replica:
        """Pick one of `replicas` (at least one); the same key picks the same while loads allow."""
        for replica in replicas:
            self._load(replica.id).observe(replica.running + replica.waiting)
        if key is not None:
            bound = self._bound(replicas)
            for replica in sorted(replicas, key=lambda r: _weight(key, r.id), reverse=True):
                if self.load(replica) + 1 <= bound * replica.capacity:
                    return replica
        return min(replicas, key=lambda r: ((self.load(r) + 1) / r.capacity, _weight(b"", r.id)))

    @contextmanager
    def lease(self, replica: Replica) -> Iterator[None]:
        """Count one request on the replica while it is open."""
        load = self._load(replica.id)
        load.own += 1
        try:
            yield
        finally:
            load.own -= 1
            self._forget_idle()

    def load(self, replica: Replica) -> int:
        return self._load(replica.id).total

    def own(self, replica_id: str) -> int:
        return self._load(replica_id).own

    def _bound(self, replicas: Sequence[Replica]) -> float:
        """Highest load per unit of capacity; rounded up so that an idle replica always takes one."""
        capacity = sum(replica.capacity for replica in replicas)
        share = (sum(self.load(replica) for replica in replicas) + 1) / capacity
        smallest = min(replica.capacity for replica in replicas)
        return math.ceil(BOUND * share * smallest) / smallest

    def _load(self, replica_id: str) -> _Load:
        load = self._loads.get(replica_id)
        if load is None:
            load = self._loads[replica_id] = _Load()
        return load

    def _forget_idle(self) -> None:
        """Replica ids are new with every start, so those of gone replicas pile up slowly."""
        if len(self._loads) > _FORGET_ABOVE:
            self._loads = {name: load for name, load in self._loads.items() if load.own}


def _weight(key: bytes, replica_id: str) -> bytes:
    return blake2b(key + b"\0" + replica_id.encode(), digest_size=8).digest()
