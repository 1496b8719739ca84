"""Function calls are compared with schemas, with each other, and by a judge."""

import json

import pytest

from reward_kit.errors import UsageError
from reward_kit.rewards.function_calling import (
    composite_function_call_reward,
    exact_tool_match_reward,
    llm_judge_reward,
    match_function_call,
    schema_jaccard_reward,
)

WEATHER = {"name": "get_weather", "arguments": {"location": {"type": "string"}, "unit": {"type": "string"}}}


def calling(arguments, name="get_weather"):
    call = {"name": name, "arguments": json.dumps(arguments)}
    return [
        {"role": "user", "content": "What's the weather in New York?"},
        {"role": "assistant", "content": "I'll check.", "function_call": call},
    ]


def tool_message(*calls):
    calls = [{"type": "function", "function": {"name": n, "arguments": json.dumps(a)}} for n, a in calls]
    return {"role": "assistant", "content": None, "tool_calls": calls}


@pytest.mark.parametrize(
    ("arguments", "name", "score"),
    [
        ({"location": "New York", "unit": "celsius"}, "get_weather", 1.0),
        ({"location": "New York"}, "get_weather", 0.65),
        ({"location": "New York", "unit": 1}, "get_weather", 0.3 + 0.7 / 3),
        ({}, "get_weather", 0.3),
        ({"location": "New York", "unit": "celsius"}, "get_time", 0.0),
    ],
)
def test_a_call_is_compared_with_its_schema(arguments, name, score):
    assert schema_jaccard_reward(calling(arguments, name), expected_schema=WEATHER).score == pytest.approx(
        score
    )


def test_a_call_can_be_given_directly():
    call = {"name": "get_weather", "arguments": json.dumps({"location": "New York", "unit": "celsius"})}
    assert schema_jaccard_reward(messages=[], function_call=call, expected_schema=WEATHER).score == 1.0


def test_tool_calls_and_tags_are_calls_too():
    arguments = {"location": "NY", "unit": "c"}
    modern = [tool_message(("get_weather", arguments))]
    body = json.dumps({"name": "get_weather", "arguments": arguments})
    tagged = [{"role": "assistant", "content": f"<tool_call>{body}</tool_call>"}]
    for messages in (modern, tagged):
        assert schema_jaccard_reward(messages, expected_schema=WEATHER).score == 1.0


def test_no_call_is_a_zero(chat):
    assert schema_jaccard_reward(chat("It is sunny."), expected_schema=WEATHER).score == 0.0


@pytest.mark.parametrize(
    ("got", "wanted", "score"),
    [
        ([("f", {"a": 1})], [("f", {"a": 1})], 1.0),
        ([("f", {"a": 1}), ("g", {})], [("g", {}), ("f", {"a": 1})], 1.0),
        ([("f", {"a": 2})], [("f", {"a": 1})], 0.0),
        ([("f", {"a": 1})], [("f", {"a": 1}), ("f", {"a": 1})], 0.0),
        ([("f", {"a": 1})], [], 0.0),
        ([], [], 1.0),
    ],
)
def test_calls_match_exactly_or_not_at_all(got, wanted, score):
    truth = tool_message(*wanted)
    assert exact_tool_match_reward([tool_message(*got)], ground_truth=truth).score == score
    assert exact_tool_match_reward([tool_message(*got)], ground_truth=json.dumps(truth)).score == score


@pytest.mark.parametrize(
    ("arguments", "strictness", "score"),
    [
        ({"location": "a", "unit": "b"}, "exact", 1.0),
        ({"location": "a"}, "exact", 0.5),
        ({"location": "a"}, "partial", 1.0),
        ({"location": 5}, "partial", 0.5),
        ({"location": "a", "more": 1}, "flexible", 0.75),
    ],
)
def test_arguments_can_be_matched_more_or_less_strictly(arguments, strictness, score):
    result = match_function_call([], "get_weather", arguments, WEATHER, argument_match_strictness=strictness)
    assert result.score == score


def judge(loopback, content, status=200):
    answer = {"choices": [{"message": {"content": content}}]}
    loopback.routes["POST", "/v1/chat/completions"] = (status, answer)
    return {"openai_api_key": "k", "base_url": f"{loopback.url}/v1"}


@pytest.mark.parametrize(
    "content",
    [
        '{"score": 0.8, "explanation": "good"}',
        '```json\n{"score": 0.8, "explanation": "good"}\n```',
        "Score: 0.8\nExplanation: good",
    ],
)
def test_a_judge_scores_a_call_and_says_why(loopback, content):
    messages = calling({"location": "New York"})
    options = judge(loopback, content)
    result = llm_judge_reward(
        messages,
        expected_schema=WEATHER,
        expected_behavior="asks for weather",
        model="m",
        temperature=0.2,
        **options,
    )
    assert (result.score, result.reason) == (0.8, "good")
    body = loopback.requests[0][3]
    assert (body["model"], body["temperature"]) == ("m", 0.2)
    assert all(
        part in body["messages"][0]["content"] for part in ("New York", "get_weather", "asks for weather")
    )


@pytest.mark.parametrize(("content", "status"), [("no idea", 200), ('{"score": 7}', 200), ("x", 500)])
def test_a_judge_that_fails_makes_the_result_invalid(loopback, content, status):
    result = llm_judge_reward(calling({}), expected_schema=WEATHER, **judge(loopback, content, status))
    assert (result.score, result.is_score_valid) == (0.0, False)


def test_a_judge_needs_a_key():
    with pytest.raises(UsageError, match="OPENAI_API_KEY"):
        llm_judge_reward(calling({}), expected_schema=WEATHER)


def test_the_composite_weighs_schema_and_judge(loopback):
    messages = calling({"location": "New York", "unit": "celsius"})
    options = judge(loopback, '{"score": 0.5, "explanation": "fine"}')
    result = composite_function_call_reward(
        messages,
        expected_schema=WEATHER,
        expected_behavior="b",
        weights={"schema": 0.6, "llm": 0.4},
        **options,
    )
    assert result.score == pytest.approx(0.8)
    assert {"schema_function_name_match", "schema_schema_similarity", "llm_llm_judge"} <= set(result.metrics)
