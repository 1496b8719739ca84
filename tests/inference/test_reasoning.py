"""Thinking told from answer, whatever the cutting."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparrel.inference.reasoning import ReasoningSplitter


def split(text: str, size: int = 1, *, started: bool = False) -> tuple[str, str]:
    splitter = ReasoningSplitter(started=started)
    thoughts = [splitter.feed(text[i : i + size]) for i in range(0, len(text), size)]
    thoughts.append(splitter.finish())
    return "".join([t.reasoning for t in thoughts]), "".join([t.content for t in thoughts])


@pytest.mark.parametrize(
    ("text", "reasoning", "content"),
    [
        ("<think>why</think>\n\nbecause", "why", "because"),
        ("  <think>why</think>because", "why", "because"),
        ("plain < text", "", "plain < text"),
        ("<thin", "", "<thin"),
        ("<think>cut off", "cut off", ""),
        ("<think>a </thin b</think>c", "a </thin b", "c"),
        ("<think></think>x", "", "x"),
        ("late <think>no</think>", "", "late <think>no</think>"),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_only_thinking_at_the_start_is_reasoning(text: str, reasoning: str, content: str, size: int) -> None:
    assert split(text, size) == (reasoning, content)


def test_a_template_may_have_opened_the_thinking() -> None:
    assert split("why</think>because", started=True) == ("why", "because")


@settings(deadline=None)
@given(text=st.text(alphabet="<think>/ a", max_size=40), size=st.integers(1, 7))
def test_cutting_changes_nothing(text: str, size: int) -> None:
    assert split("<think>" + text, size) == split("<think>" + text, 1000)
