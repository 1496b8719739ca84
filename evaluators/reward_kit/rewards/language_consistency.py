"""Is the response in one language, the right one?"""

from __future__ import annotations

from typing import Any

from ..errors import UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, require_positive, response_text, result
from ._languages import CODES, count_words_by_language, detect_dominant_language

__all__ = ["count_words_by_language", "detect_dominant_language", "language_consistency_reward"]


@reward_function
def language_consistency_reward(
    messages: list[Message],
    ground_truth: Any = None,
    target_language: str | None = None,
    min_consistency: float = 0.6,
    auto_detect: bool = True,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score the share of words in the target language, full from `min_consistency` on.

    The language is named or given by its code. Without one, `auto_detect` takes the language of the
    user's last message, else the one that dominates the response. Code and formulas do not count.

        "Hola, esto es una prueba", target_language="spanish"  ->  1.0
    """
    require_positive(min_consistency=min_consistency)
    text = response_text(messages)
    target = _target(messages, text, target_language, auto_detect)
    counts = count_words_by_language(text)
    total = sum(counts.values())
    if not total:
        return result(
            0.0, "no language recognised", language_consistency=metric(0.0, "no known words", False)
        )
    share = counts.get(target, 0.0) / total
    score = min(1.0, share / min_consistency)
    reason = f"{share:.0%} of the telling words are {target}"
    others = {name: metric(n / total, f"{n:.1f} telling words") for name, n in counts.items()}
    return result(
        score,
        reason,
        language_consistency=metric(score, reason, share >= min_consistency),
        target_language=metric(1.0, target),
        **{f"language_{name}": found for name, found in others.items()},
    )


def _target(messages: list[Message], text: str, wanted: str | None, auto_detect: bool) -> str:
    if wanted is not None:
        language = CODES.get(wanted.lower(), wanted.lower())
        if language not in CODES.values():
            raise UsageError(f"unknown language {wanted!r}; known are {', '.join(sorted(CODES.values()))}")
        return language
    if not auto_detect:
        raise UsageError("language_consistency_reward needs `target_language` when `auto_detect` is off")
    question = next((m.text for m in reversed(messages[:-1]) if m.role == "user"), "")
    return detect_dominant_language(question) or detect_dominant_language(text) or "english"
