"""GET /models and GET /models/{id}."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sparrel.errors import ModelNotFound
from sparrel.inference.gateway.directory import Directory, ModelListing
from sparrel.kernel.identity import Principal


async def list_models(directory: Directory, caller: Principal) -> dict[str, Any]:
    return {"object": "list", "data": [_row(model) for model in await directory.models(caller)]}


async def get_model(directory: Directory, caller: Principal, model: str) -> dict[str, Any]:
    """Return one row; `model` may have any of the forms that a request's `model` may have."""
    models = await directory.models(caller)
    found = _find(models, model)
    if found is None:
        found = _find(models, (await directory.resolve(model, caller)).model)
    if found is None:
        raise ModelNotFound
    return _row(found)


def _find(models: Sequence[ModelListing], name: str) -> ModelListing | None:
    return next((model for model in models if model.id == name), None)


def _row(model: ModelListing) -> dict[str, Any]:
    """A null `context_length` would make shipped clients drop the whole list, so it is left out."""
    row = {
        "id": model.id,
        "object": "model",
        "created": model.created,
        "owned_by": model.owned_by,
        "kind": model.kind,
        "supports_chat": model.supports_chat,
        "supports_image_input": model.supports_image_input,
        "supports_tools": model.supports_tools,
    }
    return row if model.context_length is None else {**row, "context_length": model.context_length}
