"""Deployed models: loading, one default per model, unloading."""

from __future__ import annotations

import secrets
from typing import Any

from sparrel.control.rules.references import check_not_suspended, find, is_addon, ready_model
from sparrel.errors import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    ResourceExhausted,
)
from sparrel.kernel import names
from sparrel.kernel.context import Context, not_found
from sparrel.kernel.filtering import parse
from sparrel.kernel.masks import Path
from sparrel.kernel.rows import Query, Reader, Row, Transaction
from sparrel.kernel.rules import Rules, rules_for
from sparrel.resources.deployed_model import DeployedModel
from sparrel.resources.deployment import Deployment
from sparrel.settings import PLATFORM_ACCOUNT

MAX_LORAS = 100
"""Adapters that one account may have loaded."""
USABLE_DEPLOYMENT_STATES = ("CREATING", "READY", "UPDATING")


@rules_for(DeployedModel)
class DeployedModelRules(Rules):
    async def prepare(self, ctx: Context, tx: Transaction, document: dict[str, Any]) -> None:
        if not document["model"]:
            return
        await check_not_suspended(ctx, tx)
        model = await ready_model(ctx, tx, document["model"], "model")
        # Siblings are looked at and changed below: one change of a model's deployments at a time.
        await tx.get(model.name, lock=True)
        deployment = await _deployment(ctx, tx, document["deployment"], model)
        _check_fit(model, deployment)
        document["model"], document["deployment"] = model.name, deployment.name
        document["serverless"] = deployment.account == PLATFORM_ACCOUNT

    async def new_id(self, ctx: Context, tx: Transaction, document: dict[str, Any]) -> str:
        return deployed_model_id(document["model"])

    async def validate_create(self, ctx: Context, tx: Transaction, row: Row) -> None:
        siblings = await siblings_of(tx, row)
        if any(other.document["deployment"] == row.document["deployment"] for other in siblings):
            raise AlreadyExists(
                f'model "{row.document["model"]}" is already deployed on "{row.document["deployment"]}"'
            )
        count = await tx.list(Query(collection="deployedModels", account=ctx.account, page_size=1))
        if count.total >= MAX_LORAS:
            raise ResourceExhausted(f"an account may have {MAX_LORAS} deployed models; unload one first")
        row.document["default"] = row.document["default"] or not any(_is_default(o) for o in siblings)
        row.set_state("DEPLOYING")

    async def after_create(self, ctx: Context, tx: Transaction, row: Row) -> None:
        await _clear_other_defaults(tx, row)

    async def validate_update(
        self, ctx: Context, tx: Transaction, old: Row, new: Row, paths: tuple[Path, ...]
    ) -> None:
        if old.state == "UNDEPLOYING":
            raise FailedPrecondition(f'"{old.name}" is being unloaded')

    async def after_update(self, ctx: Context, tx: Transaction, old: Row, new: Row) -> None:
        if _is_default(new) and not _is_default(old):
            await tx.get(new.document["model"], lock=True)
            await _clear_other_defaults(tx, new)

    async def delete(self, ctx: Context, tx: Transaction, row: Row) -> None:
        """Mark it for unloading; the controller removes the row when it is gone."""
        if row.state == "UNDEPLOYING":
            raise not_found(ctx.resource, row.name)
        if _is_default(row):
            await _promote_another(tx, row)
        await undeploy(tx, row)


def deployed_model_id(model: str) -> str:
    """Make `<model-id>-<hash>`."""
    return f"{names.id_of(model)[:54].rstrip('-')}-{secrets.token_hex(4)}"


async def undeploy(tx: Transaction, row: Row) -> None:
    """Start to unload; without a deployment left there is nothing to wait for."""
    deployment = await tx.get(row.document["deployment"])
    if deployment is None or deployment.state == "DELETED":
        return await tx.delete(row.name, expected_version=row.version)
    row.set_state("UNDEPLOYING")
    row.document["default"] = False
    await tx.replace(row, expected_version=row.version)


async def siblings_of(reader: Reader, row: Row) -> list[Row]:
    """Return the account's other deployed models of the same model, oldest first."""
    text = f'model="{row.document["model"]}"'
    query = Query(
        collection="deployedModels",
        account=row.account,
        filter=parse(DeployedModel, text),
        page_size=1000,
        count=False,
    )
    rows = [r for r in (await reader.list(query)).rows if r.name != row.name and r.state != "UNDEPLOYING"]
    return sorted(rows, key=lambda other: other.create_time)


async def on_deployment(reader: Reader, deployment: str) -> list[Row]:
    """Return what is deployed on a deployment, and not on its way out."""
    query = Query(
        collection="deployedModels",
        filter=parse(DeployedModel, f'deployment="{deployment}"'),
        page_size=1000,
        count=False,
    )
    return [row for row in (await reader.list(query)).rows if row.state != "UNDEPLOYING"]


async def _deployment(ctx: Context, tx: Transaction, value: str, model: Row) -> Row:
    """Return the deployment asked for; without one, the platform's own for the adapter's base model."""
    if not value:
        return await _serverless_deployment(tx, model)
    row = await find(ctx, tx, value, "deployments")
    if row is None or row.account != ctx.account:
        raise InvalidArgument(f'deployment: deployment "{value}" not found', param="deployment")
    if row.state not in USABLE_DEPLOYMENT_STATES:
        raise FailedPrecondition(f'deployment "{row.name}" is {row.state}', param="deployment")
    return row


async def _serverless_deployment(tx: Transaction, model: Row) -> Row:
    base = (model.document["peftDetails"] or {}).get("baseModel") if is_addon(model) else model.name
    text = f'base_model="{base}"' + (" AND enable_addons=true" if is_addon(model) else "")
    query = Query(
        collection="deployments",
        account=PLATFORM_ACCOUNT,
        filter=parse(Deployment, text),
        page_size=10,
        count=False,
    )
    for row in (await tx.list(query)).rows:
        if row.state in USABLE_DEPLOYMENT_STATES:
            return row
    raise FailedPrecondition(f'the platform serves no deployment for "{base}"; name a deployment of your own')


def _check_fit(model: Row, deployment: Row) -> None:
    base = deployment.document["baseModel"]
    if not is_addon(model):
        if model.name != base:
            raise InvalidArgument(
                f'deployment "{deployment.name}" serves "{base}", not "{model.name}"', param="deployment"
            )
        return
    if not deployment.document["enableAddons"]:
        raise FailedPrecondition(
            f'deployment "{deployment.name}" does not take adapters: enableAddons is false',
            param="deployment",
        )
    wanted = (model.document["peftDetails"] or {}).get("baseModel", "")
    if wanted != base:
        raise InvalidArgument(
            f'"{model.name}" is an adapter of "{wanted}", but "{deployment.name}" serves "{base}"',
            param="deployment",
        )


def _is_default(row: Row) -> bool:
    return bool(row.document["default"])


async def _clear_other_defaults(tx: Transaction, row: Row) -> None:
    if _is_default(row):
        for other in await siblings_of(tx, row):
            if _is_default(other):
                other.document["default"] = False
                await tx.replace(other, expected_version=other.version)


async def _promote_another(tx: Transaction, row: Row) -> None:
    """Make the oldest other deployment of the model its default."""
    for other in (await siblings_of(tx, row))[:1]:
        other.document["default"] = True
        await tx.replace(other, expected_version=other.version)
