"""A controller may die between any two of its steps, and another may take over: the end is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sparrel.control.controller.loop import Controller
from tests.control.controller.conftest import DEPLOYED, NAME, World


class Died(BaseException):
    """Nothing catches it, like SIGKILL."""


class Guillotine:
    """Kills whoever takes the n-th step outside its own process: any write, read or call of the cluster."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        world.runtime.before_call = self.step
        store = world.store
        for owner in (store, store.leases, store.replicas, store.demand):
            for name in ("_reading", "_writing", "transaction", "_reader", "_writer"):
                if hasattr(owner, name):
                    monkeypatch.setattr(owner, name, self._guarded(getattr(owner, name)))

    async def step(self) -> None:
        self._cut()

    def _guarded(self, opened: Callable[..., Any]) -> Callable[..., Any]:
        def open_(*arguments: Any) -> Any:
            self._cut()
            return opened(*arguments)

        return open_

    def _cut(self) -> None:
        if self.left == 0:
            self.left = -1
            raise Died
        self.left -= self.left > 0


async def story(world: World) -> dict[str, Any]:
    """Everything that can happen to a deployment, in one life; return where it ends."""
    await world.deploy(low=1, high=3)
    await world.load()
    await world.live(4)
    await world.change(internal={"desiredReplicas": 2})
    await world.live(4)
    await world.change(maxBatchSize=8)
    await world.live(4)
    await world.change(internal={"desiredReplicas": 0})
    await world.live(4)
    await world.store.demand.signal(NAME, world.clock())
    await world.live(6)
    row = await world.row()
    return {
        "state": row.state,
        "replicas": row.document["replicaCount"],
        "deployed": await world.state(DEPLOYED),
        "listed": len(await world.store.replicas.list(NAME)),
        "running": len(world.runtime.groups[NAME].replicas),
        "engine": dict(world.runtime.groups[NAME].spec.engine),
        "demand": await world.store.demand.read(),
    }


EXPECTED = {
    "state": "READY",
    "replicas": 1,
    "deployed": "DEPLOYED",
    "listed": 1,
    "running": 1,
    "engine": {"max_num_seqs": 8},
    "demand": {},
}


async def test_the_story_without_a_crash(world: World) -> None:
    assert await story(world) == EXPECTED


@pytest.mark.parametrize("every", [1, 2, 3, 5, 7, 11, 13, 17, 19, 23])
async def test_dying_at_each_step_changes_nothing_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    """Each tick is cut short at a later step than the one before; a new controller carries on."""
    cut, whole = {"at": every}, Controller.tick
    deaths: list[int] = []

    async def tick(controller: Controller) -> bool:
        guillotine.left = cut["at"] % 12
        cut["at"] += every
        try:
            await whole(world.controller)
        except Died:
            deaths.append(cut["at"])
            world.controller = world.new_controller()
            world.clock.advance(11)
        guillotine.left = -1
        return await whole(world.controller)

    guillotine = Guillotine(world, monkeypatch)
    monkeypatch.setattr(Controller, "tick", tick)
    assert await story(world) == EXPECTED
    assert len(deaths) >= 5, deaths


async def test_only_the_leases_holder_acts(world: World) -> None:
    await world.deploy()
    second = world.new_controller()
    assert await world.controller.tick()
    assert not await second.tick()
    await world.controller.resign()
    assert await second.tick()
    assert not await world.controller.tick()


async def test_a_controller_that_was_cut_off_can_neither_write_nor_start_anything(world: World) -> None:
    await world.deploy()
    await world.live(3)
    old, new = world.controller, world.new_controller()
    taken_over = False

    async def while_the_old_one_looks() -> None:
        nonlocal taken_over
        if not taken_over:
            taken_over = True
            world.clock.advance(60)
            assert await new.tick()
            await world.change(internal={"desiredReplicas": 2})

    world.runtime.before_call = while_the_old_one_looks
    version = (await world.row()).version
    calls = list(world.runtime.calls)
    assert not await old.tick()
    assert (await world.row()).version == version + 1
    assert world.runtime.calls == calls
    world.controller = new
    await world.live(3)
    assert (await world.row()).document["replicaCount"] == 2


async def test_a_stale_token_is_refused_by_the_store_itself(world: World) -> None:
    """Even one whose clock stands still and who believes that it still holds the lease."""
    await world.deploy()
    await world.controller.tick()
    token = world.controller._token
    world.clock.advance(60)
    assert await world.new_controller().tick()
    world.controller._token, world.controller._lease_until = token, float("inf")
    row = await world.row()
    before = row.version
    changed = await world.row()
    changed.document["replicaCount"] = 7
    with pytest.raises(Exception, match="taken over"):
        await world.controller._replace(row, changed)
    assert (await world.row()).version == before
