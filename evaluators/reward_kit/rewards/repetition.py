"""Does the response repeat itself?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..errors import UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, require_positive, response_text, result

# Scripts that do not part words by spaces are counted by character.
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:'[^\W_]+)?")


def get_ngrams(text: str, n: int, language: str = "en") -> tuple[list[tuple[str, ...]], int]:
    """
    List the n-grams of a text and their number.

        get_ngrams("a b a b", 2)  ->  ([("a", "b"), ("b", "a"), ("a", "b")], 3)
    """
    words = text.lower().split() if language == "whitespace" else _TOKEN.findall(text.lower())
    ngrams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    return ngrams, len(ngrams)


@reward_function
def repetition_penalty_reward(
    messages: list[Message],
    ground_truth: Any = None,
    ngram_size: int = 3,
    max_penalty: float = 0.5,
    language: str = "en",
    **kwargs: Any,
) -> EvaluateResult:
    """
    Take off up to `max_penalty` in proportion to the n-grams that are repetitions.

        "a b c a b c", ngram_size=3, max_penalty=0.5  ->  0.875    (1 of 4 trigrams is repeated)
    """
    require_positive(ngram_size=ngram_size, max_penalty=max_penalty)
    ngrams, total = get_ngrams(response_text(messages), ngram_size, language)
    repeated = 1.0 - len(set(ngrams)) / total if total else 0.0
    penalty = repeated * max_penalty
    reason = f"{total - len(set(ngrams))} of {total} {ngram_size}-grams are repetitions"
    return result(
        1.0 - penalty,
        reason,
        repetition=metric(1.0 - penalty, reason, penalty == 0.0),
        unique_ngram_ratio=metric(1.0 - repeated, f"{len(set(ngrams))} different {ngram_size}-grams"),
        repetition_penalty=metric(1.0 - penalty, f"penalty {penalty:.3f} of at most {max_penalty}"),
    )


@reward_function
def diversity_reward(
    messages: list[Message],
    ground_truth: Any = None,
    ngram_sizes: Sequence[int] = (1, 2, 3),
    weights: Sequence[float] | None = None,
    language: str = "en",
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score the share of different n-grams, averaged over several sizes.

        "a b a b"  ->  mean of 2/4, 2/3 and 2/2
    """
    shares = weights or [1.0] * len(ngram_sizes)
    if len(shares) != len(ngram_sizes) or sum(shares) <= 0:
        raise UsageError("weights must be as many as ngram_sizes and sum to more than zero")
    text = response_text(messages)
    ratios = [_unique_ratio(text, size, language) for size in ngram_sizes]
    score = sum(ratio * share for ratio, share in zip(ratios, shares, strict=True)) / sum(shares)
    parts = {
        f"unique_{size}gram_ratio": metric(ratio, f"{ratio:.1%} of the {size}-grams are different")
        for size, ratio in zip(ngram_sizes, ratios, strict=True)
    }
    reason = f"lexical diversity {score:.2f}"
    return result(score, reason, diversity=metric(score, reason), **parts)


def _unique_ratio(text: str, size: int, language: str) -> float:
    ngrams, total = get_ngrams(text, size, language)
    return len(set(ngrams)) / total if total else float(bool(text.strip()))
