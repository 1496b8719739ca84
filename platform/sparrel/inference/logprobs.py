"""Log-probabilities in the two forms that clients know.

Legacy, for `logprobs: N`; OpenAI's, for `logprobs: true`. Shipped clients misread either form silently if a
list holds a null or an entry lacks `token_id`, `text_offset` or `bytes`; hence no optional keys here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sparrel.inference.codec import Codec
from sparrel.inference.requests import LogprobsForm


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """One token with its place in the returned text; `logprob` is None for the first token of a prompt."""

    token_id: int
    text_offset: int
    logprob: float | None
    top: Sequence[tuple[int, float]] = ()


def render(entries: Sequence[TokenEntry], form: LogprobsForm, codec: Codec) -> dict[str, Any]:
    return _legacy(entries, form, codec) if form.legacy else openai_form(entries, codec)


def openai_form(entries: Sequence[TokenEntry], codec: Codec) -> dict[str, Any]:
    return {"content": [_openai_entry(entry, codec) for entry in entries]}


def _openai_entry(entry: TokenEntry, codec: Codec) -> dict[str, Any]:
    return {
        **_openai_token(entry.token_id, entry.logprob or 0.0, codec),
        "text_offset": entry.text_offset,
        "top_logprobs": [_openai_token(token_id, logprob, codec) for token_id, logprob in entry.top],
    }


def _openai_token(token_id: int, logprob: float, codec: Codec) -> dict[str, Any]:
    return {
        "token": codec.token_text(token_id),
        "bytes": list(codec.token_bytes(token_id)),
        "logprob": _finite(logprob),
        "token_id": token_id,
    }


def _legacy(entries: Sequence[TokenEntry], form: LogprobsForm, codec: Codec) -> dict[str, Any]:
    return {
        "tokens": [_legacy_token(entry.token_id, codec) for entry in entries],
        "token_ids": [entry.token_id for entry in entries],
        "token_logprobs": [_finite(entry.logprob or 0.0) for entry in entries],
        "top_logprobs": [_legacy_top(entry, codec) for entry in entries] if form.alternatives else None,
        "text_offset": [entry.text_offset for entry in entries],
    }


def _legacy_top(entry: TokenEntry, codec: Codec) -> dict[str, float]:
    """The alternatives and the token itself. Of two tokens with the same text the likelier one is shown."""
    if entry.logprob is None:
        return {}
    top: dict[str, float] = {}
    for token_id, logprob in [*entry.top, (entry.token_id, entry.logprob)]:
        top.setdefault(_legacy_token(token_id, codec), _finite(logprob))
    return top


def _legacy_token(token_id: int, codec: Codec) -> str:
    """Pieces of characters are told apart as OpenAI writes them, `bytes:\\xe2`: they are keys here."""
    piece = codec.token_bytes(token_id)
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)


def _finite(logprob: float) -> float:
    """JSON has no minus infinity; OpenAI writes -9999 for a token that could not be."""
    return max(logprob, -9999.0)
