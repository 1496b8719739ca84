"""Users: managed by administrators, of whom at least one remains."""

from __future__ import annotations

import re
import secrets
from typing import Any

from sparrel.errors import AlreadyExists, FailedPrecondition, InvalidArgument
from sparrel.kernel.context import Context
from sparrel.kernel.filtering import parse
from sparrel.kernel.masks import Path
from sparrel.kernel.rows import Query, Row, Transaction
from sparrel.kernel.rules import Rules, rules_for
from sparrel.resources.user import User

ROLES = ("admin", "user", "contributor", "inference-user")
_EMAIL = re.compile(r"[^@\s\"'\\]+@[^@\s\"'\\]+")


@rules_for(User)
class UserRules(Rules):
    async def prepare(self, ctx: Context, tx: Transaction, document: dict[str, Any]) -> None:
        document["role"] = document["role"] or "user"
        if document["serviceAccount"] and not document["email"]:
            document["email"] = f"service-{secrets.token_hex(3)}@{ctx.account}"

    async def new_id(self, ctx: Context, tx: Transaction, document: dict[str, Any]) -> str:
        """Make `alice-08bb29` for alice@example.com."""
        local = re.sub(r"[^a-z0-9]+", "-", document["email"].split("@")[0].lower()).strip("-")[:50].strip("-")
        stem = local if local[:1].isalpha() else f"u-{local}".strip("-")
        return f"{stem}-{secrets.token_hex(3)}"

    async def validate_create(self, ctx: Context, tx: Transaction, row: Row) -> None:
        _check_role(row)
        email = row.document["email"]
        if not _EMAIL.fullmatch(email):
            raise InvalidArgument(f"email: {email!r} is not an e-mail address", param="email")
        await _lock_account(ctx, tx)
        if await _with(ctx, tx, f'email="{email}"'):
            raise AlreadyExists(f'a user with email "{email}" already exists in account "{ctx.account}"')
        row.set_state("READY")

    async def validate_update(
        self, ctx: Context, tx: Transaction, old: Row, new: Row, paths: tuple[Path, ...]
    ) -> None:
        _check_role(new)
        if new.document["role"] != "admin":
            await _keep_an_admin(ctx, tx, old)

    async def delete(self, ctx: Context, tx: Transaction, row: Row) -> None:
        """Delete the user together with their keys."""
        await _keep_an_admin(ctx, tx, row)
        keys = await tx.list(Query(collection="apiKeys", parent=row.name, page_size=10_000, count=False))
        for key in keys.rows:
            await tx.delete(key.name)
        await tx.delete(row.name, expected_version=row.version)


def _check_role(row: Row) -> None:
    if row.document["role"] not in ROLES:
        raise InvalidArgument(
            f"role: {row.document['role']!r} is not one of {', '.join(ROLES)}", param="role"
        )


async def _keep_an_admin(ctx: Context, tx: Transaction, user: Row) -> None:
    """Raise FailedPrecondition when `user` is the last administrator."""
    if user.document["role"] != "admin":
        return
    await _lock_account(ctx, tx)
    if not [name for name in await _with(ctx, tx, "role=admin") if name != user.name]:
        raise FailedPrecondition(f'"{user.name}" is the last administrator of its account')


async def _lock_account(ctx: Context, tx: Transaction) -> None:
    """Let one change of the account's users happen at a time: the checks look at all of them."""
    await tx.get(f"accounts/{ctx.account}", lock=True)


async def _with(ctx: Context, tx: Transaction, text: str) -> list[str]:
    query = Query(collection="users", account=ctx.account, filter=parse(User, text), page_size=2, count=False)
    return [row.name for row in (await tx.list(query)).rows]
