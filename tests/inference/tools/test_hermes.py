"""Tool calls out of model text, complete or in pieces."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparrel.inference.tools import CallDelta, HermesFormat
from sparrel.inference.tools.calls import join_fragments


def parse(text: str, size: int = 1, *, only_first: bool = False) -> tuple[str, list[tuple[str, str]]]:
    parser = HermesFormat().parser(only_first=only_first)
    parsed = [parser.feed(text[i : i + size]) for i in range(0, len(text), size)]
    parsed.append(parser.finish())
    calls: list[CallDelta] = join_fragments(call for part in parsed for call in part.calls)
    return "".join([part.content for part in parsed]), [(call.name or "", call.arguments) for call in calls]


SIZES = pytest.mark.parametrize("size", [1, 4, 1000])


@SIZES
@pytest.mark.parametrize(
    ("text", "content", "calls"),
    [
        ("just text", "just text", []),
        ('<tool_call>{"name": "f", "arguments": {"x": 1}}</tool_call>', "", [("f", '{"x": 1}')]),
        ('<tool_call>\n{"name":"f","arguments":{}}\n</tool_call>', "", [("f", "{}")]),
        ('say <tool_call>{"name": "f", "arguments": {}}</tool_call> bye', "say  bye", [("f", "{}")]),
        ('<tool_call>{"arguments": {"x": 1}, "name": "f"}</tool_call>', "", [("f", '{"x": 1}')]),
        ('<tool_call>{"name": "f"}</tool_call>', "", [("f", "{}")]),
        ('<tool_call>{"name": "f", "arguments": "{\\"x\\": 1}"}</tool_call>', "", [("f", '{"x": 1}')]),
        (
            '<tool_call>{"name": "f", "arguments": {"s": "}</tool_call>\\""}}</tool_call>',
            "",
            [("f", '{"s": "}</tool_call>\\""}')],
        ),
        (
            '<tool_call>{"name": "f", "arguments": {}}</tool_call>\n'
            '<tool_call>{"name": "g", "arguments": {}}</tool_call>',
            "\n",
            [("f", "{}"), ("g", "{}")],
        ),
        ("<tool_call>not json</tool_call> after", "<tool_call>not json</tool_call> after", []),
        ("<tool_call>cut", "<tool_call>cut", []),
        ("a <tool_ca", "a <tool_ca", []),
        ('<tool_call>{"name": "f", "arguments": {"x": "cut', "", [("f", '{"x": "cut')]),
    ],
)
def test_calls_and_content_come_apart(
    text: str, content: str, calls: list[tuple[str, str]], size: int
) -> None:
    assert parse(text, size) == (content, calls)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)
@given(arguments=st.dictionaries(st.text(max_size=5), json_values, max_size=4), size=st.integers(1, 9))
def test_arguments_arrive_as_the_model_wrote_them(arguments: dict[str, object], size: int) -> None:
    written = json.dumps(arguments)
    text = f'<tool_call>{{"name": "f", "arguments": {written}}}</tool_call>'
    assert parse(text, size) == ("", [("f", written)])


def test_arguments_are_streamed_as_they_are_written() -> None:
    parser = HermesFormat().parser(only_first=False)
    first = parser.feed('<tool_call>{"name": "f", "arguments": {"city": "Par')
    assert [call.arguments for call in join_fragments(first.calls)] == ['{"city": "Par']
    assert [call.arguments for call in parser.feed('is"}').calls] == ['is"}']


def test_only_the_first_call_counts_when_parallel_calls_are_off() -> None:
    call = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'
    for size in (1, 4, 1000):
        assert parse(call + "and" + call, size, only_first=True) == ("", [("f", "{}")])


def test_a_forced_call_goes_on_from_its_opening() -> None:
    assert parse(HermesFormat().opening("f") + '{"x": 1}}</tool_call>') == ("", [("f", '{"x": 1}')])


def test_call_ids_look_like_openais() -> None:
    parser = HermesFormat().parser(only_first=False)
    (call,) = parser.feed('<tool_call>{"name": "f"}</tool_call>').calls
    assert re.fullmatch(r"call_[A-Za-z0-9]{24}", call.id or "")
