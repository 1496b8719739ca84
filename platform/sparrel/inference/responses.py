"""The bodies and stream chunks of both endpoints.

Optional keys are left out, not null: shipped clients accept null only where it is listed here.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0

    def body(self) -> dict[str, Any]:
        return {
            "prompt_tokens": self.prompt_tokens,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "completion_tokens": self.completion_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cached_tokens},
        }


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every body and every chunk of one answer have in common."""

    model: str
    chat: bool
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    created: int = field(default_factory=lambda: int(time.time()))

    def body(self, choices: Sequence[Mapping[str, Any]], usage: Usage, extra: Mapping[str, Any]) -> bytes:
        kind = "chat.completion" if self.chat else "text_completion"
        return orjson.dumps({**self._head(kind), "choices": choices, "usage": usage.body(), **extra})

    def chunk(
        self, choice: Mapping[str, Any], usage: Usage | None = None, extra: Mapping[str, Any] | None = None
    ) -> bytes:
        """Return one server-sent event."""
        kind = "chat.completion.chunk" if self.chat else "text_completion"
        usage_body = None if usage is None else usage.body()
        return event({**self._head(kind), "choices": [choice], "usage": usage_body, **(extra or {})})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def event(document: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(document) + b"\n\n"


def error_events(body: Mapping[str, Any]) -> bytes:
    """Return what ends a stream that broke: the error, then the usual last line."""
    return event(body) + DONE
