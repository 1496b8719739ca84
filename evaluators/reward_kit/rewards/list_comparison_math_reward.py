"""Does the response list the right numbers?"""

from __future__ import annotations

from collections import Counter
from typing import Any

from ..answers import final_answer, parse_answer
from ..answers.answer import Alternatives, Answer, Collection, Quantity
from ..answers.expression import EvaluationError
from ..errors import UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, reference_text, response_text, result


@reward_function
def list_comparison_math_reward(
    messages: list[Message], ground_truth: Any = None, order_matters: bool = False, **kwargs: Any
) -> EvaluateResult:
    """
    Score 1.0 when the final answer holds exactly the expected numbers, else 0.0.

    The metric `overlap` is the share of numbers that the two lists have in common.

        "The divisors are \\boxed{1, 2, 3, 6}", ground_truth="1,2,3,6"  ->  1.0
    """
    wanted = (
        number_list(reference_text(ground_truth) or "")
        if not _is_numbers(ground_truth)
        else _floats(ground_truth)
    )
    if wanted is None:
        raise UsageError("list_comparison_math_reward needs a list of numbers as `ground_truth`")
    text = final_answer(response_text(messages))
    got = number_list(text) if text else None
    if got is None:
        return result(0.0, "no list of numbers found", list_comparison=metric(0.0, "no list found", False))
    same = got == wanted if order_matters else Counter(got) == Counter(wanted)
    reason = f"{_written(got)} {'is' if same else 'is not'} {_written(wanted)}"
    return result(
        float(same),
        reason,
        list_comparison=metric(float(same), reason, same),
        overlap=metric(_overlap(got, wanted), "share of numbers in common"),
    )


def number_list(text: str) -> list[float] | None:
    """
    Read a list of numbers; None when the text is something else.

        number_list("{1, 2, 1/2}")  ->  [1.0, 2.0, 0.5]
    """
    return _numbers(parse_answer(text.replace("\n", ", ")))


def _numbers(answer: Answer) -> list[float] | None:
    if isinstance(answer, Alternatives):
        return _numbers(answer.parts[-1])
    if isinstance(answer, Collection):
        parts = [_numbers(part) for part in answer.parts]
        return None if any(part is None for part in parts) else [n for part in parts for n in part or []]
    if not isinstance(answer, Quantity) or answer.expression.variables:
        return None
    try:
        value = complex(answer.expression.value())
    except EvaluationError:
        return None
    return [round(value.real, 9)] if value.imag == 0 else None


def _is_numbers(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(one, (int, float)) for one in value)


def _floats(values: Any) -> list[float]:
    return [round(float(value), 9) for value in values]


def _overlap(got: list[float], wanted: list[float]) -> float:
    if not got and not wanted:
        return 1.0
    common = sum((Counter(got) & Counter(wanted)).values())
    return common / max(len(got), len(wanted))


def _written(numbers: list[float]) -> str:
    return "[" + ", ".join(f"{number:g}" for number in numbers) + "]"
