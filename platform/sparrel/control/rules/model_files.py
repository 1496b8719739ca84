"""The life of a model's files: ask for URLs, upload, validate and publish, download."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

from sparrel.control import files
from sparrel.control.architectures import supported_architectures
from sparrel.control.model_folder import Folder, inspect_adapter, inspect_base_model
from sparrel.control.storage import Storage
from sparrel.errors import Aborted, FailedPrecondition, InvalidArgument, NotFound
from sparrel.kernel.context import Context
from sparrel.kernel.names import canonical_name
from sparrel.kernel.rows import Row
from sparrel.kernel.verbs import custom_verb
from sparrel.resources.model import Model

_ADAPTERS = ("HF_PEFT_ADDON", "HF_TEFT_ADDON")


@custom_verb(Model, "getUploadEndpoint")
async def get_upload_endpoint(ctx: Context) -> dict[str, Any]:
    """Announce files and get a signed URL to PUT each one to; may be called again to resume."""
    row = ctx.require_row()
    sizes = _announced(ctx.body.get("filenameToSize", ctx.body.get("filename_to_size")))
    _require_uploading(row)
    store = files.files_of(ctx.settings)
    await store.storage.check_room(sum(sizes.values()))

    def announce(row: Row) -> None:
        _require_uploading(row)
        row.internal.setdefault("upload", secrets.token_hex(8))
        row.internal["files"] = row.internal.get("files", {}) | sizes

    row = await ctx.modify("GetUploadEndpoint", announce)
    upload = row.internal["upload"]
    urls = {
        name: store.upload_url(ctx.base_url, row.name, upload, name, size) for name, size in sizes.items()
    }
    return {"filenameToSignedUrls": urls, "filenameToUnsignedUris": {}}


@custom_verb(Model, "validateUpload", method="GET", writes=True)
async def validate_upload(ctx: Context) -> dict[str, Any]:
    """Check the uploaded files and publish the model; the reason of a refusal is kept in its status."""
    row = ctx.require_row()
    if row.state == "READY":
        return {}
    _require_uploading(row)
    if "upload" not in row.internal:
        raise FailedPrecondition(
            f'nothing has been uploaded for model "{row.name}": call :getUploadEndpoint first'
        )
    storage = files.files_of(ctx.settings).storage
    try:
        found = await _inspect(row, storage)
        changes = await _fields(ctx, found)
    except InvalidArgument as refusal:
        code, reason = refusal.code, refusal.message
        await ctx.modify("ValidateUpload", lambda row: row.set_state(row.state, code, reason))
        raise
    await _publish(ctx, storage, changes)
    return {}


@custom_verb(Model, "getDownloadEndpoint", method="GET")
async def get_download_endpoint(ctx: Context) -> dict[str, Any]:
    """Get a signed URL for each file of a published model."""
    row = ctx.require_row()
    path = row.internal.get("path")
    if row.state != "READY" or not path:
        raise FailedPrecondition(f'model "{row.name}" has no published files: its state is {row.state}')
    store = files.files_of(ctx.settings)
    names = sorted(await Storage(path).files(""))
    return {"filenameToSignedUrls": {n: store.download_url(ctx.base_url, row.name, n) for n in names}}


def _announced(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping) or not value:
        raise InvalidArgument(
            "filenameToSize must be an object from file name to size in bytes", param="filenameToSize"
        )
    if len(value) > files.MAX_FILES:
        raise InvalidArgument(
            f"at most {files.MAX_FILES} files can be uploaded at once", param="filenameToSize"
        )
    return {files.check_file_name(name): _size(name, size) for name, size in value.items()}


def _size(name: str, value: Any) -> int:
    if isinstance(value, str) and value.isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise InvalidArgument(
            f"filenameToSize: the size of {name!r} must be a number of bytes", param="filenameToSize"
        )
    return value


def _require_uploading(row: Row) -> None:
    if row.state != "UPLOADING":
        raise FailedPrecondition(
            f'model "{row.name}" is {row.state}: its files can no longer change; create another model'
        )


async def _inspect(row: Row, storage: Storage) -> dict[str, Any]:
    """Return what the uploaded files say; they are already published if the last attempt was cut short."""
    upload = row.internal["upload"]
    key = files.staging_key(row.name, upload)
    sizes = await storage.files(key)
    if not sizes:
        key = files.published_key(row.name, upload)
        sizes = await storage.files(key)
    announced = row.internal.get("files", {})
    if missing := sorted(name for name, size in announced.items() if sizes.get(name) != size):
        raise InvalidArgument(
            f"not uploaded completely: {', '.join(missing[:10])}; send it again and validate again"
        )
    folder = Folder(sizes, lambda name: storage.open(f"{key}/{name}"))
    try:
        if row.document["kind"] in _ADAPTERS:
            return await asyncio.to_thread(inspect_adapter, folder)
        return await asyncio.to_thread(lambda: inspect_base_model(folder, supported_architectures()))
    except NotFound:
        raise Aborted("another validation of this model is running: try again") from None


async def _fields(ctx: Context, found: dict[str, Any]) -> dict[str, Any]:
    """Return the fields to set: what the files say, where the creator did not say it already."""
    document = ctx.document(ctx.require_row())
    given_context, own_context = document["contextLength"], found.pop("contextLength", 0)
    if own_context and given_context > own_context:
        raise InvalidArgument(f"contextLength {given_context} is more than the model's own {own_context}")
    changes: dict[str, Any] = {"contextLength": given_context or own_context}
    if "baseModelDetails" in found:
        given = {
            key: value for key, value in (document["baseModelDetails"] or {}).items() if key == "worldSize"
        }
        changes["baseModelDetails"] = (document["baseModelDetails"] or {}) | found["baseModelDetails"] | given
    if "peftDetails" in found:
        changes["peftDetails"] = await _peft_details(ctx, document["peftDetails"], found["peftDetails"])
    if document["conversationConfig"] is None and "conversationConfig" in found:
        changes["conversationConfig"] = found["conversationConfig"]
    changes["supportsTools"] = bool(document["supportsTools"] or found.get("supportsTools"))
    return changes


async def _peft_details(ctx: Context, given: dict[str, Any] | None, found: dict[str, Any]) -> dict[str, Any]:
    if given and given["r"] != found["r"]:
        raise InvalidArgument(f"peftDetails.r is {given['r']}, but adapter_config.json says {found['r']}")
    base = canonical_name((given or {}).get("baseModel") or found["baseModel"])
    row = await ctx.store.get(base) if base.startswith("accounts/") else None
    visible = row is not None and (row.account == ctx.account or row.document.get("public"))
    if row is None or not visible:
        raise InvalidArgument(
            f"peftDetails.baseModel: model {base!r} not found; say which model it is for (--base-model)"
        )
    known = {"baseModelType": "", "mergeAddonModelName": ""}
    details = row.document.get("baseModelDetails") or {}
    return known | (given or {}) | found | {"baseModel": base, "baseModelType": details.get("modelType", "")}


async def _publish(ctx: Context, storage: Storage, changes: dict[str, Any]) -> None:
    """Move the files to their final place, then point the resource there: readers see all or nothing."""
    row = ctx.require_row()
    staging, published = (
        key(row.name, row.internal["upload"]) for key in (files.staging_key, files.published_key)
    )
    if await storage.files(staging):
        await storage.move(staging, published)

    def ready(row: Row) -> None:
        _require_uploading(row)
        row.document |= changes
        row.internal["path"] = storage.url(published)
        row.internal.pop("files", None)
        row.set_state("READY")

    await ctx.modify("ValidateUpload", ready)
