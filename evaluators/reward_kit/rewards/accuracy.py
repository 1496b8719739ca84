"""Does the response state the true answer?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..answers import final_answer, parse_answer, same_answer
from ..answers.answer import Words
from ..answers.extract import last_tagged
from ..errors import UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, reference_text, response_text, result

ExtractFn = Callable[[str], str]
CompareFn = Callable[[str, str], float]

SHORT_ANSWER_WORDS = 6
"""Up to this length a reference is a fact to be named; beyond, a text to be resembled."""

_PHRASE = re.compile(
    r"\b(?:final\s+)?answer\b[*_\s]*(?:is|:|=)[\s:*_]*(.+?)(?:[.!?](?:\s|$)|\n|$)", re.IGNORECASE
)


@reward_function
def accuracy_reward(
    messages: list[Message],
    ground_truth: Any = None,
    extract_fn: ExtractFn | None = None,
    compare_fn: CompareFn | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score how well the response states the ground truth.

    A mathematical ground truth is compared as `math_reward` does. A short text has to be named in
    the stated answer: 1.0 or 0.0. A long text is resembled: the F1 of shared words. `extract_fn`
    replaces the finding of the answer, `compare_fn` the comparison.

        "The capital of France is Paris.", ground_truth="Paris"  ->  1.0
    """
    truth = reference_text(ground_truth)
    if truth is None or not truth.strip():
        raise UsageError("accuracy_reward needs `ground_truth`")
    text = response_text(messages)
    answer = extract_fn(text) if extract_fn else extract_answer(text, truth)
    score = float(compare_fn(answer, truth)) if compare_fn else compare_answers(answer, truth)
    reason = f"stated {_shortened(answer)!r}, the truth is {_shortened(truth)!r}"
    return result(
        score,
        reason,
        accuracy=metric(score, reason, score >= 1.0),
        answer_extraction=metric(float(bool(answer.strip())), f"stated answer: {_shortened(answer)!r}"),
    )


def extract_answer(text: str, truth: str) -> str:
    """Find the part of a response that states the answer; at worst it is all of it."""
    if not isinstance(parse_answer(truth), Words):
        return final_answer(text) or text
    tagged = last_tagged(text)
    if tagged:
        return tagged
    stated = _PHRASE.findall(text)
    return str(stated[-1]).strip() if stated else text


def compare_answers(answer: str, truth: str) -> float:
    """Compare an answer with the truth: mathematically, by naming, or by shared words."""
    if not isinstance(parse_answer(truth), Words):
        return float(same_answer(truth, answer))
    wanted, got = normalize_text(truth), normalize_text(answer)
    if wanted == got:
        return 1.0
    if len(wanted.split()) > SHORT_ANSWER_WORDS:
        return _word_f1(got.split(), wanted.split())
    named = re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", got) if wanted else None
    return float(named is not None and not _is_denied(got, named.start()))


def normalize_text(text: str) -> str:
    """
    Reduce a text to its words, in lower case and without articles.

        normalize_text("The Eiffel Tower!")  ->  "eiffel tower"
    """
    words = re.findall(r"\w+", text.casefold())
    return " ".join(word for word in words if word not in ("the", "a", "an")) or " ".join(words)


def _is_denied(text: str, position: int) -> bool:
    return (
        re.search(r"\b(?:not|isn t|never|no longer|neither|nor)(?: \w+){0,1} $", text[:position]) is not None
    )


def _word_f1(got: list[str], wanted: list[str]) -> float:
    remaining = list(wanted)
    shared = 0
    for word in got:
        if word in remaining:
            remaining.remove(word)
            shared += 1
    return 2 * shared / (len(got) + len(wanted)) if shared else 0.0


def _shortened(text: str, length: int = 80) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
