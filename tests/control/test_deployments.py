"""Deployments: defaults, what is refused, and their life as requests drive it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sparrel.control.controller.runtime import Phase, ReplicaReport
from tests.support.platform import Platform

DEPLOYMENTS, MODELS, DEPLOYED = (
    f"accounts/acme/{collection}" for collection in ("deployments", "models", "deployedModels")
)
D = f"{DEPLOYMENTS}/d"


@pytest.fixture(autouse=True)
async def base_model(platform: Platform) -> None:
    await platform.add_model()


async def create(platform: Platform, body: dict[str, Any] | None = None, **params: Any) -> Any:
    params = {"deploymentId": "d", **params}
    return await platform.admin.ok("POST", DEPLOYMENTS, {"baseModel": "base", **(body or {})}, **params)


async def refused(platform: Platform, body: dict[str, Any], **params: Any) -> str:
    return await platform.admin.fails(400, "POST", DEPLOYMENTS, {"baseModel": "base", **body}, **params)


# --- create ----------------------------------------------------------------------------------------


async def test_a_new_deployment_has_its_defaults_and_is_creating(platform: Platform) -> None:
    deployment = await create(platform)
    assert deployment["name"] == D
    assert deployment["state"] == "CREATING"
    assert deployment["baseModel"] == f"{MODELS}/base"
    assert (deployment["minReplicaCount"], deployment["maxReplicaCount"]) == (0, 1)
    assert deployment["autoscalingPolicy"] == {
        "scaleUpWindow": "30s",
        "scaleDownWindow": "600s",
        "scaleToZeroWindow": "3600s",
        "loadTargets": {"default": 0.8},
    }
    assert deployment["placement"]["multiRegion"] == "GLOBAL"
    assert deployment["createdBy"] == "admin@acme.test"


async def test_without_an_id_one_is_made(platform: Platform) -> None:
    deployment = await platform.admin.ok("POST", DEPLOYMENTS, {"base_model": "base"})
    assert len(deployment["name"].rsplit("/", 1)[1]) == 8


@pytest.mark.parametrize(("sent", "most"), [({"minReplicaCount": 3}, 3), ({"maxReplicaCount": 0}, 0)])
async def test_the_maximum_follows_the_minimum_unless_given(
    platform: Platform, sent: dict[str, int], most: int
) -> None:
    assert (await create(platform, sent))["maxReplicaCount"] == most


async def test_a_bare_model_id_is_looked_for_in_the_own_account_then_the_platforms(
    platform: Platform,
) -> None:
    await platform.add_model("accounts/sparrel/models/base", public=True)
    await platform.add_model("accounts/sparrel/models/shared", public=True)
    assert (await create(platform))["baseModel"] == f"{MODELS}/base"
    shared = await create(platform, {"baseModel": "shared"}, deploymentId="e")
    assert shared["baseModel"] == "accounts/sparrel/models/shared"
    alias = await create(platform, {"baseModel": "accounts/fireworks/models/shared"}, deploymentId="f")
    assert alias["baseModel"] == "accounts/sparrel/models/shared"


async def test_a_model_that_is_not_ready_cannot_be_deployed(platform: Platform) -> None:
    await platform.set_state(f"{MODELS}/base", "UPLOADING")
    status, error = await platform.admin("POST", DEPLOYMENTS, {"baseModel": "base"})
    assert (status, error["code"]) == (400, 9)
    assert "UPLOADING" in error["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"baseModel": ""}, "baseModel"),
        ({"baseModel": "absent"}, "baseModel"),
        ({"baseModel": "accounts/other/models/m"}, "baseModel"),
        ({"minReplicaCount": -1}, "minReplicaCount"),
        ({"minReplicaCount": 3, "maxReplicaCount": 2}, "maxReplicaCount"),
        ({"maxReplicaCount": "many"}, "maxReplicaCount"),
        ({"autoscalingPolicy": {"scaleUpWindow": "3601s"}}, "scaleUpWindow"),
        ({"autoscalingPolicy": {"scaleDownWindow": "2h"}}, "scaleDownWindow"),
        ({"autoscalingPolicy": {"scaleToZeroWindow": "299s"}}, "scaleToZeroWindow"),
        ({"autoscalingPolicy": {"loadTargets": {"vibes": 1}}}, "vibes"),
        ({"autoscalingPolicy": {"loadTargets": {"default": 0}}}, "default"),
        ({"draftModel": "base", "ngramSpeculationLength": 3, "draftTokenCount": 2}, "draftModel"),
        ({"ngramSpeculationLength": 3}, "draftTokenCount"),
        ({"draftModel": "absent", "draftTokenCount": 2}, "draftModel"),
        ({"acceleratorType": "TOASTER"}, "acceleratorType"),
        ({"maxPeftBatchSize": 32}, "maxPeftBatchSize"),
        ({"kvCacheMemoryPct": 101}, "kvCacheMemoryPct"),
        ({"precision": "FP8"}, "FP8"),
        ({"expireTime": "2020-01-01T00:00:00Z"}, "expireTime"),
        ({"displayName": "x" * 64}, "displayName"),
        ({"placement": {"region": "US_IOWA_1", "multiRegion": "US"}}, "placement"),
        ({"region": "not a region"}, "region"),
        ({"annotations": {"sparrel.dev/unused-auto-delete-duration": "a week"}}, "week"),
        ({"deploymentShape": "accounts/a/deploymentShapes/s"}, "deploymentShape"),
    ],
)
async def test_what_cannot_be_deployed_is_refused_with_the_field(
    platform: Platform, body: dict[str, Any], field: str
) -> None:
    assert field in await refused(platform, body)


async def test_the_models_draft_is_used_unless_suppressed(platform: Platform) -> None:
    await platform.add_model(f"{MODELS}/draft")
    await platform.add_model(
        f"{MODELS}/drafted", defaultDraftModel=f"{MODELS}/draft", defaultDraftTokenCount=4
    )
    drafted = await create(platform, {"baseModel": "drafted"})
    assert (drafted["draftModel"], drafted["draftTokenCount"]) == (f"{MODELS}/draft", 4)
    plain = await create(
        platform, {"baseModel": "drafted"}, deploymentId="e", disableSpeculativeDecoding="true"
    )
    assert (plain["draftModel"], plain["draftTokenCount"]) == ("", 0)


async def test_an_adapter_cannot_be_deployed_by_itself(platform: Platform) -> None:
    await platform.add_adapter()
    assert "adapter" in await refused(platform, {"baseModel": "lora"})


async def test_validate_only_answers_and_stores_nothing(platform: Platform) -> None:
    for flag in ("validateOnly", "dryRun"):
        deployment = await create(platform, **{flag: "true"})
        assert deployment["name"] == D
        assert deployment["maxReplicaCount"] == 1
    await platform.admin.fails(404, "GET", D)
    assert (await platform.admin.ok("GET", DEPLOYED))["totalSize"] == 0


async def test_a_suspended_account_deploys_nothing(platform: Platform) -> None:
    await platform.set_state("accounts/acme", "READY", suspendState="CREDIT_DEPLETED")
    message = await platform.admin.fails(402, "POST", DEPLOYMENTS, {"baseModel": "base"})
    assert "CREDIT_DEPLETED" in message


async def test_route_keys_are_kept_as_hashes(platform: Platform) -> None:
    deployment = await create(platform, {"directRouteApiKeys": ["open sesame"]})
    assert deployment["directRouteApiKeys"] == []
    assert "open sesame" not in str(await platform.store.scan("deployments"))


async def test_unused_deployments_go_after_a_week_unless_told(platform: Platform) -> None:
    kept = {"annotations": {"sparrel.dev/unused-auto-delete-duration": "0s"}}
    days = {"annotations": {"sparrel.dev/unused-auto-delete-duration": "48h0m0s"}}
    for number, body in enumerate(({}, kept, days)):
        await create(platform, body, deploymentId=f"d{number}")
    rows = [await platform.store.get(f"{DEPLOYMENTS}/d{number}") for number in range(3)]
    assert [row and row.internal["autoDeleteSeconds"] for row in rows] == [604_800, 0, 172_800]


# --- the deployed model that comes with it ---------------------------------------------------------


async def test_the_base_model_is_deployed_with_its_first_deployment(platform: Platform) -> None:
    await create(platform)
    await create(platform, deploymentId="e")
    (deployed,) = (await platform.admin.ok("GET", DEPLOYED))["deployedModels"]
    assert (deployed["deployment"], deployed["default"], deployed["state"]) == (D, True, "DEPLOYING")
    model = await platform.admin.ok("GET", f"{MODELS}/base")
    assert [ref["deployment"] for ref in model["deployedModelRefs"]] == [D]


async def test_auto_deploy_can_be_switched_off(platform: Platform) -> None:
    await create(platform, disableAutoDeploy="true")
    assert (await platform.admin.ok("GET", DEPLOYED))["totalSize"] == 0


# --- update ----------------------------------------------------------------------------------------


async def test_the_base_model_may_be_repeated_in_any_form_but_not_changed(platform: Platform) -> None:
    await create(platform)
    for same in ("base", f"{MODELS}/base"):
        await platform.admin.ok("PATCH", D, {"baseModel": same, "displayName": "x"})
    await platform.add_model(f"{MODELS}/second")
    assert "baseModel" in await platform.admin.fails(400, "PATCH", D, {"baseModel": "second"})


async def test_scaling_to_zero_by_patch_keeps_the_rest(platform: Platform) -> None:
    await create(platform, {"minReplicaCount": 1, "description": "kept"})
    deployment = await platform.admin.ok("PATCH", D, {"minReplicaCount": 0, "maxReplicaCount": 0})
    assert (deployment["minReplicaCount"], deployment["maxReplicaCount"]) == (0, 0)
    assert deployment["description"] == "kept"


async def test_cleared_fields_get_their_defaults_again(platform: Platform) -> None:
    await create(platform, {"maxReplicaCount": 5, "autoscalingPolicy": {"scaleUpWindow": "1s"}})
    mask = "max_replica_count,autoscaling_policy"
    deployment = await platform.admin.ok("PATCH", D, {}, updateMask=mask)
    assert deployment["maxReplicaCount"] == 1
    assert deployment["autoscalingPolicy"]["scaleUpWindow"] == "30s"


async def test_an_update_is_checked_like_a_create(platform: Platform) -> None:
    await create(platform)
    await platform.admin.fails(400, "PATCH", D, {"minReplicaCount": 5})
    await platform.admin.fails(400, "PATCH", D, {"region": "US_IOWA_1"})
    deployment = await platform.admin.ok("PATCH", D, {"displayName": "x"}, updateMask="displayName")
    assert deployment["maxReplicaCount"] == 1


async def test_concurrent_updates_of_different_fields_all_happen(platform: Platform) -> None:
    await create(platform)
    changes = [{"displayName": "n"}, {"description": "d"}, {"maxReplicaCount": 4}, {"enableAddons": True}]
    answers = await asyncio.gather(*(platform.admin("PATCH", D, change) for change in changes))
    assert {status for status, _ in answers} == {200}
    deployment = await platform.admin.ok("GET", D)
    assert all(deployment[key] == value for change in changes for key, value in change.items())


# --- scale -----------------------------------------------------------------------------------------


async def test_scale_sets_what_is_wanted_without_changing_the_bounds(platform: Platform) -> None:
    await create(platform, {"maxReplicaCount": 4})
    assert await platform.admin.ok("PATCH", f"{D}:scale", {"replica_count": 3}) == {}
    deployment = await platform.admin.ok("GET", D)
    assert (deployment["desiredReplicaCount"], deployment["maxReplicaCount"]) == (3, 4)
    row = await platform.store.get(D)
    assert row is not None
    assert row.internal["desiredReplicas"] == 3
    await platform.admin.fails(400, "PATCH", f"{D}:scale", {"replicaCount": -1})
    await platform.other.fails(404, "PATCH", f"{D}:scale", {"replicaCount": 1})


async def test_new_bounds_outdate_an_earlier_scale(platform: Platform) -> None:
    await create(platform, {"maxReplicaCount": 4})
    await platform.admin.ok("PATCH", f"{D}:scale", {"replicaCount": 3})
    await platform.admin.ok("PATCH", D, {"maxReplicaCount": 2})
    row = await platform.store.get(D)
    assert row is not None
    assert "desiredReplicas" not in row.internal


# --- delete and undelete ---------------------------------------------------------------------------


async def delete_as_the_controller_does(platform: Platform) -> None:
    await platform.admin.ok("DELETE", D, ignoreChecks="true")
    await platform.set_state(D, "DELETED", deleteTime="2026-01-01T00:00:00Z")


async def test_deleting_starts_and_a_second_delete_finds_nothing(platform: Platform) -> None:
    await create(platform)
    assert await platform.admin.ok("DELETE", D) == {}
    deployment = await platform.admin.ok("GET", D)
    assert deployment["state"] == "DELETING"
    assert deployment["purgeTime"] is not None
    (deployed,) = (await platform.admin.ok("GET", DEPLOYED))["deployedModels"]
    assert deployed["state"] == "UNDEPLOYING"
    await platform.admin.fails(404, "DELETE", D)
    await platform.admin.fails(400, "PATCH", D, {"displayName": "x"})


async def test_a_deleted_deployment_is_listed_only_when_asked_for(platform: Platform) -> None:
    await create(platform)
    await delete_as_the_controller_does(platform)
    assert (await platform.admin.ok("GET", DEPLOYMENTS))["totalSize"] == 0
    page = await platform.admin.ok("GET", DEPLOYMENTS, showDeleted="true")
    assert [d["state"] for d in page["deployments"]] == ["DELETED"]
    assert (await platform.admin.ok("GET", D))["deleteTime"] == "2026-01-01T00:00:00Z"


async def test_undelete_brings_a_deployment_back_with_its_deployed_model(platform: Platform) -> None:
    await create(platform)
    await delete_as_the_controller_does(platform)
    for row in await platform.store.scan("deployedModels"):
        await platform.store.delete(row.name)
    deployment = await platform.admin.ok("POST", f"{D}:undelete", {})
    assert (deployment["state"], deployment["deleteTime"], deployment["purgeTime"]) == (
        "CREATING",
        None,
        None,
    )
    assert (await platform.admin.ok("GET", DEPLOYED))["totalSize"] == 1
    assert (await platform.admin.ok("GET", DEPLOYMENTS))["totalSize"] == 1


@pytest.mark.parametrize("state", ["CREATING", "READY", "UPDATING", "DELETING"])
async def test_undelete_is_refused_in_other_states(platform: Platform, state: str) -> None:
    await create(platform)
    await platform.set_state(D, state)
    status, error = await platform.admin("POST", f"{D}:undelete")
    assert (status, error["code"]) == (400, 9)


async def test_a_failed_deployment_can_be_started_again(platform: Platform) -> None:
    await create(platform)
    await platform.set_state(D, "FAILED", "INTERNAL", "out of memory")
    deployment = await platform.admin.ok("POST", f"{D}:undelete")
    assert (deployment["state"], deployment["status"]["code"]) == ("CREATING", "OK")


async def test_hard_purges_a_deleted_deployment_at_once(platform: Platform) -> None:
    await create(platform)
    await delete_as_the_controller_does(platform)
    await platform.admin.ok("DELETE", D, hard="true")
    await platform.admin.fails(404, "GET", D)


async def test_hard_is_remembered_for_a_running_deployment(platform: Platform) -> None:
    await create(platform)
    await platform.admin.ok("DELETE", D, hard="true")
    row = await platform.store.get(D)
    assert row is not None
    assert row.internal["hard"] is True


async def test_a_deployment_in_use_is_not_deleted_unless_told(platform: Platform) -> None:
    await create(platform, {"enableAddons": True})
    await platform.add_adapter()
    await platform.admin.ok("POST", DEPLOYED, {"model": "lora", "deployment": "d"})
    assert "in use" in await platform.admin.fails(400, "DELETE", D)
    await platform.admin.ok("DELETE", D, ignoreChecks="true")


async def test_the_default_of_a_model_deployed_elsewhere_too_is_not_deleted(platform: Platform) -> None:
    await create(platform)
    await create(platform, deploymentId="e")
    await platform.admin.ok("POST", DEPLOYED, {"model": "base", "deployment": "e"})
    assert "default" in await platform.admin.fails(400, "DELETE", D)
    await platform.admin.ok("DELETE", f"{DEPLOYMENTS}/e")


async def test_metrics_sum_the_replicas_reports(platform: Platform) -> None:
    await create(platform)
    for number in range(2):
        report = ReplicaReport(f"r{number}", D, "http://x", Phase.RUNNING, running=3)
        await platform.store.replicas.upsert(report, 1.0)
    metrics = (await platform.admin.ok("GET", f"{D}:metrics", timeRange="10m"))["metrics"]
    assert (metrics["replicas"], metrics["running"]) == (2.0, 6.0)
    await platform.admin.fails(400, "GET", f"{D}:metrics", timeRange="soon")
