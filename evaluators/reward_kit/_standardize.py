"""What goes into a reward function becomes messages, what comes out becomes an `EvaluateResult`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from .models import EvaluateResult, Message, MetricResult, MetricRewardOutput, RewardOutput

_MESSAGES = TypeAdapter(list[Message])


class InvalidInputError(ValueError):
    """The messages of a row are not a conversation."""


def to_messages(messages: Any) -> list[Message]:
    """
    Turn a conversation of dictionaries, `Message` or SDK objects into `Message` objects.

        [{"role": "user", "content": "Hi"}]  ->  [Message(role="user", content="Hi")]
    """
    try:
        return _MESSAGES.validate_python(messages)
    except ValidationError:
        pass
    if not isinstance(messages, (list, tuple)):
        raise InvalidInputError(f"messages must be a list of messages, not {type(messages).__name__}")
    try:
        return _MESSAGES.validate_python([_plain(message) for message in messages])
    except ValidationError as error:
        raise InvalidInputError(f"invalid messages: {_first_problem(error)}") from error


def to_dicts(messages: Any) -> list[dict[str, Any]]:
    """Turn a conversation into plain dictionaries, checking that it is one."""
    dicts = (
        [message if type(message) is dict else _plain(message) for message in messages]
        if isinstance(messages, (list, tuple))
        else None
    )
    if dicts is not None and all(isinstance(m, dict) and isinstance(m.get("role"), str) for m in dicts):
        return dicts
    return [message.to_dict() for message in to_messages(messages)]


def to_result(output: Any, name: str) -> EvaluateResult:
    """
    Turn what a reward function returned into an `EvaluateResult`.

        0.75, {"clarity": 0.8}                 the legacy tuple
        {"score": 0.75, "metrics": {...}}      a dictionary
        0.75, True                             a bare score
    """
    if isinstance(output, EvaluateResult):
        return output
    if isinstance(output, RewardOutput):
        return output.to_evaluate_result()
    if isinstance(output, Mapping) and "score" in output:
        return EvaluateResult.from_dict(dict(output))
    if isinstance(output, (int, float)):
        return EvaluateResult(score=float(output))
    if isinstance(output, tuple) and len(output) == 2 and isinstance(output[1], Mapping):
        return EvaluateResult(score=output[0], metrics={k: _metric(k, v) for k, v in output[1].items()})
    raise TypeError(
        f"{name} returned {type(output).__name__}; expected EvaluateResult, RewardOutput, "
        "a dictionary with a score, or (score, components)"
    )


def guarded_result(output: Any, name: str) -> EvaluateResult:
    """Do what `to_result` does, turning a malformed output into a typed failure."""
    try:
        return to_result(output, name)
    except ValidationError as error:
        return EvaluateResult.failure(f"{name} returned an invalid result: {_first_problem(error)}")
    except TypeError as error:
        return EvaluateResult.failure(f"TypeError: {error}")


def _plain(message: Any) -> Any:
    if isinstance(message, Message):
        return message.to_dict()
    dump = getattr(message, "model_dump", None)
    return dump(exclude_none=True) if dump else message


def _metric(name: str, value: Any) -> MetricResult:
    if isinstance(value, MetricResult):
        return value
    if isinstance(value, MetricRewardOutput):
        return MetricResult(score=value.score, reason=value.reason or "")
    if isinstance(value, Mapping):
        return MetricResult.model_validate(dict(value))
    return MetricResult(score=value, reason=f"{name} score")


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])
