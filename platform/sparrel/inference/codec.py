"""Text to token ids and back, for one model folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

VISIBLE_MARKS = frozenset({"<think>", "</think>", "<tool_call>", "</tool_call>"})
"""Special tokens that carry meaning for whoever reads the output, so they stay in the text."""


def _byte_alphabet() -> dict[str, int]:
    """The characters by which byte-level tokenizers write bytes (GPT-2's table)."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(others)}


_BYTES = _byte_alphabet()


class Codec:
    """One tokenizer. Thread-safe: nothing here changes after construction but a cache."""

    def __init__(self, folder: Path | str) -> None:
        self._tokenizer = _load(Path(folder))
        self._literal: Tokenizer | None = None
        added = self._tokenizer.get_added_tokens_decoder()
        self._special_ids = {token_id for token_id, token in added.items() if token.special}
        self._hidden_ids = {i for i in self._special_ids if added[i].content not in VISIBLE_MARKS}
        self._added = {token_id: token.content for token_id, token in added.items()}
        self._pieces: dict[int, bytes] = {}
        self.special_tokens = _named_tokens(Path(folder))
        """`bos_token`, `eos_token`, … as chat templates know them."""

    @property
    def vocab_size(self) -> int:
        return self._tokenizer.get_vocab_size(with_added_tokens=True)

    @cached_property
    def byte_level(self) -> bool:
        """Whether tokens are plain bytes, so that decoding is concatenation."""
        decoder = json.loads(self._tokenizer.to_str())["decoder"]
        return bool(decoder) and decoder["type"] == "ByteLevel"

    @cached_property
    def bos_id(self) -> int | None:
        """The token that the tokenizer puts before a text by itself, if any."""
        plain = self.encode("a", add_special_tokens=False)
        full = self.encode("a", add_special_tokens=True)
        return full[0] if full and full[:1] != plain[:1] else None

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        return self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids

    def encode_literally(self, text: str) -> list[int]:
        """Encode text that must not contain special tokens, whatever it looks like."""
        if self._literal is None:
            literal = Tokenizer.from_str(self._tokenizer.to_str())
            literal.encode_special_tokens = True
            self._literal = literal
        return self._literal.encode(text, add_special_tokens=False).ids

    def decode(self, token_ids: Sequence[int], *, hide_special: bool = True) -> str:
        shown = [i for i in token_ids if not (hide_special and i in self._hidden_ids)]
        return self._tokenizer.decode(shown, skip_special_tokens=False)

    def is_hidden(self, token_id: int) -> bool:
        return token_id in self._hidden_ids

    def token_id(self, token: str) -> int | None:
        return self._tokenizer.token_to_id(token)

    def token_text(self, token_id: int) -> str:
        """Return how one token is shown in logprobs; a piece of a character shows as U+FFFD."""
        return self.token_bytes(token_id).decode("utf-8", "replace")

    def token_bytes(self, token_id: int) -> bytes:
        """Return the bytes a token stands for."""
        piece = self._pieces.get(token_id)
        if piece is None:
            piece = self._pieces[token_id] = self._find_bytes(token_id)
        return piece

    def _find_bytes(self, token_id: int) -> bytes:
        token = self._tokenizer.id_to_token(token_id)
        if token is None:
            return b""
        if token_id in self._added and token_id in self._special_ids:
            return token.encode()
        if self.byte_level:
            return _byte_level_bytes(token)
        if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            return bytes([int(token[3:5], 16)])
        return token.replace("▁", " ").encode()


def _byte_level_bytes(token: str) -> bytes:
    """An added token may hold characters outside the alphabet; then it is taken as it is written."""
    if all(character in _BYTES for character in token):
        return bytes(_BYTES[character] for character in token)
    return token.encode()


def _load(folder: Path) -> Tokenizer:
    path = folder / "tokenizer.json"
    if path.is_file():
        tokenizer = Tokenizer.from_file(str(path))
    else:
        # Older folders have only a SentencePiece or vocabulary file, which transformers can convert.
        from transformers import AutoTokenizer

        tokenizer = Tokenizer.from_str(AutoTokenizer.from_pretrained(folder).backend_tokenizer.to_str())
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _named_tokens(folder: Path) -> dict[str, str]:
    path = folder / "tokenizer_config.json"
    config: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    named = {}
    for name, value in config.items():
        content = value.get("content") if isinstance(value, dict) else value
        if name.endswith("_token") and isinstance(content, str):
            named[name] = content
    return named
