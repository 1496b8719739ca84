"""What a resource does beyond storing its fields: hooks around the standard methods.

    @rules_for(Deployment)
    class DeploymentRules(Rules):
        async def validate_create(self, ctx, tx, row): ...

A resource without a class of its own has `Rules` itself: plain storage. All hooks of one request run in
the transaction that stores its outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sparrel.kernel import names
from sparrel.kernel.context import Context
from sparrel.kernel.masks import Path
from sparrel.kernel.resource import Resource
from sparrel.kernel.rows import Row, Transaction


class Rules:
    """Defaults: no rules."""

    async def locate(self, ctx: Context) -> None:
        """Say where the path of a create or list leads: adjust `ctx.account` and `ctx.parent`."""

    async def list_scope(self, ctx: Context) -> tuple[str | None, str | None]:
        """Return which rows a list covers: those of an account, or those under a parent."""
        if len(ctx.resource.spec.parents) <= 1:
            return ctx.account, None
        return None, ctx.parent

    async def new_id(self, ctx: Context, tx: Transaction, document: dict[str, Any]) -> str:
        """Make the id of a resource whose creator chose none."""
        return names.generate_id(ctx.resource.spec.id_rule)

    async def prepare(self, ctx: Context, tx: Transaction, document: dict[str, Any]) -> None:
        """Fill in server defaults, before required fields are checked."""

    async def validate_create(self, ctx: Context, tx: Transaction, row: Row) -> None:
        """Refuse, or set `row.state` and `row.internal`."""

    async def after_create(self, ctx: Context, tx: Transaction, row: Row) -> None:
        """Write what belongs to the new row."""

    async def validate_update(
        self, ctx: Context, tx: Transaction, old: Row, new: Row, paths: tuple[Path, ...]
    ) -> None:
        """Refuse, or adjust `new`."""

    async def after_update(self, ctx: Context, tx: Transaction, old: Row, new: Row) -> None:
        """Write what follows from the change."""

    async def delete(self, ctx: Context, tx: Transaction, row: Row) -> None:
        """Refuse, or delete."""
        await tx.delete(row.name, expected_version=row.version)

    async def after_delete(self, ctx: Context, row: Row) -> None:
        """Clear away what lies outside the store; called once the deletion is stored."""

    presents: bool = False
    """Whether `present` does anything: a plain Get is spared the call."""

    async def present(self, ctx: Context, documents: list[dict[str, Any]], *, single: bool) -> None:
        """Fill computed fields of answers, in place."""


R = TypeVar("R", bound=type[Rules])

_RULES: dict[type[Resource], Rules] = {}
_PLAIN = Rules()


def rules_for(resource: type[Resource]) -> Callable[[R], R]:
    """Register the decorated class as the rules of a resource."""

    def register(rules: R) -> R:
        _RULES[resource] = rules()
        return rules

    return register


def rules_of(resource: type[Resource]) -> Rules:
    return _RULES.get(resource, _PLAIN)
