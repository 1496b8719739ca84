"""Does the response reason step by step?"""

from __future__ import annotations

import re
from typing import Any

from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, require_positive, response_text, result

_KINDS = {
    "explicit_steps": re.compile(
        r"^[^\w\n]*step\s+\w+\s*[:.)-]|\bstep\s+\d+\b", re.IGNORECASE | re.MULTILINE
    ),
    "numbered_list": re.compile(r"^[ \t]*(?:\(?\d{1,3}[.)]|[a-z]\))\s+\S", re.MULTILINE),
    "bullet_points": re.compile(r"^[ \t]*[-*•]\s+\S", re.MULTILINE),
    "transitions": re.compile(
        r"\b(?:first(?:ly)?|second(?:ly)?|third(?:ly)?|next|then|after that|finally|lastly|therefore|thus|"
        r"hence|consequently|as a result|in conclusion)\b,?",
        re.IGNORECASE,
    ),
}
_SEQUENCE_TERMS = (
    "first", "second", "third", "fourth", "fifth", "next", "then", "after that", "subsequently",
    "finally", "lastly",
)  # fmt: skip


@reward_function
def reasoning_steps_reward(
    messages: list[Message],
    pattern: str | None = None,
    min_steps: int = 3,
    max_steps: int | None = None,
    exclusive_patterns: bool = False,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score the number of reasoning steps up to `min_steps`, and less again beyond `max_steps`.

    Steps are explicit ones ("Step 1:"), list items and words such as "then"; the kind that occurs
    most is counted. `pattern` adds a kind of one's own, alone with `exclusive_patterns`.

        "Step 1: ... Step 2: ... Step 3: ..."  ->  1.0
    """
    require_positive(min_steps=min_steps, max_steps=max_steps)
    text = response_text(messages)
    kinds = {} if pattern and exclusive_patterns else dict(_KINDS)
    if pattern:
        kinds["custom"] = re.compile(pattern, re.MULTILINE)
    counts = {name: len(kind.findall(text)) for name, kind in kinds.items()}
    steps = max(counts.values())
    score = min(1.0, steps / min_steps)
    if max_steps is not None and steps > max_steps:
        score = max(0.0, 1.0 - (steps - max_steps) / max_steps)
    reason = f"{steps} reasoning steps, at least {min_steps} wanted"
    parts = {
        name: metric(min(1.0, count / min_steps), f"{count} found", count >= min_steps)
        for name, count in counts.items()
    }
    return result(score, reason, reasoning_steps=metric(score, reason, score == 1.0), **parts)


@reward_function
def sequence_reward(
    messages: list[Message],
    sequence_terms: list[str] | None = None,
    min_matches: int = 3,
    case_sensitive: bool = False,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score how many different terms of a sequence occur, up to `min_matches`.

        "First, ... Then, ... Finally, ..."  ->  1.0
    """
    require_positive(min_matches=min_matches)
    text = response_text(messages)
    flags = 0 if case_sensitive else re.IGNORECASE
    terms = sequence_terms or _SEQUENCE_TERMS
    found = [term for term in terms if re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text, flags)]
    score = min(1.0, len(found) / min_matches)
    reason = f"found {', '.join(found) or 'none'} of the terms"
    return result(score, reason, sequence_terms=metric(score, reason, score == 1.0))
