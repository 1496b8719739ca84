"""Models: what each kind needs, and where a model is deployed."""

from __future__ import annotations

from typing import Any

from sparrel.control.files import files_of
from sparrel.control.rules.references import find
from sparrel.errors import FailedPrecondition, InvalidArgument
from sparrel.kernel.context import Context
from sparrel.kernel.filtering import parse
from sparrel.kernel.masks import Path
from sparrel.kernel.rows import Query, Reader, Row, Transaction
from sparrel.kernel.rules import Rules, rules_for
from sparrel.resources.deployed_model import DeployedModel
from sparrel.resources.deployment import Deployment
from sparrel.resources.model import Model

RANKS = range(4, 65)
_PEFT_KINDS = ("HF_PEFT_ADDON", "HF_TEFT_ADDON")


@rules_for(Model)
class ModelRules(Rules):
    async def prepare(self, ctx: Context, tx: Transaction, document: dict[str, Any]) -> None:
        if document["kind"] == "KIND_UNSPECIFIED":
            document["kind"] = "HF_PEFT_ADDON"
        document["cluster"] = str(ctx.body.get("cluster") or "")
        peft = document["peftDetails"]
        if peft and peft["baseModel"]:
            base = await find(ctx, tx, peft["baseModel"], "models")
            if base is None:
                raise InvalidArgument(
                    f'peftDetails.baseModel: model "{peft["baseModel"]}" not found', param="baseModel"
                )
            peft["baseModel"] = base.name

    async def validate_create(self, ctx: Context, tx: Transaction, row: Row) -> None:
        _check_kind(row.document, explicit="kind" in ctx.given)
        _check_numbers(row.document)
        row.set_state("UPLOADING")

    async def validate_update(
        self, ctx: Context, tx: Transaction, old: Row, new: Row, paths: tuple[Path, ...]
    ) -> None:
        _check_numbers(new.document)

    async def delete(self, ctx: Context, tx: Transaction, row: Row) -> None:
        """Refuse while somebody serves it."""
        deployed = await _first(tx, DeployedModel, f'model="{row.name}"')
        deployed = deployed or await _first(tx, Deployment, f'base_model="{row.name}"')
        if deployed is not None:
            visible = deployed if deployed.account == ctx.account else None
            where = f'by "{visible.name}"' if visible else "by another account"
            raise FailedPrecondition(f'model "{row.name}" is still deployed {where}')
        await tx.delete(row.name, expected_version=row.version)

    async def after_delete(self, ctx: Context, row: Row) -> None:
        await files_of(ctx.settings).remove(row)

    presents = True

    async def present(self, ctx: Context, documents: list[dict[str, Any]], *, single: bool) -> None:
        if single or ctx.params.flag("includeDeployedModelRefs"):
            for document in documents:
                document["deployedModelRefs"] = await _references(ctx, document["name"])


async def _references(ctx: Context, model: str) -> list[dict[str, Any]]:
    """Return where a model is deployed, as far as the caller may know."""
    query = Query(
        collection="deployedModels",
        filter=parse(DeployedModel, f'model="{model}"'),
        page_size=1000,
        count=False,
    )
    rows = (await ctx.store.list(query)).rows
    own = ctx.principal.account
    visible = [row.document for row in rows if row.account == own or row.document["public"]]
    return [{key: d[key] for key in ("name", "deployment", "state", "default", "public")} for d in visible]


async def _first(reader: Reader, resource: type[DeployedModel | Deployment], text: str) -> Row | None:
    query = Query(collection=resource.spec.collection, filter=parse(resource, text), page_size=1, count=False)
    return next(iter((await reader.list(query)).rows), None)


def _check_kind(document: dict[str, Any], *, explicit: bool) -> None:
    """Raise InvalidArgument when the details do not fit the kind.

    An adapter whose kind is only the default may come without details: its files bring them.
    """
    kind, peft = document["kind"], document["peftDetails"]
    if kind == "HF_BASE_MODEL" and document["baseModelDetails"] is None:
        raise InvalidArgument("baseModelDetails is required for HF_BASE_MODEL", param="baseModelDetails")
    if kind.endswith("_ADDON") and document["baseModelDetails"] is not None:
        raise InvalidArgument(f"baseModelDetails must not be set for {kind}", param="baseModelDetails")
    if kind in _PEFT_KINDS and peft is None and explicit:
        raise InvalidArgument(f"peftDetails is required for {kind}", param="peftDetails")
    if kind not in _PEFT_KINDS and peft is not None:
        raise InvalidArgument(f"peftDetails must not be set for {kind}", param="peftDetails")
    if (kind == "HF_TEFT_ADDON") != (document["teftDetails"] is not None):
        raise InvalidArgument("teftDetails is for HF_TEFT_ADDON, and required there", param="teftDetails")
    if peft is not None and peft["r"] not in RANKS:
        raise InvalidArgument(f"peftDetails.r must be 4 to 64, not {peft['r']}", param="r")


def _check_numbers(document: dict[str, Any]) -> None:
    if document["contextLength"] < 0:
        raise InvalidArgument("contextLength must not be negative", param="contextLength")
    if document["defaultDraftModel"] and document["defaultDraftTokenCount"] <= 0:
        raise InvalidArgument(
            "defaultDraftTokenCount is required with defaultDraftModel", param="defaultDraftTokenCount"
        )
