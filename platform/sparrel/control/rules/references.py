"""Finding what a resource refers to: in the caller's account, then in the platform's."""

from __future__ import annotations

from sparrel.errors import FailedPrecondition, InvalidArgument, PaymentRequired
from sparrel.kernel import names
from sparrel.kernel.context import Context
from sparrel.kernel.rows import Reader, Row, Transaction
from sparrel.settings import PLATFORM_ACCOUNT


def candidates(value: str, collection: str, account: str) -> list[str]:
    """Return the full names that `value` may mean, best first."""
    name = names.complete(value, collection, account, field=collection)
    if names.account_of(name) == account != PLATFORM_ACCOUNT and name.count("/") == 3:
        return [name, names.join(f"accounts/{PLATFORM_ACCOUNT}", collection, names.id_of(name))]
    return [name]


async def find(ctx: Context, reader: Reader, value: str, collection: str) -> Row | None:
    """Return what a reference means to the caller; None for what is absent or not theirs to see."""
    for name in candidates(value, collection, ctx.account):
        row = await reader.get(name)
        if row is not None and (row.account == ctx.account or row.document.get("public")):
            return row
    return None


async def ready_model(ctx: Context, tx: Transaction, value: str, field: str) -> Row:
    """Return the model that a field refers to; raise when it cannot be used yet."""
    row = await find(ctx, tx, value, "models")
    if row is None:
        raise InvalidArgument(f'{field}: model "{value}" not found', param=field)
    if row.state != "READY":
        raise FailedPrecondition(f'{field}: model "{row.name}" is {row.state}, not READY', param=field)
    return row


async def check_not_suspended(ctx: Context, tx: Transaction) -> None:
    """Raise PaymentRequired when the account may not run anything."""
    account = await tx.get(f"accounts/{ctx.account}")
    state = account.document["suspendState"] if account is not None else "UNSUSPENDED"
    if state != "UNSUSPENDED":
        raise PaymentRequired(f'account "{ctx.account}" is suspended: {state}')


def is_addon(model: Row) -> bool:
    return str(model.document["kind"]).endswith("_ADDON")
