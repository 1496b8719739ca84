"""Stop words against a naive oracle that sees one character at a time."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparrel.inference.stops import StopMatcher

texts = st.text(alphabet="abc", max_size=30)
words = st.lists(st.text(alphabet="abc", min_size=1, max_size=4), min_size=1, max_size=4)


def oracle(text: str, stops: list[str], *, include: bool) -> str:
    for end in range(1, len(text) + 1):
        ending = [word for word in stops if text[:end].endswith(word)]
        if ending:
            return text[:end] if include else text[: end - max(map(len, ending))]
    return text


def cut(text: str, at: list[int]) -> list[str]:
    points = sorted({0, len(text), *(point % (len(text) + 1) for point in at)})
    return [text[a:b] for a, b in pairwise(points)]


@settings(deadline=None, max_examples=400)
@given(text=texts, stops=words, at=st.lists(st.integers(0, 40)), include=st.booleans())
def test_any_cutting_gives_what_the_oracle_gives(
    text: str, stops: list[str], at: list[int], include: bool
) -> None:
    matcher = StopMatcher(stops, include=include)
    shown, matched = "", False
    for piece in cut(text, at):
        released = matcher.push(piece)
        shown += released.text
        if released.matched:
            matched = True
            break
    shown += "" if matched else matcher.flush()
    assert shown == oracle(text, stops, include=include)


@settings(deadline=None)
@given(text=texts, stops=words)
def test_text_is_held_back_only_while_it_may_be_a_stop_word(text: str, stops: list[str]) -> None:
    matcher = StopMatcher(stops, include=False)
    shown = ""
    for position, character in enumerate(text):
        released = matcher.push(character)
        shown += released.text
        if released.matched:
            return
        held = text[len(shown) : position + 1]
        assert held == "" or any(word.startswith(held) for word in stops)


@pytest.mark.parametrize(("include", "expected"), [(True, "one END"), (False, "one ")])
def test_the_stop_word_is_part_of_the_text_or_not(include: bool, expected: str) -> None:
    matcher = StopMatcher(["END"], include=include)
    assert "".join([matcher.push(piece).text for piece in ("one ", "E", "N", "D two"[:1])]) == expected
