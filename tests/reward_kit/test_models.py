"""Messages and results: two ways of access, conversions without loss, deprecations said once."""

import json
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reward_kit import (
    EvaluateResult,
    Message,
    MetricResult,
    MetricRewardOutput,
    RewardOutput,
    StepOutput,
    convert_to_evaluate_result,
    convert_to_reward_output,
)

scores = st.floats(allow_nan=False, allow_infinity=False)
metrics = st.dictionaries(
    st.text(max_size=8), st.builds(MetricResult, score=scores, reason=st.text(max_size=8))
)
results = st.builds(
    EvaluateResult,
    score=scores,
    reason=st.none() | st.text(max_size=8),
    metrics=metrics,
    error=st.none() | st.text(max_size=8),
    is_score_valid=st.booleans(),
    step_outputs=st.none()
    | st.lists(st.builds(StepOutput, step_index=st.integers(), base_reward=scores), max_size=2),
)


def test_a_message_reads_like_an_object_and_like_a_dictionary():
    message = Message(role="assistant", content="Hi")
    assert message.content == message["content"] == message.get("content", "") == "Hi"
    assert "content" in message
    assert dict(message) == {"role": "assistant", "content": "Hi"}


def test_a_null_field_of_a_message_counts_as_absent():
    message = Message(role="assistant", content=None, tool_calls=[{"id": "call_123"}])
    assert message.content is None
    assert message.get("content", "") == ""
    assert "content" not in message
    assert message.tool_calls == [{"id": "call_123"}]


def test_a_message_keeps_fields_it_does_not_know():
    message = Message(role="assistant", content="4", reasoning_content="2+2")
    assert message["reasoning_content"] == message.get("reasoning_content") == "2+2"


def test_an_unknown_field_is_a_key_error():
    with pytest.raises(KeyError, match="no field 'colour'"):
        Message(role="user")["colour"]


def test_a_field_can_be_set_either_way():
    message = Message(role="user", content="a")
    message["content"] = "b"
    assert message.content == "b"


def test_the_text_of_content_parts_is_joined():
    assert Message(role="user", content=[{"type": "text", "text": "a"}, {"type": "image_url"}]).text == "a"


def test_a_result_and_its_metrics_read_like_dictionaries():
    result = EvaluateResult(
        score=0.75, metrics={"clarity": MetricResult(score=0.8, reason="clear", success=True)}
    )
    assert result["score"] == 0.75
    assert result["metrics"]["clarity"]["score"] == 0.8
    assert result.metrics.get("clarity", {}).get("reason", "none") == "clear"
    assert result["error"] is None
    assert list(result) == ["score", "metrics", "is_score_valid"]


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_is_a_finite_number(score):
    with pytest.raises(ValidationError):
        EvaluateResult(score=score)


@given(results)
def test_a_result_survives_the_way_through_a_dictionary(result):
    assert EvaluateResult.from_dict(result.to_dict()) == result
    assert EvaluateResult.model_validate_json(result.model_dump_json()) == result
    assert json.loads(str(result))["score"] == result.score
    assert all(result[key] == getattr(result, key) for key in result)


@given(results)
def test_conversion_to_the_old_type_and_back_keeps_scores_and_reasons(result):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        back = convert_to_evaluate_result(convert_to_reward_output(result))
    assert back.score == result.score
    assert {n: (m.score, m.reason) for n, m in back.metrics.items()} == {
        n: (m.score, m.reason) for n, m in result.metrics.items()
    }


def test_the_documented_reward_output_example_works():
    result = RewardOutput(score=0.75, metrics={"clarity": MetricRewardOutput(score=0.8, reason="clear")})
    again = RewardOutput.from_dict(result.to_dict())
    assert again == result
    assert json.loads(str(again)) == result.to_dict()
    assert again.to_evaluate_result().metrics["clarity"].reason == "clear"


def test_a_bare_number_is_a_metric():
    assert EvaluateResult.from_dict({"score": 1, "metrics": {"a": 0.5}}).metrics["a"].score == 0.5


@pytest.mark.parametrize("cls", [RewardOutput, MetricRewardOutput])
def test_a_deprecated_type_warns_once(cls, monkeypatch):
    monkeypatch.setattr(cls, "warned", False)
    with pytest.warns(DeprecationWarning, match=f"{cls.__name__} is deprecated, use {cls.successor}"):
        cls(score=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cls(score=1.0)
