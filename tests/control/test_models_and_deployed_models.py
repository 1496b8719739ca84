"""Models by kind, and models on deployments."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.platform import Platform

MODELS, DEPLOYED = "accounts/acme/models", "accounts/acme/deployedModels"
PEFT = {"baseModel": "base", "r": 8, "targetModules": ["q_proj"]}

# --- models ----------------------------------------------------------------------------------------


async def test_the_resource_itself_may_be_left_out(platform: Platform) -> None:
    model = await platform.admin.ok("POST", MODELS, {"modelId": "m", "cluster": "accounts/acme/clusters/c"})
    assert (model["kind"], model["cluster"]) == ("HF_PEFT_ADDON", "accounts/acme/clusters/c")


async def test_an_adapters_base_is_shown_by_its_full_name(platform: Platform) -> None:
    await platform.add_model("accounts/sparrel/models/base", public=True)
    body = {"modelId": "m", "model": {"peftDetails": PEFT}}
    model = await platform.admin.ok("POST", MODELS, body)
    assert model["peftDetails"]["baseModel"] == "accounts/sparrel/models/base"


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ({"kind": "HF_BASE_MODEL"}, "baseModelDetails"),
        ({"kind": "HF_PEFT_ADDON"}, "peftDetails"),
        ({"kind": "HF_TEFT_ADDON", "peftDetails": PEFT}, "teftDetails"),
        ({"kind": "HF_BASE_MODEL", "baseModelDetails": {}, "peftDetails": PEFT}, "peftDetails"),
        ({"peftDetails": PEFT, "baseModelDetails": {}}, "baseModelDetails"),
        ({"peftDetails": {**PEFT, "r": 3}}, "peftDetails.r"),
        ({"peftDetails": {**PEFT, "r": 65}}, "peftDetails.r"),
        ({"peftDetails": {**PEFT, "targetModules": []}}, "peftDetails.targetModules"),
        ({"peftDetails": {**PEFT, "baseModel": "absent"}}, "peftDetails.baseModel"),
        ({"defaultDraftModel": "base"}, "defaultDraftTokenCount"),
        ({"contextLength": -1}, "contextLength"),
        ({"conversationConfig": {"system": "x"}}, "conversationConfig.style"),
    ],
)
async def test_details_have_to_fit_the_kind(platform: Platform, model: dict[str, Any], field: str) -> None:
    await platform.add_model()
    assert field in await platform.admin.fails(400, "POST", MODELS, {"modelId": "m", "model": model})


async def test_a_deployed_model_is_not_deleted(platform: Platform) -> None:
    await platform.add_model()
    await platform.admin.ok("POST", "accounts/acme/deployments", {"baseModel": "base"})
    status, error = await platform.admin("DELETE", f"{MODELS}/base")
    assert (status, error["code"]) == (400, 9)


async def test_refs_are_filled_by_get_and_by_list_only_when_asked(platform: Platform) -> None:
    await platform.add_model()
    await platform.admin.ok("POST", "accounts/acme/deployments", {"baseModel": "base"})
    (ref,) = (await platform.admin.ok("GET", f"{MODELS}/base"))["deployedModelRefs"]
    assert set(ref) == {"name", "deployment", "state", "default", "public"}
    plain = await platform.admin.ok("GET", MODELS)
    filled = await platform.admin.ok("GET", MODELS, includeDeployedModelRefs="true")
    assert plain["models"][0]["deployedModelRefs"] == []
    assert filled["models"][0]["deployedModelRefs"] == [ref]


async def test_refs_of_other_accounts_stay_theirs(platform: Platform) -> None:
    await platform.add_model("accounts/sparrel/models/open", public=True)
    await platform.add(
        "accounts/other/deployedModels/x",
        "DEPLOYED",
        model="accounts/sparrel/models/open",
        deployment="accounts/other/deployments/d",
    )
    model = await platform.admin.ok("GET", "accounts/fireworks/models/open")
    assert model["deployedModelRefs"] == []


# --- deployed models -------------------------------------------------------------------------------


@pytest.fixture
async def two_deployments(platform: Platform) -> None:
    """`d` and `e` serve `base` with adapters; `lora` is one."""
    await platform.add_model()
    await platform.add_adapter()
    for name in ("d", "e"):
        await platform.add(
            f"accounts/acme/deployments/{name}",
            baseModel=f"{MODELS}/base",
            enableAddons=True,
            maxReplicaCount=1,
        )


async def load(platform: Platform, deployment: str, **fields: Any) -> Any:
    return await platform.admin.ok("POST", DEPLOYED, {"model": "lora", "deployment": deployment, **fields})


async def defaults(platform: Platform) -> list[str]:
    rows = (await platform.admin.ok("GET", DEPLOYED, filter="default=true"))["deployedModels"]
    return [row["deployment"].rsplit("/", 1)[1] for row in rows]


@pytest.mark.usefixtures("two_deployments")
async def test_loading_starts_and_the_first_is_the_default(platform: Platform) -> None:
    first, second = await load(platform, "d"), await load(platform, "e")
    assert first["name"].startswith(f"{DEPLOYED}/lora-")
    assert (first["state"], first["model"]) == ("DEPLOYING", f"{MODELS}/lora")
    assert (first["default"], second["default"]) == (True, False)


@pytest.mark.usefixtures("two_deployments")
async def test_a_new_default_takes_over_from_its_siblings(platform: Platform) -> None:
    await load(platform, "d")
    second = await load(platform, "e")
    await platform.admin.ok("PATCH", second["name"], {"default": True}, updateMask="default")
    assert await defaults(platform) == ["e"]


@pytest.mark.usefixtures("two_deployments")
async def test_of_concurrent_loads_and_defaults_one_is_the_default(platform: Platform) -> None:
    loaded = await asyncio.gather(*(load(platform, name) for name in "de"))
    assert len(await defaults(platform)) == 1
    answers = await asyncio.gather(
        *(platform.admin("PATCH", row["name"], {"default": True}) for row in loaded * 2)
    )
    assert {status for status, _ in answers} == {200}
    assert len(await defaults(platform)) == 1


@pytest.mark.usefixtures("two_deployments")
async def test_a_model_is_deployed_once_on_a_deployment(platform: Platform) -> None:
    await load(platform, "d")
    await platform.admin.fails(409, "POST", DEPLOYED, {"model": "lora", "deployment": "d"})


@pytest.mark.usefixtures("two_deployments")
async def test_unloading_the_default_makes_another_the_default(platform: Platform) -> None:
    first, _ = await load(platform, "d"), await load(platform, "e")
    assert await platform.admin.ok("DELETE", first["name"]) == {}
    assert (await platform.admin.ok("GET", first["name"]))["state"] == "UNDEPLOYING"
    assert await defaults(platform) == ["e"]
    await platform.admin.fails(404, "DELETE", first["name"])


@pytest.mark.usefixtures("two_deployments")
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "model"),
        ({"model": "absent", "deployment": "d"}, "absent"),
        ({"model": "lora", "deployment": "absent"}, "absent"),
        ({"model": "lora", "deployment": "accounts/other/deployments/d"}, "not found"),
        ({"model": "lora", "deployment": "plain"}, "enableAddons"),
        ({"model": "lora", "deployment": "stranger"}, "adapter of"),
        ({"model": "second", "deployment": "d"}, "serves"),
        ({"model": "lora", "deployment": "broken"}, "FAILED"),
        ({"model": "lora"}, "platform serves no deployment"),
    ],
)
async def test_what_cannot_be_loaded_is_refused(
    platform: Platform, body: dict[str, str], reason: str
) -> None:
    await platform.add_model(f"{MODELS}/second")
    await platform.add("accounts/acme/deployments/plain", baseModel=f"{MODELS}/base")
    await platform.add("accounts/acme/deployments/stranger", baseModel=f"{MODELS}/second", enableAddons=True)
    await platform.add(
        "accounts/acme/deployments/broken", "FAILED", baseModel=f"{MODELS}/base", enableAddons=True
    )
    assert reason in await platform.admin.fails(400, "POST", DEPLOYED, body)


async def test_without_a_deployment_the_platforms_own_is_used(platform: Platform) -> None:
    await platform.add_model("accounts/sparrel/models/base", public=True)
    await platform.add_adapter(base="accounts/sparrel/models/base")
    await platform.add(
        "accounts/sparrel/deployments/shared", baseModel="accounts/sparrel/models/base", enableAddons=True
    )
    loaded = await platform.admin.ok("POST", DEPLOYED, {"model": "lora"})
    assert (loaded["deployment"], loaded["serverless"]) == ("accounts/sparrel/deployments/shared", True)


@pytest.mark.usefixtures("two_deployments")
async def test_model_and_deployment_of_a_deployed_model_are_fixed(platform: Platform) -> None:
    loaded = await load(platform, "d")
    changed = await platform.admin.ok(
        "PATCH", loaded["name"], {"public": True, "model": "lora", "deployment": "d"}
    )
    assert changed["public"]
    await platform.admin.fails(400, "PATCH", loaded["name"], {"deployment": "e"})


@pytest.mark.usefixtures("two_deployments")
async def test_an_account_has_a_hundred_adapters_at_most(platform: Platform) -> None:
    for number in range(100):
        await platform.add(f"{DEPLOYED}/x{number}", "DEPLOYED", model=f"{MODELS}/m{number}")
    message = await platform.admin.fails(429, "POST", DEPLOYED, {"model": "lora", "deployment": "d"})
    assert "100" in message
