"""API keys: a user's own, any user's for an administrator; the secret is shown once."""

from __future__ import annotations

from typing import Any

from sparrel.control.auth import SHOWN_CHARACTERS, lookup_of, new_key
from sparrel.errors import InvalidArgument, NotFound, PermissionDenied
from sparrel.kernel import wire
from sparrel.kernel.context import Context, not_found
from sparrel.kernel.fields import parse_timestamp
from sparrel.kernel.methods import transact
from sparrel.kernel.rows import Row, Transaction
from sparrel.kernel.rules import Rules, rules_for
from sparrel.kernel.verbs import custom_verb
from sparrel.resources.api_key import ApiKey, DeleteApiKeyRequest


@rules_for(ApiKey)
class ApiKeyRules(Rules):
    async def locate(self, ctx: Context) -> None:
        """The account's path means the caller's own keys, `users/-` everybody's."""
        if ctx.account != ctx.principal.account:
            raise PermissionDenied(f'your API key may not use account "{ctx.account}"')
        ctx.parent = _owner(ctx)
        if not ctx.parent.endswith("/-") and await ctx.store.get(ctx.parent) is None:
            raise NotFound(f'user "{ctx.parent}" not found')

    async def list_scope(self, ctx: Context) -> tuple[str | None, str | None]:
        return (ctx.account, None) if ctx.parent.endswith("/-") else (None, ctx.parent)

    async def prepare(self, ctx: Context, tx: Transaction, document: dict[str, Any]) -> None:
        document["displayName"] = document["displayName"] or "default"
        expires = document["expireTime"]
        if expires and parse_timestamp(expires) <= ctx.now():
            raise InvalidArgument("expireTime must be in the future", param="expireTime")

    async def validate_create(self, ctx: Context, tx: Transaction, row: Row) -> None:
        owner = await tx.get(ctx.parent)
        if owner is None:
            raise InvalidArgument("say whose key it is: users/- is everybody", param="user")
        key = new_key()
        # One name per key whichever path it was made under, so that it can be deleted by its id alone.
        row.name = f"accounts/{ctx.account}/apiKeys/{row.id}"
        row.lookup = lookup_of(key)
        row.internal = {"user": owner.name}
        row.document |= {
            "email": owner.document["email"],
            "prefix": key[:SHOWN_CHARACTERS],
            "secure": True,
        }
        ctx.shown = {"key": key}


@custom_verb(ApiKey, "delete", on="collection")
async def delete_api_key(ctx: Context) -> dict[str, Any]:
    """Revoke a key: one's own, or any of the account for an administrator."""
    request = wire.read(DeleteApiKeyRequest, ctx.body, what="request")
    if not request.key_id:
        raise InvalidArgument("missing required field: keyId", param="keyId")
    owner = _owner(ctx)
    name = f"accounts/{ctx.account}/apiKeys/{request.key_id}"

    async def work(tx: Transaction) -> None:
        row = await tx.get(name, lock=True)
        any_owner = ctx.principal.is_admin and owner in (_own(ctx), f"accounts/{ctx.account}/users/-")
        if row is None or not (any_owner or row.parent == owner):
            raise not_found(ApiKey, request.key_id)
        await tx.delete(name)
        await tx.append_event(ctx.event("Delete", name))

    await transact(ctx, work)
    return {}


def _own(ctx: Context) -> str:
    return f"accounts/{ctx.account}/users/{ctx.principal.user}"


def _owner(ctx: Context) -> str:
    """Return the user in the path, the caller for the account's own path; refuse others' to non-admins."""
    owner = ctx.parent if "/users/" in ctx.parent else _own(ctx)
    if owner != _own(ctx) and not ctx.principal.is_admin:
        raise PermissionDenied("only an administrator may use other users' API keys")
    return owner
