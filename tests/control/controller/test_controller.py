"""What the controller does for a deployment and its deployed models, from creation to purge."""

from __future__ import annotations

from tests.control.controller.conftest import DEPLOYED, MODEL, NAME, World

DAY_S = 24 * 3600


async def test_a_new_deployment_becomes_ready_with_its_replicas_listed(world: World) -> None:
    await world.deploy(low=2, high=2)
    await world.load()
    await world.controller.tick()
    assert await world.state() == "CREATING"
    assert await world.state(DEPLOYED) == "DEPLOYING"
    await world.live(3)
    row = await world.row()
    assert (row.state, row.document["replicaCount"], row.document["status"]["code"]) == ("READY", 2, "OK")
    assert row.document["replicaStats"]["readyReplicaCount"] == 2
    assert await world.state(DEPLOYED) == "DEPLOYED"
    listed = await world.store.replicas.list(NAME)
    assert [replica.phase for replica in listed] == ["RUNNING", "RUNNING"]


async def test_nothing_is_written_when_nothing_changes(world: World) -> None:
    await world.deploy()
    await world.live(5)
    version = (await world.row()).version
    await world.live(60)
    assert (await world.row()).version == version
    assert [call for call, _ in world.runtime.calls] == ["apply"]


async def test_a_minimum_of_zero_starts_once_to_prove_that_it_can(world: World) -> None:
    await world.deploy(low=0, high=1)
    await world.live(3)
    assert (await world.row()).document["replicaCount"] == 1


async def test_scale_changes_the_count_and_not_the_replicas(world: World) -> None:
    await world.deploy(low=1, high=3)
    await world.live(3)
    first = list(world.runtime.groups[NAME].replicas)
    await world.change(internal={"desiredReplicas": 3})
    await world.live(3)
    assert world.runtime.groups[NAME].replicas[:1] == first
    row = await world.row()
    assert (row.state, row.document["replicaCount"], row.document["desiredReplicaCount"]) == ("READY", 3, 3)
    assert ("scale", NAME) in world.runtime.calls


async def test_scaling_below_the_minimum_puts_it_to_sleep_until_it_is_asked(world: World) -> None:
    await world.deploy(low=1, high=2)
    await world.live(3)
    await world.change(internal={"desiredReplicas": 0})
    await world.live(30)
    assert (await world.row()).document["replicaCount"] == 0
    assert await world.state() == "READY"
    await world.store.demand.signal(NAME, world.clock())
    await world.live(3)
    assert (await world.row()).document["replicaCount"] == 1
    await world.live(30)
    assert (await world.row()).document["replicaCount"] == 1


async def test_many_requests_wake_a_sleeper_once(world: World) -> None:
    await world.deploy(low=0, high=2)
    await world.live(3)
    await world.change(internal={"desiredReplicas": 0})
    await world.live(3)
    world.runtime.calls.clear()
    for _ in range(20):
        await world.store.demand.signal(NAME, world.clock())
    await world.live(5)
    assert world.runtime.calls == [("scale", NAME)]
    assert await world.store.demand.read() == {}


async def test_unused_it_sleeps_after_its_window_and_load_wakes_more(world: World) -> None:
    await world.deploy(low=0, high=3)
    policy = {"scaleUpWindow": "5s", "scaleDownWindow": "10s", "scaleToZeroWindow": "300s", "loadTargets": {}}
    await world.change(autoscalingPolicy=policy)
    await world.live(3)
    await world.live(10, running=4, waiting=4)
    assert len(world.runtime.groups[NAME].replicas) == 3
    await world.live(15)
    assert len(world.runtime.groups[NAME].replicas) == 1
    for _ in range(31):
        await world.live(1)
        world.clock.advance(9)
    assert world.runtime.groups[NAME].target == 0


async def test_a_changed_spec_is_rolled_out(world: World) -> None:
    await world.deploy()
    await world.live(3)
    await world.change(maxBatchSize=8)
    await world.controller.tick()
    assert await world.state() == "UPDATING"
    await world.live(3)
    assert await world.state() == "READY"
    assert world.runtime.groups[NAME].spec.engine == {"max_num_seqs": 8}


async def test_a_model_that_cannot_load_fails_once_with_the_reason(world: World) -> None:
    world.runtime.broken = {"/models/m"}
    await world.deploy()
    await world.load()
    await world.live(30)
    row = await world.row()
    assert row.state == "FAILED"
    assert row.document["status"] == {"code": "FAILED_PRECONDITION", "message": "no tensor lm_head"}
    assert world.runtime.groups == {}
    assert [call for call, _ in world.runtime.calls] == ["apply", "remove"]
    deployed = await world.row(DEPLOYED)
    assert (deployed.state, deployed.document["status"]["message"]) == (
        "STATE_UNSPECIFIED",
        "no tensor lm_head",
    )
    assert await world.store.replicas.list() == []


async def test_a_failed_deployment_is_tried_again_when_it_is_undeleted_or_changed(world: World) -> None:
    world.runtime.broken = {"/models/m"}
    await world.deploy()
    await world.live(5)
    world.runtime.broken = set()
    await world.live(5)
    assert await world.state() == "FAILED"
    await world.change(maxBatchSize=8)
    await world.live(5)
    assert await world.state() == "READY"
    await world.change(state="FAILED")
    await world.live(3)
    assert world.runtime.groups == {}
    await world.change(state="CREATING")
    await world.live(3)
    assert await world.state() == "READY"


async def test_what_the_cluster_lacks_is_said_and_then_fails(world: World) -> None:
    world.runtime.unplaceable = {"/models/m"}
    await world.deploy()
    await world.live(5)
    row = await world.row()
    assert (row.state, row.document["status"]["message"]) == ("CREATING", "A replica needs 8 GPU.")
    world.clock.advance(900)
    await world.live(3)
    row = await world.row()
    assert (row.state, row.document["status"]["code"]) == ("FAILED", "RESOURCE_EXHAUSTED")


async def test_a_base_model_that_is_gone_fails_the_deployment(world: World) -> None:
    await world.deploy()
    await world.store.delete(MODEL)
    await world.live(3)
    row = await world.row()
    assert (row.state, row.document["status"]["code"]) == ("FAILED", "NOT_FOUND")


async def test_a_base_model_on_its_way_is_waited_for(world: World) -> None:
    await world.deploy()
    await world.change(MODEL, state="UPLOADING")
    await world.live(3)
    assert await world.state() == "CREATING"
    await world.change(MODEL, state="READY")
    await world.live(3)
    assert await world.state() == "READY"


async def test_deleted_it_stops_is_kept_for_a_while_and_then_purged(world: World) -> None:
    await world.deploy()
    await world.load()
    await world.live(3)
    await world.change(state="DELETING")
    await world.live(3)
    assert world.runtime.groups == {}
    row = await world.row()
    assert row.state == "DELETED"
    assert row.delete_time is not None
    assert row.document["purgeTime"]
    assert await world.state(DEPLOYED) == "gone"
    assert await world.store.replicas.list() == []
    world.clock.advance(8 * DAY_S)
    await world.controller.tick()
    assert await world.state() == "gone"


async def test_a_hard_delete_leaves_nothing(world: World) -> None:
    await world.deploy()
    await world.live(3)
    await world.change(state="DELETING", internal={"hard": True})
    await world.live(3)
    assert await world.state() == "gone"
    assert world.runtime.groups == {}


async def test_undeleted_it_runs_again(world: World) -> None:
    await world.deploy()
    await world.live(3)
    await world.change(state="DELETING")
    await world.live(3)
    row = await world.row()
    row.document |= {"deleteTime": None, "purgeTime": None}
    row.set_state("CREATING")
    await world.store.replace(row, expected_version=row.version)
    await world.live(3)
    assert await world.state() == "READY"


async def test_unused_for_a_week_it_is_deleted_unless_told_otherwise(world: World) -> None:
    created = world.clock().timestamp()
    await world.deploy(low=0, lastUsedTime=created)
    await world.deploy(f"{NAME}-kept", low=0, lastUsedTime=created, autoDeleteSeconds=0)
    await world.deploy(f"{NAME}-awake", low=1, lastUsedTime=created)
    await world.live(3)
    world.clock.advance(7 * DAY_S)
    await world.live(3)
    assert await world.state() == "DELETED"
    assert "not used" in (await world.row()).document["status"]["message"]
    assert await world.state(f"{NAME}-kept") == "READY"
    assert await world.state(f"{NAME}-awake") == "READY"


async def test_use_puts_the_deletion_off(world: World) -> None:
    await world.deploy(low=0, lastUsedTime=world.clock().timestamp())
    await world.live(3)
    world.clock.advance(6 * DAY_S)
    await world.store.demand.signal(NAME, world.clock())
    await world.live(3)
    world.clock.advance(6 * DAY_S)
    await world.live(3)
    assert await world.state() == "READY"


async def test_it_is_deleted_at_its_expire_time(world: World) -> None:
    await world.deploy()
    await world.change(expireTime="2026-01-01T00:00:10Z")
    await world.live(5)
    assert await world.state() == "READY"
    await world.live(10)
    assert await world.state() == "DELETED"


async def test_what_runs_without_a_row_is_removed(world: World) -> None:
    await world.deploy()
    await world.live(3)
    await world.store.delete(NAME)
    await world.live(1)
    assert world.runtime.groups == {}


async def test_a_cluster_that_lost_everything_is_filled_again(world: World) -> None:
    await world.deploy()
    await world.live(3)
    world.runtime.groups.clear()
    await world.live(3)
    assert await world.state() == "READY"
    assert len(world.runtime.groups[NAME].replicas) == 1


async def test_a_replica_that_fell_silent_is_no_longer_listed(world: World) -> None:
    await world.deploy(low=2, high=2)
    await world.live(3)
    dead, alive = world.runtime.groups[NAME].replicas
    world.runtime.groups[NAME].replicas = [alive]
    world.runtime.groups[NAME].target = 2
    await world.live(6)
    listed = [replica.replica for replica in await world.store.replicas.list(NAME)]
    assert dead not in listed
    assert len(listed) == 2
