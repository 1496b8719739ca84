"""Is the answer right, and is it brief?"""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, require_positive, response_text, result
from .accuracy import CompareFn, ExtractFn, accuracy_reward
from .length import CORRECT_FROM, cosine_value, count_tokens


@reward_function
def cosine_scaled_accuracy_length_reward(
    messages: list[Message],
    ground_truth: Any = None,
    extract_fn: ExtractFn | None = None,
    compare_fn: CompareFn | None = None,
    max_length: int = 1000,
    min_value_wrong: float = 0.0,
    max_value_wrong: float = 0.3,
    min_value_correct: float = 0.5,
    max_value_correct: float = 1.0,
    token_method: str = "whitespace",
    correctness_weight: float = 0.7,
    length_weight: float = 0.3,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Weigh accuracy against length: short right answers best, wrong answers always below right ones.

    The accuracy is that of `accuracy_reward`, the length component that of `cosine_length_reward`.

        "Paris", ground_truth="Paris", max_length=100        ->  1.00
        69 right words, max_length=100                       ->  0.88
    """
    require_positive(max_length=max_length)
    if correctness_weight < 0 or length_weight < 0 or correctness_weight + length_weight <= 0:
        raise UsageError("the weights must not be negative nor both zero")
    accuracy = accuracy_reward(messages, ground_truth, extract_fn=extract_fn, compare_fn=compare_fn)
    if accuracy.error:
        return accuracy
    is_correct = accuracy.score >= CORRECT_FROM
    tokens = count_tokens(response_text(messages), token_method)
    start, end = (max_value_correct, min_value_correct) if is_correct else (min_value_wrong, max_value_wrong)
    length = cosine_value(tokens, max_length, start, end)
    total = correctness_weight + length_weight
    score = (correctness_weight * accuracy.score + length_weight * length) / total
    reason = f"accuracy {accuracy.score:.2f}, length {length:.2f} ({tokens} of at most {max_length} tokens)"
    return result(
        score,
        reason,
        combined_reward=metric(score, reason, is_correct),
        accuracy=metric(accuracy.score, accuracy.reason or "", is_correct),
        length=metric(length, f"{tokens} tokens, {'shorter is better' if is_correct else 'effort counts'}"),
        token_count=metric(tokens / max_length, f"{tokens} tokens counted by {token_method}"),
    )
