"""The prompt as part of the answer: its text and, if asked for, its log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sparrel.engine import TokenLogprobs
from sparrel.inference.codec import Codec
from sparrel.inference.detokenizer import detokenizer
from sparrel.inference.logprobs import TokenEntry


@dataclass(frozen=True, slots=True)
class Echo:
    text: str = ""
    entries: Sequence[TokenEntry] = ()


def echo_prompt(
    token_ids: Sequence[int],
    logprobs: Sequence[TokenLogprobs | None] | None,
    last: int | None,
    codec: Codec,
    *,
    show_bos: bool,
) -> Echo:
    """Return the prompt's text, or that of its `last` tokens; a chat prompt shows its special tokens."""
    decoder = detokenizer(codec, hide_special=False)
    offsets: list[int] = []
    text = ""
    for position, token_id in enumerate(token_ids):
        offsets.append(len(text))
        if position == 0 and not show_bos and token_id == codec.bos_id:
            continue
        text += decoder.push([token_id])
    text += decoder.flush()
    start = 0 if last is None else max(0, len(token_ids) - last)
    cut = offsets[start] if start < len(offsets) else len(text)
    if logprobs is None:
        return Echo(text[cut:])
    entries = [token_entry(token_ids[i], offsets[i] - cut, logprobs[i]) for i in range(start, len(token_ids))]
    return Echo(text[cut:], entries)


def token_entry(token_id: int, text_offset: int, logprobs: TokenLogprobs | None) -> TokenEntry:
    if logprobs is None:
        return TokenEntry(token_id, text_offset, None)
    top = tuple((alternative.token_id, alternative.logprob) for alternative in logprobs.top)
    return TokenEntry(token_id, text_offset, logprobs.logprob, top)
