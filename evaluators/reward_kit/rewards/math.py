"""Is the mathematical answer right?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..answers import final_answer, parse_answer, same_answer
from ..answers.answer import Words
from ..answers.compare import Rules, UnitMode
from ..answers.expression import EvaluationError, ParseError, parse
from ..answers.extract import last_boxed, quantities
from ..answers.normalize import normalize
from ..errors import UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, reference_text, response_text, verdict


@reward_function
def math_reward(
    messages: list[Message],
    ground_truth: Any = None,
    expected_answer: str | float | Sequence[str | float] | None = None,
    original_messages: list[Message] | None = None,
    tolerance: float = 0.001,
    absolute_tolerance: float = 1e-8,
    extract_boxed_only: bool = False,
    ignore_units: bool | None = None,
    require_units: bool = False,
    extract_answer_from_original: bool = False,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score 1.0 when the final answer of the response is the expected one, else 0.0.

    Integers, fractions and roots must agree exactly; where a decimal is involved, `tolerance` is
    the allowed relative difference. Formulas, lists, sets, intervals and matrices are compared too.
    Several expected answers are alternatives. By default a missing unit is forgiven and a
    contradicting one is not; `ignore_units=True` looks at numbers only, `ignore_units=False` (or
    `require_units`) insists on the unit.

        "Therefore, 15% of 80 is 12.", expected_answer="12"  ->  1.0
    """
    if tolerance < 0 or absolute_tolerance < 0:
        raise UsageError("tolerances must not be negative")
    expected = _expected(ground_truth, expected_answer, original_messages, extract_answer_from_original)
    rules = Rules(tolerance, absolute_tolerance, _unit_mode(ignore_units, require_units))
    found = final_answer(response_text(messages), boxed_only=extract_boxed_only)
    extraction = metric(float(found is not None), f"final answer: {found!r}", found is not None)
    wanted = metric(1.0, f"expected: {' or '.join(map(repr, expected))}")
    if found is None:
        reason = "no answer in a box" if extract_boxed_only else "no answer found"
        return verdict(
            False, reason, "answer_comparison", answer_extraction=extraction, expected_answer=wanted
        )
    matched = next((answer for answer in expected if same_answer(answer, found, rules)), None)
    reason = f"{found!r} {'is' if matched is not None else 'is not'} {matched or ' or '.join(expected)!r}"
    return verdict(
        matched is not None,
        reason,
        "answer_comparison",
        answer_extraction=extraction,
        expected_answer=wanted,
    )


def extract_numbers(text: str) -> list[tuple[str, float]]:
    """
    List the numbers in a text, each as written and as a float.

        extract_numbers("3/4 of 1,000 is 750")  ->  [("3/4", 0.75), ("1,000", 1000.0), ("750", 750.0)]
    """
    found = []
    for _, written in quantities(normalize(text)):
        number = written.lstrip("$€£").split(" ")[0]
        try:
            value = complex(parse(number).value())
        except (ParseError, EvaluationError):
            continue
        found.append((written, value.real))
    return found


def compare_numbers(
    expected: float, actual: float, relative_tolerance: float = 1e-5, absolute_tolerance: float = 1e-8
) -> tuple[bool, float]:
    """Tell whether two numbers agree within a tolerance, and how similar they are from 0 to 1."""
    difference = abs(expected - actual)
    if difference <= max(absolute_tolerance, relative_tolerance * abs(expected)):
        return True, 1.0
    size = max(abs(expected), abs(actual))
    return False, max(0.0, 1.0 - difference / size)


def _expected(
    ground_truth: Any, expected_answer: Any, original: list[Message] | None, from_original: bool
) -> list[str]:
    given = expected_answer if expected_answer is not None else ground_truth
    if given is None and from_original:
        given = _from_original(original or [])
    if given is None:
        raise UsageError(
            "math_reward needs `expected_answer`, `ground_truth`, or original messages that state the answer"
        )
    several = isinstance(given, (list, tuple)) and all(isinstance(one, (str, int, float)) for one in given)
    texts = [str(one) for one in given] if several else [reference_text(given) or ""]
    answers = [_answer_of_reference(text) for text in texts if text.strip()]
    if not answers:
        raise UsageError("the expected answer is empty")
    return answers


def _from_original(messages: Sequence[Message]) -> str | None:
    return next((answer for m in reversed(messages) if (answer := final_answer(m.text))), None)


def _answer_of_reference(text: str) -> str:
    """A reference may be the bare answer or a worked solution that ends in it."""
    boxed = last_boxed(text)
    if boxed is not None:
        return boxed
    is_solution = "####" in text or "<answer>" in text or isinstance(parse_answer(text), Words)
    has_number = any(character.isdigit() for character in text)
    return (final_answer(text) or text) if is_solution and has_number else text


def _unit_mode(ignore_units: bool | None, require_units: bool) -> UnitMode:
    if require_units or ignore_units is False:
        return "strict"
    return "ignore" if ignore_units else "lenient"
