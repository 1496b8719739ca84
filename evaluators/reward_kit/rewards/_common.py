"""What every built-in reward needs: the response to judge, and short ways to write results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._standardize import InvalidInputError
from ..errors import UsageError
from ..models import EvaluateResult, Message, MetricResult


def response_text(messages: Sequence[Message]) -> str:
    """Return the text of the last message, which must be the assistant's."""
    if not messages:
        raise InvalidInputError("there are no messages")
    if messages[-1].role != "assistant":
        raise InvalidInputError("the last message is not from the assistant")
    return messages[-1].text


def reference_text(reference: Any) -> str | None:
    """Return the text of a ground truth, which may be text, a number, or a conversation."""
    if reference is None or isinstance(reference, str):
        return reference
    if isinstance(reference, (list, tuple)):
        if not reference:
            return None
        last = reference[-1]
        if isinstance(last, dict):
            last = Message.model_validate(last)
        return last.text if isinstance(last, Message) else str(last)
    if isinstance(reference, (dict, Message)):
        return reference_text([reference])
    return str(reference)


def metric(score: float, reason: str, success: bool | None = None) -> MetricResult:
    """Write one metric; its score is kept within 0 and 1."""
    return MetricResult(score=bounded(score), reason=reason, success=success)


def result(score: float, reason: str, **metrics: MetricResult) -> EvaluateResult:
    """Write a result; its score is kept within 0 and 1."""
    return EvaluateResult(score=bounded(score), reason=reason, metrics=metrics)


def verdict(passed: bool, reason: str, name: str, **metrics: MetricResult) -> EvaluateResult:
    """Write the result of a pass/fail reward, with the verdict itself as a metric."""
    score = 1.0 if passed else 0.0
    return result(score, reason, **{name: metric(score, reason, passed)}, **metrics)


def bounded(score: float) -> float:
    """Bring a score into the range from 0 to 1, also where rounding left it by a hair."""
    return min(1.0, max(0.0, score))


def require_positive(**values: float | None) -> None:
    """Refuse parameters that are not positive numbers."""
    for name, value in values.items():
        if value is not None and not (value > 0 and math.isfinite(value)):
            raise UsageError(f"{name} must be positive, not {value}")
