"""Is the right function called in the right way?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..errors import ApiError, UsageError
from ..models import EvaluateResult, Message, MetricResult
from ..typed_interface import reward_function
from ._common import metric, response_text, result, verdict
from ._llm_judge import Judge
from ._tool_calls import (
    ToolCall,
    argument_properties,
    calls_in,
    fits,
    last_call,
    properties,
    same_calls,
    to_call,
    type_name,
)

NAME_WEIGHT = 0.3
"""Share of the name in `schema_jaccard_reward`; the arguments have the rest."""

_PROMPT = """You judge the function calls of an AI assistant.

CONVERSATION:
{conversation}

FUNCTION CALL:
{call}

EXPECTED SCHEMA:
{schema}

EXPECTED BEHAVIOR:
{behavior}

Does the call have the right name and arguments, and does it serve what the user asked for?
Answer with a JSON object and nothing else:
{{"score": <number from 0.0 to 1.0>, "explanation": "<strengths and weaknesses>"}}"""


@reward_function
def schema_jaccard_reward(
    messages: list[Message],
    ground_truth: Any = None,
    function_call: dict[str, Any] | None = None,
    expected_schema: dict[str, Any] | str | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score the call's name and how far its arguments have the shape of a schema.

    The shape is compared by the Jaccard similarity of the sets of (argument, type). A wrong name
    scores 0.0; with the right one, the name counts for 0.3 and the arguments for 0.7.

        get_weather(location="New York", unit="celsius") for that schema  ->  1.0
    """
    schema = _schema(expected_schema if expected_schema is not None else ground_truth)
    call = to_call(function_call) if function_call is not None else last_call(messages)
    if call is None:
        return result(0.0, "no function call found", function_call=metric(0.0, "none found", False))
    name = _name_metric(call.name, schema["name"])
    similarity = _schema_metric(call, schema.get("arguments", schema.get("parameters", {})))
    score = NAME_WEIGHT + (1 - NAME_WEIGHT) * similarity.score if name.success else 0.0
    reason = f"{name.reason}; {similarity.reason}"
    return result(score, reason, function_name_match=name, schema_similarity=similarity)


@reward_function
def exact_tool_match_reward(
    messages: list[Message], ground_truth: Any = None, **kwargs: Any
) -> EvaluateResult:
    """
    Score 1.0 when the last message makes exactly the expected calls, in any order.

    `ground_truth` is a message with `tool_calls`, a list of calls, or one call. When it calls
    nothing, the response must call nothing either.

        ground_truth={"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}
    """
    response_text(messages)
    got, wanted = calls_in(messages[-1]), _expected_calls(ground_truth)
    same = same_calls(got, wanted)
    reason = f"{_listed(got)} called, {_listed(wanted)} expected"
    return verdict(same, reason, "exact_tool_match")


@reward_function
def llm_judge_reward(
    messages: list[Message],
    ground_truth: Any = None,
    function_call: dict[str, Any] | None = None,
    expected_schema: dict[str, Any] | str | None = None,
    expected_behavior: str | None = None,
    openai_api_key: str | None = None,
    model: str = "gpt-4o-mini",
    temperature: float = 0.0,
    base_url: str | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Let a model score the call from 0.0 to 1.0 and say why.

    Works with any endpoint that speaks OpenAI's chat completions: `base_url` or OPENAI_BASE_URL.
    When the model cannot be asked, the result is marked invalid and says so.
    """
    call = to_call(function_call) if function_call is not None else last_call(messages)
    if call is None:
        return result(0.0, "no function call found", llm_judge=metric(0.0, "none found", False))
    schema = expected_schema if expected_schema is not None else ground_truth
    prompt = _PROMPT.format(
        conversation="\n".join(f"{message.role}: {message.text}" for message in messages) or "(not given)",
        call=json.dumps({"name": call.name, "arguments": call.arguments}, indent=2),
        schema=json.dumps(schema, indent=2) if not isinstance(schema, str) else schema,
        behavior=expected_behavior or "(not given)",
    )
    try:
        score, explanation = Judge(model, temperature, openai_api_key, base_url).score(prompt)
    except ApiError as error:
        return EvaluateResult.failure(f"the LLM judge failed: {error}")
    return result(score, explanation, llm_judge=metric(score, explanation))


@reward_function
def composite_function_call_reward(
    messages: list[Message],
    ground_truth: Any = None,
    function_call: dict[str, Any] | None = None,
    expected_schema: dict[str, Any] | str | None = None,
    expected_behavior: str | None = None,
    openai_api_key: str | None = None,
    llm_model: str = "gpt-4o-mini",
    weights: dict[str, float] | None = None,
    base_url: str | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Average `schema_jaccard_reward` and `llm_judge_reward`, weighted 0.5 each unless said otherwise.

    Their metrics appear with the prefixes `schema_` and `llm_`.

        weights={"schema": 0.6, "llm": 0.4}
    """
    shares = weights or {"schema": 0.5, "llm": 0.5}
    total = shares.get("schema", 0.0) + shares.get("llm", 0.0)
    if set(shares) - {"schema", "llm"} or min(shares.values()) < 0 or total <= 0:
        raise UsageError("weights must name `schema` and `llm`, be at least 0, and not both be 0")
    common = {
        "ground_truth": ground_truth,
        "function_call": function_call,
        "expected_schema": expected_schema,
    }
    schema = schema_jaccard_reward(messages, **common)
    judged = llm_judge_reward(
        messages,
        **common,
        expected_behavior=expected_behavior,
        openai_api_key=openai_api_key,
        model=llm_model,
        base_url=base_url,
    )
    score = (shares.get("schema", 0.0) * schema.score + shares.get("llm", 0.0) * judged.score) / total
    answer = result(
        score,
        f"schema {schema.score:.2f}, LLM judge {judged.score:.2f}",
        schema_score=metric(schema.score, schema.reason or ""),
        llm_score=metric(judged.score, judged.reason or ""),
        **{f"schema_{name}": part for name, part in schema.metrics.items()},
        **{f"llm_{name}": part for name, part in judged.metrics.items()},
    )
    return answer.model_copy(update={"error": judged.error, "is_score_valid": judged.is_score_valid})


@reward_function
def match_function_call(
    messages: list[Message],
    function_name: str,
    parsed_arguments: dict[str, Any],
    expected_call_schema: dict[str, Any],
    argument_match_strictness: str = "exact",
    **kwargs: Any,
) -> EvaluateResult:
    """
    Average the match of a call's name and of its arguments with a schema.

    `exact` wants every argument and no other, `partial` forgives missing ones, `flexible` gives
    each expected argument its share and overlooks extra ones.
    """
    if argument_match_strictness not in ("exact", "partial", "flexible"):
        raise UsageError("argument_match_strictness must be 'exact', 'partial' or 'flexible'")
    name = _name_metric(function_name, str(expected_call_schema.get("name", "")))
    expected = expected_call_schema.get("arguments", {})
    arguments = _arguments_metric(parsed_arguments, expected, argument_match_strictness)
    score = (name.score + arguments.score) / 2
    reason = f"{name.reason}; {arguments.reason}"
    return result(score, reason, function_name_match=name, arguments_match=arguments)


def _arguments_metric(got: dict[str, Any], expected: dict[str, Any], strictness: str) -> MetricResult:
    missing = expected.keys() - got.keys()
    extra = got.keys() - expected.keys()
    wrong = {
        name
        for name in expected.keys() & got.keys()
        if isinstance(expected[name], dict)
        and not fits(type_name(got[name]), expected[name].get("type", "any"))
    }
    reason = f"missing {sorted(missing)}, unexpected {sorted(extra)}, of wrong type {sorted(wrong)}"
    if strictness == "flexible":
        good = len(expected) - len(missing) - len(wrong)
        score = good / len(expected) if expected else 1.0
    else:
        score = float(not (wrong or extra or (missing and strictness == "exact")))
    return metric(score, reason, score == 1.0)


def _schema(schema: Any) -> dict[str, Any]:
    if isinstance(schema, str):
        try:
            schema = json.loads(schema)
        except ValueError as error:
            raise UsageError(f"expected_schema is not JSON: {error}") from error
    inner = schema.get("function", schema) if isinstance(schema, dict) else None
    if not isinstance(inner, dict) or not inner.get("name"):
        raise UsageError("`expected_schema` must be an object with a `name`")
    return inner


def _name_metric(got: str, expected: str) -> MetricResult:
    same = got == expected
    reason = f"the function {got!r} is called" + ("" if same else f" instead of {expected!r}")
    return metric(float(same), reason, same)


def _schema_metric(call: ToolCall, expected: Any) -> MetricResult:
    if call.arguments is None:
        return metric(0.0, "the arguments are not a JSON object", False)
    wanted = properties(expected)
    got = {_fitted(pair, wanted) for pair in argument_properties(call.arguments)}
    if not wanted and not got:
        return metric(1.0, "no arguments, as expected", True)
    similarity = len(got & wanted) / len(got | wanted)
    reason = (
        f"matching {_names(got & wanted)}, missing {_names(wanted - got)}, unexpected {_names(got - wanted)}"
    )
    return metric(similarity, reason, similarity == 1.0)


def _fitted(pair: tuple[str, str], wanted: set[tuple[str, str]]) -> tuple[str, str]:
    """Give an argument the type that the schema names, if its own is allowed there."""
    return next((want for want in wanted if want[0] == pair[0] and fits(pair[1], want[1])), pair)


def _names(pairs: set[tuple[str, str]]) -> str:
    return ", ".join(sorted(name for name, _ in pairs)) or "none"


def _expected_calls(ground_truth: Any) -> list[ToolCall]:
    if isinstance(ground_truth, str):
        try:
            ground_truth = json.loads(ground_truth)
        except ValueError as error:
            raise UsageError(f"ground_truth is not JSON: {error}") from error
    if isinstance(ground_truth, Message):
        ground_truth = ground_truth.to_dict()
    if isinstance(ground_truth, dict) and ("tool_calls" in ground_truth or "role" in ground_truth):
        ground_truth = ground_truth.get("tool_calls") or []
    if isinstance(ground_truth, dict):
        return [to_call(ground_truth)]
    if not isinstance(ground_truth, Sequence):
        raise UsageError("exact_tool_match_reward needs `ground_truth`: the expected calls")
    return [to_call(call) for call in ground_truth]


def _listed(calls: Sequence[ToolCall]) -> str:
    return ", ".join(call.name or "(unreadable)" for call in calls) or "nothing"
