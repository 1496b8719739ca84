"""Accounts: a key sees its own."""

from __future__ import annotations

from sparrel.kernel.context import Context
from sparrel.kernel.rules import Rules, rules_for
from sparrel.resources.account import Account


@rules_for(Account)
class AccountRules(Rules):
    async def locate(self, ctx: Context) -> None:
        """A list shows exactly the caller's account: clients read their account id from it."""
        ctx.account = ctx.principal.account
