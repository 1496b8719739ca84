"""Is the response as long as it should be?"""

from __future__ import annotations

import math
import re
from typing import Any, Literal

from ..errors import UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, require_positive, response_text, result

TokenMethod = Literal["whitespace", "word", "character"]

CORRECT_FROM = 0.9
"""The `correctness` from which a solution counts as correct."""


def count_tokens(text: str, method: str = "whitespace") -> int:
    """
    Count tokens: runs without white space, words, or characters.

        count_tokens("It's 5 o'clock.")  ->  3
    """
    if method == "whitespace":
        return len(text.split())
    if method == "word":
        return len(re.findall(r"\w+(?:'\w+)?", text))
    if method == "character":
        return len(text)
    raise UsageError(f"token_method must be 'whitespace', 'word' or 'character', not {method!r}")


@reward_function
def length_reward(
    messages: list[Message],
    ground_truth: Any = None,
    target_length: int | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    token_method: str = "whitespace",
    scaling: str = "linear",
    reward_range: list[float] | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score how near the length is to a target, or whether it is within bounds.

    At the target, or within the bounds, the score is the upper end of `reward_range`; it falls
    to the lower end for an empty response and for one of twice the target or upper bound.
    `scaling` is `linear` or `cosine`.

        target_length=200, a response of 100 words  ->  0.5
    """
    require_positive(target_length=target_length, max_length=max_length)
    if target_length is None and min_length is None and max_length is None:
        raise UsageError("length_reward needs `target_length`, `min_length` or `max_length`")
    tokens = count_tokens(response_text(messages), token_method)
    distance = _distance(tokens, target_length, min_length, max_length)
    low, high = reward_range or (0.0, 1.0)
    score = high - (high - low) * _scaled(distance, scaling)
    reason = f"{tokens} tokens, {_wish(target_length, min_length, max_length)}"
    return result(
        score,
        reason,
        length=metric(score, reason, distance == 0.0),
        token_count=metric(1.0 - distance, f"{tokens} tokens counted by {token_method}"),
    )


@reward_function
def cosine_length_reward(
    messages: list[Message],
    ground_truth: Any = None,
    correctness: float | None = None,
    is_correct: bool | None = None,
    max_length: int = 1000,
    min_value_wrong: float = 0.0,
    max_value_wrong: float = 0.3,
    min_value_correct: float = 0.5,
    max_value_correct: float = 1.0,
    token_method: str = "whitespace",
    **kwargs: Any,
) -> EvaluateResult:
    """
    Reward brevity in correct answers and effort in wrong ones, along half a cosine.

    A correct answer falls from `max_value_correct` to `min_value_correct` as it grows to
    `max_length`; a wrong one rises from `min_value_wrong` to `max_value_wrong`. Correct is what
    `is_correct` says, else a `correctness` of 0.9 or more.

        correctness=0.9, max_length=500, 250 words  ->  0.75
    """
    require_positive(max_length=max_length)
    if is_correct is None:
        is_correct = correctness is not None and correctness >= CORRECT_FROM
    tokens = count_tokens(response_text(messages), token_method)
    if is_correct:
        score = cosine_value(tokens, max_length, max_value_correct, min_value_correct)
    else:
        score = cosine_value(tokens, max_length, min_value_wrong, max_value_wrong)
    reason = f"{'correct' if is_correct else 'wrong'} in {tokens} of at most {max_length} tokens"
    return result(
        score,
        reason,
        cosine_length=metric(score, reason, is_correct),
        token_count=metric(tokens / max_length, f"{tokens} tokens counted by {token_method}"),
        correctness=metric(float(is_correct), "correct" if is_correct else "wrong", is_correct),
    )


def cosine_value(tokens: int, max_length: int, start: float, end: float) -> float:
    """Go from `start` at no tokens to `end` at `max_length` along half a cosine."""
    progress = min(1.0, tokens / max_length)
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * progress))


def _distance(tokens: int, target: int | None, low: int | None, high: int | None) -> float:
    """How far off the length is, from 0.0 to 1.0."""
    if target is not None:
        return min(1.0, abs(tokens - target) / target)
    if low and tokens < low:
        return (low - tokens) / low
    if high is not None and tokens > high:
        return min(1.0, (tokens - high) / high)
    return 0.0


def _scaled(distance: float, scaling: str) -> float:
    if scaling == "linear":
        return distance
    if scaling == "cosine":
        return 0.5 * (1.0 - math.cos(math.pi * distance))
    raise UsageError(f"scaling must be 'linear' or 'cosine', not {scaling!r}")


def _wish(target: int | None, low: int | None, high: int | None) -> str:
    if target is not None:
        return f"target {target}"
    return f"wanted {low if low is not None else 0} to {high if high is not None else 'any number'}"
