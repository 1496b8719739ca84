"""Which replica would have a request's prompt in its cache already: the key that requests share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.types import Scope

from sparrel.inference.asgi import header

PREFIX_BYTES = 1024
MIN_PREFIX_BYTES = 256
"""Shorter prompts are cheaper to read again than to queue for."""


def affinity_key(scope: Scope, document: Mapping[str, Any], *, session_affinity: bool) -> bytes | None:
    """Return the session's key, else the beginning of the prompt, else None: any replica is as good."""
    session = header(scope, b"x-session-affinity") or document.get("prompt_cache_key")
    if session is None and session_affinity:
        session = document.get("user")
    if isinstance(session, str) and session:
        return b"session:" + session.encode("utf-8", "replace")
    prefix = _prompt_beginning(document)
    return b"prefix:" + prefix if len(prefix) >= MIN_PREFIX_BYTES else None


def _prompt_beginning(document: Mapping[str, Any]) -> bytes:
    """Requests with the same system prompt and first turn, or the same first tokens, share it."""
    prompt = document.get("messages") or document.get("prompt") or ""
    if isinstance(prompt, str):
        return prompt[:PREFIX_BYTES].encode("utf-8", "replace")[:PREFIX_BYTES]
    if isinstance(prompt, list):
        head = prompt[:2] if isinstance(prompt[0], dict) else prompt[:PREFIX_BYTES]
        return orjson.dumps(head)[:PREFIX_BYTES]
    return b""
