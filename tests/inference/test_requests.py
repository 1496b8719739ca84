"""What a request body may hold, and how a wrong one is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from sparrel.errors import InvalidArgument
from sparrel.inference.requests import LogprobsForm, parse_chat, parse_completion
from sparrel.inference.tools import ToolMode

HELLO = [{"role": "user", "content": "hello"}]


def chat(**fields: Any) -> Any:
    return parse_chat(orjson.dumps({"model": "m", "messages": HELLO, **fields}))


def completion(**fields: Any) -> Any:
    return parse_completion(orjson.dumps({"model": "m", "prompt": "hello", **fields}))


def refusal(make: Any, **fields: Any) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as caught:
        make(**fields)
    return caught.value


def test_what_openai_clients_add_is_accepted() -> None:
    chat(
        store=True,
        parallel_tool_calls=False,
        stream_options={"include_usage": True},
        metadata={"a": "b"},
        service_tier="auto",
        user="u",
        safety_identifier="s",
        seed=None,
        stop=None,
    )


def test_a_null_counts_as_left_out() -> None:
    assert chat(temperature=None, n=None, tools=None).n == 1


@pytest.mark.parametrize(
    ("field", "near"),
    [
        ("temprature", "temperature"),
        ("max_token", "max_tokens"),
        ("logprob", "logprobs"),
        ("strem", "stream"),
    ],
)
def test_an_unknown_field_is_refused_with_the_nearest_name(field: str, near: str) -> None:
    error = refusal(chat, **{field: 1})
    assert error.param == field
    assert "Extra inputs are not permitted" in error.message
    assert repr(near) in error.message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 2.1),
        ("temperature", -0.1),
        ("temperature", "hot"),
        ("top_p", 1.1),
        ("top_k", 101),
        ("top_k", -1),
        ("min_p", 2),
        ("presence_penalty", 2.5),
        ("frequency_penalty", -2.5),
        ("repetition_penalty", 0),
        ("logit_bias", {"5": 201}),
        ("logit_bias", {"five": 1}),
        ("n", 0),
        ("n", 129),
        ("max_tokens", -1),
        ("max_tokens", "12"),
        ("stop", ["a", "b", "c", "d", "e"]),
        ("stop", [""]),
        ("stop", 5),
        ("logprobs", 6),
        ("logprobs", "yes"),
        ("stream", "true"),
        ("context_length_exceeded_behavior", "explode"),
        ("response_format", {"type": "xml"}),
        ("reasoning_effort", "extreme"),
        ("messages", []),
        ("messages", [{"role": "robot", "content": "hi"}]),
        ("messages", [{"role": "user", "content": 5}]),
        ("messages", [{"role": "user"}]),
        ("tools", [{"type": "function"}]),
    ],
)
def test_a_wrong_value_is_refused_and_its_field_named(field: str, value: object) -> None:
    error = refusal(chat, **{field: value})
    assert error.param is not None
    assert error.param.startswith(field)
    assert error.http_status == 400


def test_a_refusal_never_repeats_what_the_client_wrote() -> None:
    error = refusal(chat, messages=[{"role": "user", "content": {"secret": "hunter2"}}])
    assert "hunter2" not in error.message


@pytest.mark.parametrize("body", [b"", b"{", b'{"model": "m"', b"[1]", b'"text"', b"\xff\xfe"])
def test_a_body_that_is_not_a_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidArgument, match="JSON"):
        parse_chat(body)


@pytest.mark.parametrize("name", ["model", "messages"])
def test_required_fields_are_required(name: str) -> None:
    body = {"model": "m", "messages": HELLO}
    del body[name]
    with pytest.raises(InvalidArgument, match="required"):
        parse_chat(orjson.dumps(body))


def test_both_names_of_the_token_limit_together_are_refused() -> None:
    assert refusal(chat, max_tokens=1, max_completion_tokens=1).param == "max_tokens"


def test_thinking_excludes_reasoning_effort() -> None:
    assert refusal(chat, thinking={"type": "disabled"}, reasoning_effort="low").param == "thinking"


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        ({}, None),
        ({"logprobs": False}, None),
        ({"logprobs": 0}, LogprobsForm(legacy=True, alternatives=0)),
        ({"logprobs": 3}, LogprobsForm(legacy=True, alternatives=3)),
        ({"logprobs": True}, LogprobsForm(legacy=False, alternatives=0)),
        ({"logprobs": True, "top_logprobs": 4}, LogprobsForm(legacy=False, alternatives=4)),
    ],
)
def test_a_number_asks_for_legacy_logprobs_and_true_for_openais(
    fields: Any, form: LogprobsForm | None
) -> None:
    assert chat(**fields).logprobs_form == form


@pytest.mark.parametrize("kind", ["json_object", "json_schema", "grammar"])
def test_structured_output_is_refused_rather_than_ignored(kind: str) -> None:
    assert "not supported" in refusal(chat, response_format={"type": kind}).message


def test_plain_text_format_is_accepted() -> None:
    chat(response_format={"type": "text"})


@pytest.mark.parametrize(
    ("prompt", "prompts"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [[1, 2]]),
        ([[1], [2, 3]], [[1], [2, 3]]),
    ],
)
def test_a_prompt_has_four_forms(prompt: object, prompts: object) -> None:
    assert completion(prompt=prompt).prompt == prompts


@pytest.mark.parametrize("prompt", [[], [[]], [1.5], [-1], [True], {"a": 1}, 7, [["a"]]])
def test_other_prompts_are_refused(prompt: object) -> None:
    assert refusal(completion, prompt=prompt).param == "prompt"


@pytest.mark.parametrize("field", [{"best_of": 3}, {"suffix": "x"}, {"images": ["http://x"]}])
def test_what_completions_cannot_do_is_refused(field: dict[str, Any]) -> None:
    refusal(completion, **field)


def test_too_many_choices_are_refused() -> None:
    assert "choices" in refusal(completion, prompt=["a"] * 100, n=100).message


TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    ("choice", "mode", "name"),
    [
        (None, ToolMode.AUTO, None),
        ("auto", ToolMode.AUTO, None),
        ("none", ToolMode.NONE, None),
        ("any", ToolMode.REQUIRED, None),
        ("required", ToolMode.REQUIRED, None),
        ({"type": "function"}, ToolMode.REQUIRED, None),
        ({"type": "function", "function": {"name": "f"}}, ToolMode.REQUIRED, "f"),
        ({"type": "function", "name": "f"}, ToolMode.REQUIRED, "f"),
    ],
)
def test_tool_choice_has_these_forms(choice: object, mode: ToolMode, name: str | None) -> None:
    use = chat(tools=[TOOL], tool_choice=choice).tool_use
    assert (use.mode, use.name) == (mode, name)


def test_functions_are_tools_under_their_old_name() -> None:
    use = chat(functions=[TOOL["function"]], function_call={"name": "f"}).tool_use
    assert (use.mode, use.name) == (ToolMode.REQUIRED, "f")


@pytest.mark.parametrize(
    "fields",
    [
        {"tools": [TOOL], "tool_choice": "maybe"},
        {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
        {"tool_choice": "required"},
        {"tools": [{"type": "function", "function": {"name": "no spaces"}}]},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": []}}]},
    ],
)
def test_tools_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    refusal(chat, **fields)


def test_images_are_refused_with_a_reason() -> None:
    part = {"type": "image_url", "image_url": {"url": "http://x/y.png"}}
    assert "text only" in refusal(chat, messages=[{"role": "user", "content": [part]}]).message
