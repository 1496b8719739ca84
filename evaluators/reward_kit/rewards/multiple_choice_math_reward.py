"""Is the chosen option right?"""

from __future__ import annotations

import re
from typing import Any

from ..answers.extract import last_boxed
from ..errors import UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, reference_text, response_text, verdict

_LETTER = r"[\(\[{*_`\s]*(?:\\text\w*\{)?[\(\[]?([A-J])(?![A-Za-z'])"
_PLACES = (
    re.compile(rf"(?:final\s+|correct\s+)?\b(?i:answer|choice|option)\b[*_\s]*(?i:is|:|=)?\s*(?i:option|choice)?{_LETTER}"),
    re.compile(r"\(([A-J])\)"),
    re.compile(r"^\W*([A-J])(?:[.):\]]|\W*$)", re.MULTILINE),
)  # fmt: skip


@reward_function
def multiple_choice_math_reward(
    messages: list[Message], ground_truth: Any = None, **kwargs: Any
) -> EvaluateResult:
    """
    Score 1.0 when the response chooses the expected option letter, else 0.0.

        "The answer is (B).", ground_truth="B"  ->  1.0
    """
    wanted = chosen_option(reference_text(ground_truth) or "")
    if wanted is None:
        raise UsageError("multiple_choice_math_reward needs an option letter as `ground_truth`")
    got = chosen_option(response_text(messages))
    reason = f"chose {got or 'nothing'}, expected {wanted}"
    found = metric(float(got is not None), f"option {got}" if got else "no option found", got is not None)
    return verdict(got == wanted, reason, "choice", option_extraction=found)


def chosen_option(text: str) -> str | None:
    """
    Return the letter of the option that a text settles on.

        chosen_option("Not (A), so \\boxed{C}")  ->  "C"
    """
    boxed = last_boxed(text)
    if boxed is not None:
        match = re.match(_LETTER, boxed)
        return match.group(1) if match else None
    for place in _PLACES:
        letters = place.findall(text)
        if letters:
            return str(letters[-1])
    return None
