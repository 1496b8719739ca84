"""
Is the response a Lean proof, and how well is it built?

These rewards read a proof without running Lean: they reward form, and cannot tell whether the proof
checks. The bands are 0.0 for no proof, 0.1 to 0.4 for an unfinished one, 0.5 to 0.9 for a finished
one by the number of different tactics, and 1.0 for the expected proof itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import Any

from ..errors import MissingDependencyError, UsageError
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, reference_text, response_text, result
from ._lean import Proof, read_proof, same_proof

UNFINISHED_BASE, UNFINISHED_SPAN, UNFINISHED_TACTICS = 0.1, 0.3, 4
FINISHED_BASE, FINISHED_SPAN, FINISHED_TACTICS = 0.5, 0.4, 10
SUBGOAL_SPAN, SUBGOALS = 0.3, 6
HIERARCHY_SPAN, DEPTH = 0.2, 4
SIMILAR_STATEMENT = 0.8
"""How alike two statements must be to be taken for the same problem."""


@reward_function
def lean_prover_reward(
    messages: list[Message] | None = None,
    ground_truth: Any = None,
    response: str | None = None,
    statement: str | None = None,
    expected_answer: str | None = None,
    lean_version: str = "4",
    check_partial_progress: bool = True,
    verbose: bool = False,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score a Lean proof by completeness and by the tactics it uses.

    The proof is `response`, or the last message. Without `check_partial_progress` an unfinished
    proof scores 0.1. `verbose` adds the metrics `syntax`, `completeness` and `tactics`.

        a proof by induction and simp that ends in sorry  ->  0.25
    """
    text = _response(response, messages)
    proof = read_proof(text)
    expected = expected_answer or reference_text(ground_truth)
    score, reason = _basic_score(proof, check_partial_progress)
    if expected and score and same_proof(text, expected):
        score, reason = 1.0, "the expected proof"
    return result(score, f"{reason} (Lean {lean_version})", **(_metrics(proof) if verbose else {}))


@reward_function
def deepseek_prover_v2_reward(
    messages: list[Message] | None = None,
    ground_truth: Any = None,
    response: str | None = None,
    statement: str | None = None,
    expected_answer: str | None = None,
    check_subgoals: bool = True,
    verbose: bool = False,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Add to `lean_prover_reward` up to 0.3 for subgoals and up to 0.2 for nested structure.

        a finished proof by five tactics with two `have` in a nested block  ->  0.85
    """
    text = _response(response, messages)
    proof = read_proof(text)
    basic = lean_prover_reward(
        messages, ground_truth, response=text, statement=statement, expected_answer=expected_answer, **kwargs
    )
    subgoals = min(1.0, proof.subgoals / SUBGOALS) if check_subgoals else 0.0
    hierarchy = min(1.0, proof.depth / DEPTH) if check_subgoals else 0.0
    bonus = SUBGOAL_SPAN * subgoals + HIERARCHY_SPAN * hierarchy if basic.score else 0.0
    metrics = {
        **_metrics(proof),
        "subgoal_decomposition": metric(subgoals, f"{proof.subgoals} subgoals"),
        "hierarchical_structure": metric(hierarchy, f"blocks nested {proof.depth} deep"),
    }
    reason = f"{basic.reason}; {proof.subgoals} subgoals, nested {proof.depth} deep"
    return result(basic.score + bonus, reason, **(metrics if verbose else {}))


@reward_function
def deepseek_huggingface_prover_benchmark(
    messages: list[Message] | None = None,
    ground_truth: Any = None,
    response: str | None = None,
    statement: str | None = None,
    dataset_name: str = "deepseek-ai/DeepSeek-ProverBench",
    dataset_item: dict[str, Any] | None = None,
    check_for_answer: bool = True,
    verbose: bool = False,
    load_rows: Callable[[str], Sequence[dict[str, Any]]] | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score a proof as `deepseek_prover_v2_reward` does, against the matching problem of a dataset.

    The problem is `dataset_item`, or the row whose statement is most like `statement`. With
    `check_for_answer` the row's reference proof scores 1.0. `load_rows` replaces the download.
    """
    item = dataset_item or (ground_truth if isinstance(ground_truth, dict) else None)
    likeness = 1.0
    if item is None:
        if not statement:
            raise UsageError("deepseek_huggingface_prover_benchmark needs `statement` or `dataset_item`")
        item, likeness = _most_alike(statement, (load_rows or _load_rows)(dataset_name))
    found = likeness >= SIMILAR_STATEMENT
    reason = f"a problem {likeness:.0%} alike in {dataset_name}"
    match = metric(likeness, reason, found)
    if not found:
        return result(0.0, f"no such problem in {dataset_name}", dataset_match=match)
    reference = next(
        (str(item[key]) for key in ("reference_solution", "proof", "answer") if item.get(key)), None
    )
    graded = deepseek_prover_v2_reward(
        messages,
        response=_response(response, messages),
        expected_answer=reference if check_for_answer else None,
        verbose=verbose,
    )
    return graded.model_copy(update={"metrics": {**graded.metrics, "dataset_match": match}})


def _response(response: str | None, messages: Sequence[Message] | None) -> str:
    return response if response is not None else response_text(messages or [])


def _basic_score(proof: Proof, check_partial_progress: bool) -> tuple[float, str]:
    if not proof.has_declaration or not proof.has_body:
        return 0.0, "no Lean proof found"
    if proof.is_complete:
        share = min(1.0, proof.tactics / FINISHED_TACTICS)
        return FINISHED_BASE + FINISHED_SPAN * share, f"finished proof with {proof.tactics} different tactics"
    share = min(1.0, proof.tactics / UNFINISHED_TACTICS) if check_partial_progress else 0.0
    return (
        UNFINISHED_BASE + UNFINISHED_SPAN * share,
        f"unfinished proof with {proof.tactics} different tactics",
    )


def _metrics(proof: Proof) -> dict[str, Any]:
    syntax = proof.has_declaration and proof.has_body
    return {
        "syntax": metric(
            float(syntax), "a theorem with a proof" if syntax else "no theorem with a proof", syntax
        ),
        "completeness": metric(
            float(proof.is_complete), "finished" if proof.is_complete else "unfinished", proof.is_complete
        ),
        "tactics": metric(min(1.0, proof.tactics / FINISHED_TACTICS), f"{proof.tactics} different tactics"),
    }


def _load_rows(name: str) -> Sequence[dict[str, Any]]:
    try:
        from datasets import load_dataset
    except ImportError as error:
        raise MissingDependencyError(
            "datasets", "deepseek_huggingface_prover_benchmark", "deepseek"
        ) from error
    splits = load_dataset(name)
    return [row for split in splits.values() for row in split]


def _most_alike(statement: str, rows: Sequence[dict[str, Any]]) -> tuple[dict[str, Any], float]:
    def likeness(row: dict[str, Any]) -> float:
        known = str(
            row.get("statement") or row.get("formal_statement") or row.get("informal_statement") or ""
        )
        return SequenceMatcher(
            None, " ".join(statement.split()), " ".join(known.split()), autojunk=False
        ).ratio()

    best = max(rows, key=likeness, default={})
    return best, likeness(best) if best else 0.0
