"""The controller: brings what runs in line with what is stored, again and again.

It holds nothing that it could not find out again: targets and windows are stored with each deployment, the
rest is observed. A lease in the store lets one controller act at a time; its token is checked before every
write and every call of the runtime, and rows are written only under the version they were read with. A
controller that was cut off and comes back can therefore neither write nor start anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sparrel.control.controller import deployed_models
from sparrel.control.controller.reconciler import Apply, Effect, Limits, Outcome, Remove, Scale, Scene, decide
from sparrel.control.controller.replicas import ReplicaBook
from sparrel.control.controller.runtime import Observation, Phase, ReplicaGroupSpec, ReplicaReport, Runtime
from sparrel.control.controller.specs import NotServable, group_spec
from sparrel.control.store import ReplicaRow, Row, Store
from sparrel.errors import Aborted, NotFound

log = logging.getLogger(__name__)

LEASE = "controller"


@dataclass(frozen=True, slots=True)
class ControllerSettings:
    tick_s: float = 1.0
    demand_poll_s: float = 0.25
    """How soon a sleeping deployment's first request is noticed."""
    lease_ttl_s: float = 10.0
    purge_every_s: float = 60.0
    limits: Limits = field(default_factory=Limits)


class LeaseLost(Exception):
    """Another controller has taken over."""


class Controller:
    """One instance acts while it holds the lease; any number may stand by."""

    def __init__(
        self,
        store: Store,
        runtime: Runtime,
        *,
        holder: str,
        settings: ControllerSettings | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._runtime = runtime
        self._holder = holder
        self._settings = settings or ControllerSettings()
        self._clock = clock
        self._book = ReplicaBook()
        self._poke = asyncio.Event()
        self._token: int | None = None
        self._lease_until = 0.0
        self._purged_at = 0.0

    async def run(self) -> None:
        """Tick until cancelled; a failed tick is logged and the next one tries again."""
        watch = asyncio.create_task(self._watch_demand())
        try:
            while True:
                try:
                    await self.tick()
                except Exception:
                    log.exception("The controller's tick failed; trying again.")
                self._poke.clear()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._poke.wait(), self._settings.tick_s)
        finally:
            watch.cancel()
            await self.resign()

    def poke(self) -> None:
        """Look now instead of at the next tick."""
        self._poke.set()

    def report(self, report: ReplicaReport) -> None:
        """Take in what a replica says; a change of its phase is acted on at once."""
        known = {r.replica: r.phase for r in self._book.of(report.deployment)}
        self._book.note(report, self._clock())
        if known.get(report.replica) is not report.phase:
            self.poke()

    async def resign(self) -> None:
        """Give the lease back, so that a successor need not wait for it to run out."""
        if self._token is not None:
            token, self._token = self._token, None
            with contextlib.suppress(Exception):
                await self._store.leases.release(LEASE, self._holder, token)

    async def tick(self) -> bool:
        """Take one step for everything; return whether this controller holds the lease."""
        if not await self._hold_lease():
            return False
        try:
            seen = await self._runtime.observe()
            self._book.reap(seen, self._clock())
            await self._publish_replicas()
            deployments = await self._reconcile_deployments(seen)
            await self._reap_orphans(seen, deployments)
            await self._reconcile_deployed_models(deployments)
            await self._publish_replicas()
        except LeaseLost:
            log.warning("Another controller holds the lease; standing by.")
            return False
        return True

    # The lease

    async def _hold_lease(self) -> bool:
        now, ttl_s = self._clock(), self._settings.lease_ttl_s
        leases = self._store.leases
        if self._token is not None and await leases.renew(LEASE, self._holder, self._token, ttl_s):
            self._lease_until = now + ttl_s
            return True
        self._token = await leases.acquire(LEASE, self._holder, ttl_s)
        if self._token is None:
            return False
        self._lease_until = now + ttl_s
        self._book.adopt(await self._stored_reports(), now)
        return True

    def _check_lease(self) -> int:
        """Return the fencing token; raise LeaseLost when the lease has run out by our own clock."""
        if self._token is None or self._clock() >= self._lease_until:
            self._token = None
            raise LeaseLost
        return self._token

    # Deployments

    async def _reconcile_deployments(self, seen: Mapping[str, Observation]) -> dict[str, Row]:
        demand = await self._store.demand.read()
        models: dict[str, Row | None] = {}
        rows = {}
        for row in await self._store.scan("deployments"):
            if row.state == "DELETED" and row.name not in seen and not self._purge_due():
                continue
            base = str(row.document.get("baseModel"))
            if base not in models:
                models[base] = await self._store.get(base)
            step = self._reconcile(row, models[base], seen.get(row.name), demand.get(row.name))
            rows[row.name] = await self._guarded(row, step)
        for name in demand.keys() - rows.keys():
            await self._store.demand.clear(name, demand[name])
        if self._purge_due():
            self._purged_at = self._clock()
        return rows

    def _purge_due(self) -> bool:
        return self._clock() - self._purged_at >= self._settings.purge_every_s

    async def _reconcile(
        self, row: Row, model: Row | None, seen: Observation | None, demand: float | None
    ) -> Row:
        now = self._clock()
        scene = Scene(
            state=row.state,
            document=row.document,
            internal=row.internal,
            spec=_spec(row, model),
            seen=seen,
            reports=self._book.of(row.name),
            load=self._book.load(row.name, now),
            demand=demand,
            now=now,
        )
        outcome = decide(scene, self._settings.limits)
        row = await self._write(row, outcome)
        if outcome.effect is not None:
            await self._perform(row.name, outcome.effect)
        if demand is not None:
            await self._store.demand.clear(row.name, demand)
        return row

    async def _write(self, row: Row, outcome: Outcome) -> Row:
        if outcome.purge:
            await self._delete(row)
            return replace(row, state="DELETED")
        wanted = replace(row, state=outcome.state, document=outcome.document, internal=outcome.internal)
        return await self._replace(row, wanted)

    async def _replace(self, row: Row, wanted: Row) -> Row:
        """Store what changed, under the lease's token and the version that was read."""
        if wanted == row:
            return row
        if row.state != wanted.state:
            status = wanted.document.get("status") or {}
            log.info("%s: %s -> %s %s", row.name, row.state, wanted.state, status.get("message", ""))
        token = self._check_lease()
        async with self._store.transaction() as transaction:
            await transaction.check_lease(LEASE, token)
            return await transaction.replace(wanted, expected_version=row.version)

    async def _delete(self, row: Row) -> None:
        token = self._check_lease()
        async with self._store.transaction() as transaction:
            await transaction.check_lease(LEASE, token)
            await transaction.delete(row.name, expected_version=row.version)

    async def _perform(self, deployment: str, effect: Effect) -> None:
        self._check_lease()
        match effect:
            case Apply(spec, replicas):
                await self._runtime.apply(spec, replicas)
            case Scale(replicas):
                await self._runtime.scale(deployment, replicas)
            case Remove():
                await self._runtime.remove(deployment)
                self._book.drop(deployment)

    async def _reap_orphans(self, seen: Mapping[str, Observation], rows: Mapping[str, Row]) -> None:
        """Remove what runs without a row: left by a platform that lost its store, or a purge."""
        for deployment, observation in seen.items():
            if deployment in rows or observation.phase is Phase.STOPPING:
                continue
            if await self._store.get(deployment) is None:
                log.warning("%s runs but is not stored; removing it.", deployment)
                await self._perform(deployment, Remove())

    # Deployed models

    async def _reconcile_deployed_models(self, deployments: Mapping[str, Row]) -> None:
        for row in await self._store.scan("deployedModels"):
            await self._guarded(row, self._reconcile_deployed_model(row, deployments))

    async def _reconcile_deployed_model(self, row: Row, deployments: Mapping[str, Row]) -> Row:
        target = deployments.get(str(row.document.get("deployment")))
        if row.state == "DEPLOYED" and target is not None and target.state in ("READY", "UPDATING"):
            return row
        model = await self._store.get(str(row.document.get("model")))
        outcome = deployed_models.decide(
            row.state,
            row.document.get("status") or {},
            _document(target),
            _document(model),
        )
        if outcome.gone:
            await self._delete(row)
            return row
        status = {"code": outcome.code, "message": outcome.message}
        document = {**row.document, "state": outcome.state, "status": status}
        return await self._replace(row, replace(row, state=outcome.state, document=document))

    # Replicas and demand

    async def _publish_replicas(self) -> None:
        """Write the replicas table, from which the gateway picks."""
        self._check_lease()
        changed, gone = self._book.take_changes()
        try:
            await self._store.replicas.upsert_many(changed, self._clock())
            await self._store.replicas.remove(gone)
        except BaseException:
            self._book.put_back(changed, gone)
            raise

    async def _stored_reports(self) -> list[tuple[ReplicaReport, float]]:
        return [(_report(row), row.reported) for row in await self._store.replicas.list()]

    async def _watch_demand(self) -> None:
        while True:
            await asyncio.sleep(self._settings.demand_poll_s)
            with contextlib.suppress(Exception):
                if self._token is not None and await self._store.demand.read():
                    self.poke()

    async def _guarded(self, row: Row, step: Awaitable[Row]) -> Row:
        """One resource's trouble is its own: lost races are retried at the next tick, faults logged."""
        try:
            return await step
        except (Aborted, NotFound):
            self.poke()
        except LeaseLost:
            raise
        except Exception:
            log.exception("Could not reconcile %s; trying again.", row.name)
        return row


def _spec(row: Row, model: Row | None) -> ReplicaGroupSpec | NotServable:
    path = str(model.internal.get("path") or "") if model is not None else ""
    try:
        return group_spec(_named(row), _named(model) if model else None, path)
    except NotServable as reason:
        return reason


def _named(row: Row) -> dict[str, Any]:
    return {**row.document, "name": row.name, "state": row.state}


def _document(row: Row | None) -> dict[str, Any] | None:
    return None if row is None else _named(row)


def _report(row: ReplicaRow) -> ReplicaReport:
    fields = {name: getattr(row, name) for name in ReplicaReport.__slots__ if name != "phase"}
    return ReplicaReport(phase=Phase(row.phase), **fields)
