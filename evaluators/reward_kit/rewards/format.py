"""Does the response have the wanted form?"""

from __future__ import annotations

import re
from typing import Any

from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import response_text, verdict

DEFAULT_PATTERN = r"^<think>\n.*?</think>\n<answer>\n.*?</answer>$"


@reward_function
def format_reward(
    messages: list[Message],
    ground_truth: Any = None,
    pattern: str = DEFAULT_PATTERN,
    flags: int = re.DOTALL,
    require_exact_match: bool = True,
    format_regex: str | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score 1.0 when the response matches a regular expression, else 0.0.

    With `require_exact_match` the whole response has to match, otherwise any part of it.
    `format_regex` is another name for `pattern`.

        "<think>\\n2+2=4\\n</think>\\n<answer>\\n4\\n</answer>"  ->  1.0
    """
    compiled = re.compile(format_regex or pattern, flags)
    text = response_text(messages).strip()
    found = compiled.fullmatch(text) if require_exact_match else compiled.search(text)
    reason = "the response has the wanted form" if found else "the response does not have the wanted form"
    return verdict(found is not None, reason, "format_match")
