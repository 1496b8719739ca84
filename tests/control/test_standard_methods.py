"""Create, get, list, update and delete, as every resource has them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.platform import Platform
from tests.support.stores import make_row

MODELS = "accounts/acme/models"
BASE: dict[str, Any] = {"kind": "HF_BASE_MODEL", "baseModelDetails": {"parameterCount": "7"}}


# --- create ----------------------------------------------------------------------------------------


async def test_a_created_resource_is_complete(platform: Platform) -> None:
    model = await platform.admin.ok("POST", MODELS, {"modelId": "m", "model": {**BASE, "displayName": "M"}})
    assert model["name"] == f"{MODELS}/m"
    assert model["createdBy"] == "admin@acme.test"
    assert model["createTime"] == model["updateTime"] is not None
    assert model["baseModelDetails"]["parameterCount"] == "7"
    assert model["precisions"] == []
    assert model["annotations"] == {}
    assert model["peftDetails"] is None
    assert await platform.admin.ok("GET", f"{MODELS}/m") == model


async def test_snake_case_unknown_keys_and_output_only_fields_are_taken_well(platform: Platform) -> None:
    body = {
        "model_id": "m",
        "model": {
            "kind": "HF_BASE_MODEL",
            "base_model_details": {"parameter_count": 7, "color": "red"},
            "state": "READY",
            "name": "accounts/other/models/x",
            "forTraining": True,
        },
    }
    model = await platform.admin.ok("POST", MODELS, body)
    assert (model["name"], model["state"]) == (f"{MODELS}/m", "UPLOADING")


async def test_an_id_is_used_once(platform: Platform) -> None:
    await platform.admin.ok("POST", MODELS, {"modelId": "m", "model": BASE})
    message = await platform.admin.fails(409, "POST", MODELS, {"modelId": "m", "model": BASE})
    assert f"{MODELS}/m" in message


async def test_of_concurrent_creates_exactly_one_wins(platform: Platform) -> None:
    calls = (platform.admin("POST", MODELS, {"modelId": "m", "model": BASE}) for _ in range(6))
    assert sorted(status for status, _ in await asyncio.gather(*calls)) == [200] + [409] * 5


@pytest.mark.parametrize("chosen", ["A", "1a", "a_", "-a", "a" * 64])
async def test_a_malformed_id_is_refused(platform: Platform, chosen: str) -> None:
    assert "invalid id" in await platform.admin.fails(400, "POST", MODELS, {"modelId": chosen, "model": BASE})


async def test_a_missing_id_has_the_message_that_clients_know(platform: Platform) -> None:
    message = await platform.admin.fails(400, "POST", MODELS, {"model": BASE})
    assert message == "invalid id: id must be at least 1 character long"


# --- list ------------------------------------------------------------------------------------------


async def test_an_empty_list_has_all_its_keys(platform: Platform) -> None:
    assert await platform.admin.ok("GET", MODELS) == {"models": [], "nextPageToken": "", "totalSize": 0}


async def test_pages_follow_each_other_until_the_total_is_reached(platform: Platform) -> None:
    for number in range(5):
        await platform.add_model(f"{MODELS}/m{number}")
    seen: list[str] = []
    token = ""
    while True:
        page = await platform.admin.ok("GET", MODELS, pageSize=2, pageToken=token)
        assert page["totalSize"] == 5
        seen += [model["name"] for model in page["models"]]
        token = page["nextPageToken"]
        if not token:
            break
    assert seen == [f"{MODELS}/m{number}" for number in range(5)]


@pytest.mark.parametrize(
    "changed",
    [{"pageSize": 3}, {"filter": "m"}, {"orderBy": "create_time"}, {"readMask": "name"}],
)
async def test_a_token_of_another_request_is_refused(platform: Platform, changed: dict[str, Any]) -> None:
    for number in range(3):
        await platform.add_model(f"{MODELS}/m{number}")
    token = (await platform.admin.ok("GET", MODELS, pageSize=1))["nextPageToken"]
    params = {"pageSize": 1, "pageToken": token, **changed}
    assert "other parameters" in await platform.admin.fails(400, "GET", MODELS, **params)


async def test_large_page_sizes_are_coerced(platform: Platform) -> None:
    async with platform.store.transaction() as tx:
        for number in range(205):
            await tx.insert(make_row(f"{MODELS}/m{number:03}"))
    assert len((await platform.admin.ok("GET", MODELS, pageSize=1000))["models"]) == 200
    assert len((await platform.admin.ok("GET", MODELS))["models"]) == 50
    assert len((await platform.admin.ok("GET", MODELS, page_size=-1))["models"]) == 50


async def test_lists_filter_and_order(platform: Platform) -> None:
    for number, title in enumerate(["b", "a", "b"]):
        await platform.add_model(f"{MODELS}/m{number}", displayName=title)
    page = await platform.admin.ok("GET", MODELS, filter='display_name="b"', orderBy="name desc")
    assert [model["name"][-2:] for model in page["models"]] == ["m2", "m0"]
    assert page["totalSize"] == 2


async def test_a_read_mask_leaves_the_rest_unset(platform: Platform) -> None:
    await platform.add_model(f"{MODELS}/m", displayName="M")
    page = await platform.admin.ok("GET", MODELS, readMask="name")
    assert page["models"][0]["name"] == f"{MODELS}/m"
    assert page["models"][0]["displayName"] == ""
    assert (await platform.admin.ok("GET", f"{MODELS}/m", readMask="*"))["displayName"] == "M"


# --- update ----------------------------------------------------------------------------------------


async def test_without_a_mask_the_rest_survives(platform: Platform) -> None:
    await platform.add_model(f"{MODELS}/m", displayName="M", description="D")
    model = await platform.admin.ok("PATCH", f"{MODELS}/m", {"display_name": "N"})
    assert (model["displayName"], model["description"]) == ("N", "D")
    assert model["updateTime"] > model["createTime"]


async def test_with_a_mask_exactly_its_paths_change(platform: Platform) -> None:
    await platform.add_model(f"{MODELS}/m", displayName="M", description="D")
    model = await platform.admin.ok(
        "PATCH",
        f"{MODELS}/m",
        {"displayName": "N", "contextLength": 9},
        updateMask="display_name,description",
    )
    assert (model["displayName"], model["description"], model["contextLength"]) == ("N", "", 0)


async def test_an_immutable_field_may_be_repeated_but_not_changed(platform: Platform) -> None:
    await platform.add_model(f"{MODELS}/m")
    await platform.admin.ok("PATCH", f"{MODELS}/m", {"kind": "HF_BASE_MODEL", "displayName": "N"})
    message = await platform.admin.fails(400, "PATCH", f"{MODELS}/m", {"kind": "HF_PEFT_ADDON"})
    assert "kind cannot be changed" in message


async def test_output_only_fields_are_ignored_on_update(platform: Platform) -> None:
    await platform.add_model(f"{MODELS}/m")
    model = await platform.admin.ok(
        "PATCH", f"{MODELS}/m", {"state": "UPLOADING", "name": "x"}, updateMask="state"
    )
    assert model["state"] == "READY"


async def test_concurrent_updates_lose_nothing(platform: Platform) -> None:
    await platform.add_model(f"{MODELS}/m")
    calls = (
        platform.admin(
            "PATCH", f"{MODELS}/m", {"annotations": {f"k{n}": "v"}}, updateMask=f"annotations.k{n}"
        )
        for n in range(12)
    )
    assert {status for status, _ in await asyncio.gather(*calls)} == {200}
    model = await platform.admin.ok("GET", f"{MODELS}/m")
    assert len(model["annotations"]) == 12


# --- delete ----------------------------------------------------------------------------------------


async def test_a_second_delete_is_not_found(platform: Platform) -> None:
    await platform.add_model(f"{MODELS}/m")
    assert await platform.admin.ok("DELETE", f"{MODELS}/m") == {}
    await platform.admin.fails(404, "DELETE", f"{MODELS}/m")
    await platform.admin.fails(404, "PATCH", f"{MODELS}/m", {"displayName": "x"})


# --- who may ---------------------------------------------------------------------------------------


async def test_another_accounts_resource_looks_absent(platform: Platform) -> None:
    await platform.add_model(f"{MODELS}/m")
    there = await platform.other("GET", f"{MODELS}/m")
    absent = await platform.other("GET", f"{MODELS}/n")
    assert there[0] == absent[0] == 404
    assert there[1]["message"].replace("/m", "/n") == absent[1]["message"].replace("/m", "/n")
    await platform.other.fails(404, "PATCH", f"{MODELS}/m", {"displayName": "x"})
    await platform.other.fails(404, "DELETE", f"{MODELS}/m")


async def test_another_account_can_be_neither_listed_nor_written(platform: Platform) -> None:
    for account in ("acme", "absent"):
        await platform.other.fails(403, "POST", f"accounts/{account}/models", {"modelId": "m", "model": BASE})
        await platform.other.fails(403, "GET", f"accounts/{account}/deployments")


async def test_public_models_are_everybodys_to_read(platform: Platform) -> None:
    await platform.add_model("accounts/sparrel/models/open", public=True)
    await platform.add_model("accounts/sparrel/models/closed")
    for account in ("sparrel", "fireworks"):
        model = await platform.user.ok("GET", f"accounts/{account}/models/open")
        assert model["name"] == "accounts/sparrel/models/open"
        page = await platform.user.ok(
            "GET", f"accounts/{account}/models", filter="supports_lora=false OR open"
        )
        assert [m["name"] for m in page["models"]] == ["accounts/sparrel/models/open"]
        assert page["totalSize"] == 1
    await platform.user.fails(404, "GET", "accounts/sparrel/models/closed")
    await platform.user.fails(403, "DELETE", "accounts/sparrel/models/open")
    await platform.user.fails(403, "PATCH", "accounts/sparrel/models/open", {"displayName": "mine"})


async def test_writes_are_audited_without_secrets_or_long_texts(platform: Platform) -> None:
    template = {"style": "jinja", "template": "SECRET TEMPLATE"}
    await platform.admin.ok(
        "POST", MODELS, {"modelId": "m", "model": {**BASE, "conversationConfig": template}}
    )
    key = await platform.admin.ok("POST", "accounts/acme/apiKeys", {"apiKey": {}})
    await platform.admin.ok("DELETE", f"{MODELS}/m")
    events = await platform.store.events("acme")
    assert [event.method for event in events] == ["DeleteModel", "CreateApiKey", "CreateModel"]
    assert {event.actor for event in events} == {"admin@acme.test"}
    assert "SECRET" not in str(events)
    assert key["key"] not in str(events)
