"""Token ids to text, piece by piece: never half a character, constant work per token."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from typing import Protocol

from sparrel.inference.codec import Codec

_REPLACEMENT = "\ufffd"
_MAX_HELD = 8
"""Tokens held back for an unfinished character; no character has more bytes than four."""


class Detokenizer(Protocol):
    """One per choice. The texts of `push` and `flush` together are the full decoding."""

    def push(self, token_ids: Iterable[int]) -> str:
        """Return the text that these tokens complete."""
        ...

    def flush(self) -> str:
        """The output ended: return what an unfinished character is shown as."""
        ...


def detokenizer(codec: Codec, *, hide_special: bool = True) -> Detokenizer:
    if codec.byte_level:
        return ByteDetokenizer(codec, hide_special=hide_special)
    return WindowDetokenizer(codec, hide_special=hide_special)


class ByteDetokenizer:
    """For byte-level tokenizers: tokens are bytes, so an incremental UTF-8 decoder is all there is to do."""

    def __init__(self, codec: Codec, *, hide_special: bool = True) -> None:
        self._codec = codec
        self._hide = hide_special
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_ids: Iterable[int]) -> str:
        codec, hide = self._codec, self._hide
        return self._utf8.decode(
            b"".join([codec.token_bytes(i) for i in token_ids if not (hide and codec.is_hidden(i))])
        )

    def flush(self) -> str:
        return self._utf8.decode(b"", final=True)


class WindowDetokenizer:
    """For all others (SentencePiece and the like), where a token's text depends on its neighbours.

    Decodes a short window twice, without and with the new tokens; the difference is the new text.
    """

    def __init__(self, codec: Codec, *, hide_special: bool = True) -> None:
        self._codec = codec
        self._hide = hide_special
        self._context: list[int] = []
        self._held: list[int] = []

    def push(self, token_ids: Iterable[int]) -> str:
        text = ""
        for token_id in token_ids:
            if not (self._hide and self._codec.is_hidden(token_id)):
                self._held.append(token_id)
                text += self._release(final=False)
        return text

    def flush(self) -> str:
        return self._release(final=True) if self._held else ""

    def _release(self, *, final: bool) -> str:
        before = self._codec.decode(self._context, hide_special=False)
        after = self._codec.decode(self._context + self._held, hide_special=False)
        unfinished = after.endswith(_REPLACEMENT) and len(self._held) < _MAX_HELD
        if unfinished and not final:
            return ""
        self._context, self._held = self._held, []
        return after[len(before) :]
