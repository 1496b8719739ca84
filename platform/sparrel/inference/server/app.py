"""The model server's routes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from sparrel.inference.server.model_info import ModelInfo


def create_model_server(
    engine: Any, tokenizer_folder: Path | str, model_info: ModelInfo, secret: str
) -> ASGIApp:
    """Return the ASGI app that answers for one started engine; `secret` guards every route.

    Routes: POST /v1/chat/completions, POST /v1/completions, GET /internal/state.
    """
    raise NotImplementedError
