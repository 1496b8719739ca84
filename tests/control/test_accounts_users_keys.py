"""Accounts, users and API keys."""

from __future__ import annotations

import re

import pytest

from sparrel.control.auth import StoreAuthenticator
from sparrel.errors import Unauthenticated
from tests.support.platform import Platform
from tests.support.stores import Clock

USERS, KEYS = "accounts/acme/users", "accounts/acme/apiKeys"

# --- accounts --------------------------------------------------------------------------------------


async def test_a_key_sees_exactly_its_own_account(platform: Platform) -> None:
    page = await platform.user.ok("GET", "accounts", pageSize=2, filter="", orderBy="anything")
    assert [account["name"] for account in page["accounts"]] == ["accounts/acme"]
    assert page["totalSize"] == 1
    assert (await platform.user.ok("GET", "accounts/acme"))["suspendState"] == "UNSUSPENDED"
    await platform.user.fails(404, "GET", "accounts/other")


# --- users -----------------------------------------------------------------------------------------


async def test_a_users_id_is_made_from_the_address(platform: Platform) -> None:
    user = await platform.admin.ok("POST", USERS, {"email": "John.Doe@x.test"})
    assert re.fullmatch(USERS + r"/john-doe-[0-9a-f]{6}", user["name"])
    assert (user["role"], user["state"]) == ("user", "READY")
    named = await platform.admin.ok("POST", USERS, {"email": "a@x.test", "role": "admin"}, userId="alice")
    assert named["name"] == f"{USERS}/alice"


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "email"), ({"email": "nobody"}, "email"), ({"email": "a@b.c", "role": "king"}, "role")],
)
async def test_a_user_needs_an_address_and_a_known_role(
    platform: Platform, body: dict[str, str], field: str
) -> None:
    assert field in await platform.admin.fails(400, "POST", USERS, body)


async def test_an_address_is_used_once_per_account(platform: Platform) -> None:
    await platform.admin.fails(409, "POST", USERS, {"email": "user@acme.test"})
    await platform.other.ok("POST", "accounts/other/users", {"email": "user@acme.test"})


async def test_only_administrators_manage_users(platform: Platform) -> None:
    await platform.user.fails(403, "POST", USERS, {"email": "a@x.test"})
    await platform.user.fails(403, "PATCH", f"{USERS}/user", {"role": "admin"})
    await platform.user.fails(403, "DELETE", f"{USERS}/admin")
    assert (await platform.user.ok("GET", USERS))["totalSize"] == 2


async def test_a_user_is_updated_but_keeps_the_address(platform: Platform) -> None:
    user = await platform.admin.ok("PATCH", f"{USERS}/user", {"displayName": "U", "role": "admin"})
    assert (user["displayName"], user["role"]) == ("U", "admin")
    await platform.admin.fails(400, "PATCH", f"{USERS}/user", {"email": "new@x.test"})
    await platform.admin.fails(400, "PATCH", f"{USERS}/user", {}, updateMask="role")


async def test_the_last_administrator_stays(platform: Platform) -> None:
    await platform.admin.fails(400, "PATCH", f"{USERS}/admin", {"role": "user"})
    await platform.admin.fails(400, "DELETE", f"{USERS}/admin")


async def test_a_deleted_users_keys_stop_working(platform: Platform) -> None:
    assert await platform.admin.ok("DELETE", f"{USERS}/user") == {}
    await platform.user.fails(401, "GET", "accounts")


async def test_a_service_account_needs_no_address(platform: Platform) -> None:
    user = await platform.admin.ok("POST", USERS, {"serviceAccount": True, "role": "user"}, userId="robot")
    assert user["serviceAccount"]
    assert user["email"]


# --- keys ------------------------------------------------------------------------------------------


async def test_a_key_is_shown_once_and_works(platform: Platform) -> None:
    key = await platform.user.ok("POST", KEYS, {"apiKey": {"displayName": "ci"}})
    assert re.fullmatch(r"sp_[A-Za-z0-9_-]{32,}", key["key"])
    assert key["prefix"] == key["key"][:8]
    assert (key["email"], key["secure"], key["expireTime"]) == ("user@acme.test", True, None)
    (listed,) = [k for k in (await platform.user.ok("GET", KEYS))["apiKeys"] if k["keyId"] == key["keyId"]]
    assert listed["key"] == ""
    answer = await platform.client(key["key"]).get("/verifyApiKey")
    assert answer.headers["x-fireworks-account-id"] == "acme"


async def test_a_key_is_stored_only_as_a_hash(platform: Platform) -> None:
    key = (await platform.user.ok("POST", KEYS, {"apiKey": {}}))["key"]
    assert key not in str(await platform.store.scan("apiKeys"))


async def test_a_key_without_a_name_is_called_default(platform: Platform) -> None:
    assert (await platform.user.ok("POST", KEYS, {"apiKey": {}}))["displayName"] == "default"
    await platform.user.fails(400, "POST", KEYS, {})


async def test_everybody_sees_their_own_keys_and_an_administrator_all(platform: Platform) -> None:
    assert (await platform.user.ok("GET", KEYS))["totalSize"] == 1
    assert (await platform.user.ok("GET", f"{USERS}/user/apiKeys"))["totalSize"] == 1
    assert (await platform.admin.ok("GET", f"{USERS}/user/apiKeys"))["totalSize"] == 1
    assert (await platform.admin.ok("GET", f"{USERS}/-/apiKeys"))["totalSize"] == 2
    await platform.user.fails(403, "GET", f"{USERS}/-/apiKeys")
    await platform.user.fails(403, "GET", f"{USERS}/admin/apiKeys")
    await platform.admin.fails(404, "GET", f"{USERS}/nobody/apiKeys")
    await platform.other.fails(403, "GET", KEYS)


async def test_an_administrator_makes_keys_for_others(platform: Platform) -> None:
    key = await platform.admin.ok("POST", f"{USERS}/user/apiKeys", {"apiKey": {}})
    assert key["email"] == "user@acme.test"
    await platform.user.fails(403, "POST", f"{USERS}/admin/apiKeys", {"apiKey": {}})


async def test_a_key_is_deleted_by_its_owner_or_an_administrator(platform: Platform) -> None:
    mine = (await platform.user.ok("POST", KEYS, {"apiKey": {}}))["keyId"]
    also = (await platform.user.ok("POST", KEYS, {"api_key": {}}))["keyId"]
    admins = (await platform.admin.ok("POST", KEYS, {"apiKey": {}}))["keyId"]
    await platform.user.fails(404, "POST", f"{KEYS}:delete", {"keyId": admins})
    assert await platform.user.ok("POST", f"{KEYS}:delete", {"keyId": mine}) == {}
    assert await platform.admin.ok("POST", f"{USERS}/user/apiKeys:delete", {"key_id": also}) == {}
    await platform.user.fails(404, "POST", f"{KEYS}:delete", {"keyId": mine})
    assert "keyId" in await platform.user.fails(400, "POST", f"{KEYS}:delete", {})


async def test_a_key_stops_at_its_expire_time(platform: Platform, clock: Clock) -> None:
    body = {"apiKey": {"expireTime": "2026-01-02T00:00:00Z"}}
    key = (await platform.user.ok("POST", KEYS, body))["key"]
    assert (await platform.client(key).get("/verifyApiKey")).status_code == 200
    clock.advance(24 * 3600)
    assert (await platform.client(key).get("/verifyApiKey")).status_code == 401
    await platform.user.fails(400, "POST", KEYS, body)


async def test_a_revoked_key_is_remembered_for_less_than_a_second(platform: Platform) -> None:
    now = 0.0
    authenticator = StoreAuthenticator(platform.store, clock=lambda: now)
    assert (await authenticator.authenticate("key-acme-user")).user == "user"
    await platform.admin.ok("POST", f"{KEYS}:delete", {"keyId": "user"})
    assert (await authenticator.authenticate("key-acme-user")).role == "user"
    now = 0.99
    with pytest.raises(Unauthenticated):
        await authenticator.authenticate("key-acme-user")
