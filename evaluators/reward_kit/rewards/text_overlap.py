"""How much wording does the response share with a reference?"""

from __future__ import annotations

from typing import Any

from ..errors import MissingDependencyError, UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, reference_text, response_text, result


@reward_function
def bleu_reward(messages: list[Message], ground_truth: Any = None, **kwargs: Any) -> EvaluateResult:
    """
    Score by sentence BLEU (sacrebleu, smoothed), divided by 100.

    `ground_truth` is one reference, or a list of texts that are all good.

        "the cat sat on the mat", ground_truth="the cat sat on the mat"  ->  1.0
    """
    try:
        from sacrebleu import sentence_bleu
    except ImportError as error:
        raise MissingDependencyError("sacrebleu", "bleu_reward", "text") from error
    references = _references(ground_truth, "bleu_reward")
    score = sentence_bleu(response_text(messages), references).score / 100
    reason = f"BLEU {100 * score:.1f} against {len(references)} references"
    return result(score, reason, bleu=metric(score, reason))


@reward_function
def rouge_reward(
    messages: list[Message],
    ground_truth: Any = None,
    rouge_type: str = "rougeL",
    use_stemmer: bool = True,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score by the F-measure of ROUGE (rouge-score): `rouge1`, `rouge2`, `rougeL` or `rougeLsum`.

    Of several references the best one counts.

        "the cat", ground_truth="the cat sat"  ->  0.8
    """
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError as error:
        raise MissingDependencyError("rouge-score", "rouge_reward", "text") from error
    kinds = sorted({"rouge1", "rouge2", "rougeL", rouge_type})
    if rouge_type not in ("rouge1", "rouge2", "rougeL", "rougeLsum"):
        raise UsageError(f"unknown rouge_type {rouge_type!r}")
    scorer = RougeScorer(kinds, use_stemmer=use_stemmer)
    scores = scorer.score_multi(_references(ground_truth, "rouge_reward"), response_text(messages))
    parts = {
        kind: metric(s.fmeasure, f"precision {s.precision:.2f}, recall {s.recall:.2f}")
        for kind, s in scores.items()
    }
    return result(scores[rouge_type].fmeasure, f"{rouge_type} {scores[rouge_type].fmeasure:.2f}", **parts)


def _references(ground_truth: Any, name: str) -> list[str]:
    is_texts = isinstance(ground_truth, (list, tuple)) and all(isinstance(one, str) for one in ground_truth)
    references = list(ground_truth) if is_texts else [reference_text(ground_truth) or ""]
    if not references or not all(reference.strip() for reference in references):
        raise UsageError(f"{name} needs `ground_truth`: a reference text or a list of them")
    return references
