"""Deployments: server defaults, their life from CREATING to DELETED, and what is deployed on them.

A request only writes what should be: the controller starts and stops replicas and moves the states.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, cast

from sparrel.control.auth import lookup_of
from sparrel.control.rules.deployed_models import (
    USABLE_DEPLOYMENT_STATES,
    deployed_model_id,
    on_deployment,
    siblings_of,
    undeploy,
)
from sparrel.control.rules.deployment_checks import apply_defaults, auto_delete_seconds, check
from sparrel.control.rules.references import check_not_suspended, is_addon, ready_model
from sparrel.control.store import Store
from sparrel.errors import FailedPrecondition, InvalidArgument
from sparrel.kernel import methods, names, wire
from sparrel.kernel.context import Context, not_found
from sparrel.kernel.fields import format_timestamp
from sparrel.kernel.filtering import parse
from sparrel.kernel.masks import Path
from sparrel.kernel.rows import Query, Row, Transaction
from sparrel.kernel.rules import Rules, rules_for
from sparrel.kernel.verbs import custom_verb
from sparrel.resources.deployed_model import DeployedModel
from sparrel.resources.deployment import Deployment, DeploymentMetrics, ScaleDeploymentRequest
from sparrel.settings import PLATFORM_ACCOUNT

PURGE_AFTER = timedelta(days=7)
"""A deleted deployment can be brought back for this long."""
GOING = ("DELETING", "DELETED")


@rules_for(Deployment)
class DeploymentRules(Rules):
    async def prepare(self, ctx: Context, tx: Transaction, document: dict[str, Any]) -> None:
        await check_not_suspended(ctx, tx)
        if not document["baseModel"]:
            return
        model = await ready_model(ctx, tx, document["baseModel"], "baseModel")
        if is_addon(model):
            raise InvalidArgument(
                f'baseModel: "{model.name}" is an adapter; load it on a deployment of its base model',
                param="baseModel",
            )
        document["baseModel"] = model.name
        await _resolve_draft(ctx, tx, document)
        apply_defaults(document, given=ctx.given, model=model.document, suppress_draft=_no_draft(ctx))

    async def validate_create(self, ctx: Context, tx: Transaction, row: Row) -> None:
        await _check(ctx, tx, row)
        row.internal = {
            "autoDeleteSeconds": auto_delete_seconds(row.document),
            "lastUsedTime": row.create_time.timestamp(),
            "disableAutoDeploy": ctx.params.flag("disableAutoDeploy"),
        }
        _store_route_keys(ctx, row)
        row.set_state("CREATING")

    async def after_create(self, ctx: Context, tx: Transaction, row: Row) -> None:
        if not row.internal["disableAutoDeploy"]:
            await _deploy_base_model(ctx, tx, row)

    async def validate_update(
        self, ctx: Context, tx: Transaction, old: Row, new: Row, paths: tuple[Path, ...]
    ) -> None:
        if old.state in GOING:
            raise FailedPrecondition(f'deployment "{old.name}" is {old.state}')
        model = await tx.get(new.document["baseModel"])
        await _resolve_draft(ctx, tx, new.document)
        given = frozenset(wire.known_keys(Deployment, ctx.body))
        stays = frozenset(Deployment.fields()[f].wire for f in Deployment.fields()) - ctx.given
        apply_defaults(
            new.document,
            given=given | stays,
            model=model.document if model is not None else {},
            suppress_draft=True,
        )
        await _check(ctx, tx, new)
        new.internal["autoDeleteSeconds"] = auto_delete_seconds(new.document)
        _store_route_keys(ctx, new)
        if any(path[0] in ("minReplicaCount", "maxReplicaCount") for path in paths):
            # New bounds are the newer wish: an earlier `:scale` no longer counts.
            new.internal.pop("desiredReplicas", None)

    async def delete(self, ctx: Context, tx: Transaction, row: Row) -> None:
        """Start to delete; `hard` also purges, at once when nothing runs any more."""
        hard = ctx.params.flag("hard")
        if row.state in GOING and not hard:
            raise not_found(Deployment, row.name)
        deployed = await on_deployment(tx, row.name)
        if not ctx.params.flag("ignoreChecks"):
            await _check_unused(tx, row, deployed)
        for deployed_model in deployed:
            await undeploy(tx, deployed_model)
        if row.state == "DELETED":
            return await tx.delete(row.name, expected_version=row.version)
        row.internal["hard"] = hard
        row.internal.pop("desiredReplicas", None)
        row.document["purgeTime"] = format_timestamp(ctx.now() + (timedelta() if hard else PURGE_AFTER))
        row.set_state("DELETING")
        await tx.replace(row, expected_version=row.version)


def _no_draft(ctx: Context) -> bool:
    return ctx.params.flag("disableSpeculativeDecoding")


async def _resolve_draft(ctx: Context, tx: Transaction, document: dict[str, Any]) -> None:
    if document["draftModel"]:
        document["draftModel"] = (await ready_model(ctx, tx, document["draftModel"], "draftModel")).name


async def _check(ctx: Context, tx: Transaction, row: Row) -> None:
    model = await tx.get(row.document["baseModel"])
    check(row.document, model.document if model is not None else {}, ctx.now(), ctx.given)


def _store_route_keys(ctx: Context, row: Row) -> None:
    """Keep keys of the direct route as hashes, like API keys."""
    if "directRouteApiKeys" in ctx.secrets:
        row.internal["directRouteKeys"] = [lookup_of(key) for key in ctx.secrets["directRouteApiKeys"]]


async def _deploy_base_model(ctx: Context, tx: Transaction, row: Row) -> None:
    """Create the default deployed model, unless the base model is deployed where the caller reaches it."""
    model = row.document["baseModel"]
    await tx.get(model, lock=True)
    query = Query(
        collection="deployedModels",
        filter=parse(DeployedModel, f'model="{model}"'),
        page_size=1000,
        count=False,
    )
    for other in (await tx.list(query)).rows:
        reachable = other.account == row.account or bool(other.document["public"])
        if reachable and other.state != "UNDEPLOYING":
            return
    await tx.insert(base_deployed_model(row, created_by=ctx.principal.email))


def base_deployed_model(deployment: Row, *, created_by: str, public: bool = False) -> Row:
    """Return the row that makes a deployment the default place of its base model."""
    model = deployment.document["baseModel"]
    resource_id = deployed_model_id(model)
    document = DeployedModel().to_document() | {
        "model": model,
        "deployment": deployment.name,
        "default": True,
        "public": public,
        "createdBy": created_by,
        "serverless": deployment.account == PLATFORM_ACCOUNT,
    }
    row = Row(
        name=names.join(deployment.parent, "deployedModels", resource_id),
        account=deployment.account,
        collection="deployedModels",
        id=resource_id,
        parent=deployment.parent,
        create_time=deployment.create_time,
        update_time=deployment.create_time,
        document=document,
    )
    row.set_state("DEPLOYING")
    return row


async def _check_unused(tx: Transaction, row: Row, deployed: list[Row]) -> None:
    for deployed_model in deployed:
        if deployed_model.document["model"] != row.document["baseModel"]:
            raise FailedPrecondition(
                f'deployment "{row.name}" is in use: "{deployed_model.name}" is loaded on it; '
                "unload it first or pass ignoreChecks=true"
            )
        if deployed_model.document["default"] and await siblings_of(tx, deployed_model):
            raise FailedPrecondition(
                f'"{deployed_model.name}" is the default for its model, which is also deployed elsewhere; '
                "make another deployed model the default first or pass ignoreChecks=true"
            )


# --- custom verbs ----------------------------------------------------------------------------------


@custom_verb(Deployment, "scale", method="PATCH")
async def scale(ctx: Context) -> dict[str, Any]:
    """Set the number of replicas wanted now."""
    count = wire.read(ScaleDeploymentRequest, ctx.body, what="request").replica_count
    if count < 0:
        raise InvalidArgument("replicaCount must not be negative", param="replicaCount")

    def change(row: Row) -> None:
        if row.state not in USABLE_DEPLOYMENT_STATES:
            raise FailedPrecondition(f'deployment "{row.name}" is {row.state}')
        row.internal["desiredReplicas"] = count
        row.document["desiredReplicaCount"] = count

    await ctx.modify("Scale", change)
    return {}


@custom_verb(Deployment, "undelete")
async def undelete(ctx: Context) -> Any:
    """Start a deleted or failed deployment again."""

    async def work(tx: Transaction) -> Row:
        row = await methods.load(ctx, tx, lock=True)
        if row.state not in ("DELETED", "FAILED"):
            raise FailedPrecondition(f'deployment "{row.name}" is {row.state}, neither DELETED nor FAILED')
        await check_not_suspended(ctx, tx)
        await ready_model(ctx, tx, row.document["baseModel"], "baseModel")
        row.document |= {"deleteTime": None, "purgeTime": None}
        row.internal = {key: row.internal.get(key) for key in ("autoDeleteSeconds", "disableAutoDeploy")}
        row.internal["lastUsedTime"] = ctx.now().timestamp()
        row.set_state("CREATING")
        row = await tx.replace(row, expected_version=row.version)
        if not row.internal["disableAutoDeploy"]:
            await _deploy_base_model(ctx, tx, row)
        await tx.append_event(ctx.event("Undelete", row.name))
        return row

    return await methods.present(ctx, await methods.transact(ctx, work))


@custom_verb(Deployment, "metrics", method="GET")
async def metrics(ctx: Context) -> DeploymentMetrics:
    """Sum what the deployment's replicas reported last."""
    if (text := ctx.params.text("timeRange")) and not re.fullmatch(r"(\d+(\.\d+)?[smhd])+", text):
        raise InvalidArgument(f"timeRange: {text!r} is not a duration such as 10m", param="timeRange")
    replicas = await cast(Store, ctx.store).replicas.list(ctx.name)
    sums = ("running", "waiting", "capacity", "requests_total", "generated_tokens_total")
    measured = {name: float(sum(getattr(replica, name) for replica in replicas)) for name in sums}
    return DeploymentMetrics(metrics={"replicas": float(len(replicas)), **measured})
