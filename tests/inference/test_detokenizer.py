"""Incremental decoding is full decoding, whatever the tokens and however they are cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models

from sparrel.inference.codec import Codec
from sparrel.inference.detokenizer import ByteDetokenizer, WindowDetokenizer, detokenizer

VOCABULARY = 290
relaxed = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
pieces_of = st.lists(st.lists(st.integers(0, VOCABULARY - 1), max_size=5), max_size=30)
EMOJI = "héllo 🦜 wörld 👩‍👩‍👧‍👦 日本語 ﷽ \u0301 end"


@relaxed
@given(pieces=pieces_of)
def test_bytes_in_any_order_decode_as_the_whole_does(codec: Codec, pieces: list[list[int]]) -> None:
    decoder = detokenizer(codec)
    assert isinstance(decoder, ByteDetokenizer)
    text = "".join(decoder.push(piece) for piece in pieces) + decoder.flush()
    assert text == codec.decode([token for piece in pieces for token in piece])


@relaxed
@given(text=st.text())
def test_text_comes_back_token_by_token(codec: Codec, text: str) -> None:
    decoder = detokenizer(codec, hide_special=False)
    tokens = codec.encode(text, add_special_tokens=False)
    assert "".join([decoder.push([token]) for token in tokens]) + decoder.flush() == codec.decode(
        tokens, hide_special=False
    )


def test_half_a_character_is_never_shown(codec: Codec) -> None:
    decoder = detokenizer(codec)
    for token in codec.encode(EMOJI, add_special_tokens=False):
        assert "\ufffd" not in decoder.push([token])
    assert decoder.flush() == ""


def test_role_tokens_are_hidden_and_marks_that_mean_something_are_not(codec: Codec) -> None:
    tokens = codec.encode(
        "<|user|>a<think>b</think><tool_call>c</tool_call><|end|>", add_special_tokens=False
    )
    assert detokenizer(codec).push(tokens) == "a<think>b</think><tool_call>c</tool_call>"


def test_a_token_stands_for_its_bytes(codec: Codec) -> None:
    tokens = codec.encode(EMOJI, add_special_tokens=False)
    assert b"".join(codec.token_bytes(token) for token in tokens) == EMOJI.encode()


@pytest.fixture(scope="module")
def sentencepiece_like(tmp_path_factory: pytest.TempPathFactory) -> Codec:
    """Llama-2 style: words carry their space in front, unknown characters fall back to bytes."""
    folder: Path = tmp_path_factory.mktemp("sentencepiece")
    words = ["<unk>", "▁", "▁hello", "▁world", "a", "b", "▁a", "é", "s"]
    tokens = words + [f"<0x{byte:02X}>" for byte in range(256)]
    tokenizer = Tokenizer(
        models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=[], byte_fallback=True)
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return Codec(folder)


@relaxed
@given(words=st.lists(st.one_of(st.integers(1, 8), st.sampled_from(["🦜", "ü", "日"])), max_size=20))
def test_other_tokenizers_decode_word_by_word_as_the_whole(
    sentencepiece_like: Codec, words: list[int | str]
) -> None:
    decoder = detokenizer(sentencepiece_like)
    assert isinstance(decoder, WindowDetokenizer)
    tokens: list[int] = []
    for word in words:
        tokens += [word] if isinstance(word, int) else [9 + byte for byte in word.encode()]
    text = "".join([decoder.push([token]) for token in tokens]) + decoder.flush()
    assert text == sentencepiece_like.decode(tokens)


def test_a_byte_of_a_fallback_token_is_that_byte(sentencepiece_like: Codec) -> None:
    assert [sentencepiece_like.token_bytes(token) for token in (2, 9, 9 + 0xF0)] == [
        b" hello",
        b"\x00",
        b"\xf0",
    ]


def test_random_bytes_never_hold_text_back_for_long(sentencepiece_like: Codec) -> None:
    decoder = detokenizer(sentencepiece_like)
    shown = [decoder.push([9 + 0xF0]) for _ in range(40)]
    assert sum(map(bool, shown)) >= 4
