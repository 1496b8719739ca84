"""Trying an evaluator on samples, and creating it on the platform."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ._evaluators import EvaluatorClient, code_criterion, evaluator_body
from ._metric_folders import Metric, check_entry, parse_metric_folders, read_metric
from ._running import score_row
from .auth import get_authentication, get_fireworks_api_key
from .errors import UsageError
from .models import EvaluateResult, MetricResult
from .utils import load_jsonl

__all__ = ["EvaluatorPreviewResult", "PreviewSample", "create_evaluation", "preview_evaluation"]


@dataclass
class PreviewSample:
    """The scores of one sample."""

    index: int
    success: bool
    score: float
    per_metric_evals: dict[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass
class EvaluatorPreviewResult:
    """What a preview found."""

    mode: str
    """`local`, or `remote` when the platform did the scoring."""
    results: list[PreviewSample] = field(default_factory=list)
    total_runtime_ms: int = 0

    @property
    def total_samples(self) -> int:
        return len(self.results)

    def display(self) -> None:
        """Print a summary and each sample's scores."""
        print(f"Preview ({self.mode}): {self.total_samples} samples in {self.total_runtime_ms} ms")
        for sample in self.results:
            state = "ok" if sample.success else "failed"
            print(f"\nSample {sample.index + 1}: {state}, score {sample.score:.3f}")
            if sample.reason:
                print(f"  {sample.reason}")
            for name, metric in sample.per_metric_evals.items():
                score, reason = _score_and_reason(metric)
                print(f"  {name}: {score:.3f}" + (f"  ({reason})" if reason else ""))

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain data."""
        return {
            "mode": self.mode,
            "totalSamples": self.total_samples,
            "totalRuntimeMs": self.total_runtime_ms,
            "results": [vars(sample) for sample in self.results],
        }


def preview_evaluation(
    metric_folders: list[str] | None = None,
    multi_metrics: bool = False,
    folder: str | None = None,
    python_code_to_evaluate: str | None = None,
    sample_file: str | None = None,
    max_samples: int | None = 5,
    account_id: str | None = None,
    api_key: str | None = None,
    local: bool | None = None,
) -> EvaluatorPreviewResult:
    """
    Score samples with metrics that are still being written.

    With an API key at hand the platform does it, in the same sandbox as later; otherwise, and
    with `local=True`, this process does. A failing platform raises ApiError: nothing is simulated.

        preview_evaluation(metric_folders=["clarity=./clarity"], sample_file="samples.jsonl").display()
    """
    metrics = _metrics(metric_folders, folder, python_code_to_evaluate)
    if sample_file is None:
        raise UsageError("a preview needs `sample_file`")
    samples = load_jsonl(sample_file, max_samples)
    if local is None:
        local = not (api_key or get_fireworks_api_key())
    if local:
        return _preview_here(metrics, samples)
    client = EvaluatorClient(get_authentication(account_id, api_key))
    body = _evaluator(metrics, "Preview", "Preview of an evaluator", multi_metrics)
    return _read_preview(client.preview(body, samples, len(samples)))


def create_evaluation(
    evaluator_id: str,
    metric_folders: list[str] | None = None,
    multi_metrics: bool = False,
    folder: str | None = None,
    python_code_to_evaluate: str | None = None,
    display_name: str | None = None,
    description: str | None = None,
    force: bool = False,
    providers: list[dict[str, str]] | None = None,
    account_id: str | None = None,
    api_key: str | None = None,
) -> dict[str, Any]:
    """
    Create an evaluator on the platform and return it.

        create_evaluation("clarity-evaluator", ["clarity=./clarity"], force=True)["name"]
    """
    metrics = _metrics(metric_folders, folder, python_code_to_evaluate)
    body = _evaluator(metrics, display_name or evaluator_id, description or "", multi_metrics, providers)
    return EvaluatorClient(get_authentication(account_id, api_key)).create(evaluator_id, body, force=force)


def _metrics(folders: list[str] | None, folder: str | None, code: str | None) -> list[Metric]:
    given = [source for source in (folders, folder, code) if source]
    if len(given) != 1:
        raise UsageError("give exactly one of `metric_folders`, `folder` and `python_code_to_evaluate`")
    if folders:
        return parse_metric_folders(folders)
    if folder:
        return [read_metric(Path(folder).resolve().name, folder)]
    check_entry(str(code), "python_code_to_evaluate")
    return [Metric("default", {"main.py": str(code)})]


def _evaluator(
    metrics: list[Metric],
    display_name: str,
    description: str,
    multi_metrics: bool,
    providers: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    return evaluator_body(
        display_name=display_name,
        description=description,
        criteria=[code_criterion(m.name, m.description or m.name, m.files) for m in metrics],
        multi_metrics=multi_metrics or len(metrics) == 1,
        providers=providers,
    )


def _preview_here(metrics: list[Metric], samples: list[dict[str, Any]]) -> EvaluatorPreviewResult:
    started = time.perf_counter()
    functions = {metric.name: metric.load() for metric in metrics}
    results = [
        _sample(index, {name: score_row(function, row) for name, function in functions.items()})
        for index, row in enumerate(samples)
    ]
    return EvaluatorPreviewResult("local", results, round(1000 * (time.perf_counter() - started)))


def _sample(index: int, outcomes: dict[str, EvaluateResult]) -> PreviewSample:
    """Merge what each metric says about one row: the mean of their scores, and all their components."""
    merged: dict[str, MetricResult] = {}
    for name, outcome in outcomes.items():
        merged[name] = MetricResult(
            score=outcome.score, reason=outcome.reason or "", is_score_valid=outcome.is_score_valid
        )
        merged |= {f"{name}.{part}": metric for part, metric in outcome.metrics.items() if part != name}
    errors = [f"{name}: {outcome.error}" for name, outcome in outcomes.items() if outcome.error]
    return PreviewSample(
        index=index,
        success=not errors,
        score=sum(outcome.score for outcome in outcomes.values()) / len(outcomes),
        per_metric_evals={name: metric.to_dict() for name, metric in merged.items()},
        reason="; ".join(errors),
    )


def _read_preview(answer: dict[str, Any]) -> EvaluatorPreviewResult:
    results = [
        PreviewSample(
            index=index,
            success=str(result.get("success")).lower() == "true",
            score=float(result.get("score") or 0.0),
            per_metric_evals=result.get("perMetricEvals") or {},
            reason=result.get("reason") or "",
        )
        for index, result in enumerate(answer.get("results") or [])
    ]
    return EvaluatorPreviewResult("remote", results, int(answer.get("totalRuntimeMs") or 0))


def _score_and_reason(metric: Any) -> tuple[float, str]:
    if isinstance(metric, dict):
        return float(metric.get("score") or 0.0), str(metric.get("reason") or "")
    return float(metric), ""
