"""Scoring a whole dataset with one reward function, and summing it up."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

from ._running import as_reward_function, score_row
from .models import EvaluateResult

HISTOGRAM_BINS = 10
HISTOGRAM_WIDTH = 40


def score_dataset(
    function: Callable[..., Any], rows: list[dict[str, Any]], workers: int = 1, **fixed: Any
) -> Iterator[EvaluateResult]:
    """
    Yield the result of each row, in the rows' order.

    Threads help where the function waits (for a model, a subprocess), not where it computes.
    """
    reward = as_reward_function(function)
    if workers <= 1:
        yield from (score_row(reward, row, **fixed) for row in rows)
        return
    with ThreadPoolExecutor(max_workers=workers) as pool:
        yield from pool.map(lambda row: score_row(reward, row, **fixed), rows)


def write_results(results: list[EvaluateResult], path: str | Path) -> None:
    """Write one JSON object per row: its index and its result."""
    with open(path, "w", encoding="utf-8") as file:
        for index, result in enumerate(results):
            file.write(json.dumps({"index": index, **result.to_dict()}, ensure_ascii=False) + "\n")


def print_summary(results: list[EvaluateResult], out: TextIO) -> None:
    """Print how the scores are distributed."""
    scores = [result.score for result in results if result.is_score_valid]
    failed = len(results) - len(scores)
    print(f"rows: {len(results)}" + (f" ({failed} could not be scored)" if failed else ""), file=out)
    if not scores:
        return
    print(f"mean: {statistics.fmean(scores):.4f}", file=out)
    print(f"median: {statistics.median(scores):.4f}", file=out)
    print(f"min / max: {min(scores):.4f} / {max(scores):.4f}\n", file=out)
    for line in histogram(scores):
        print(line, file=out)


def histogram(scores: list[float]) -> list[str]:
    """Draw ten bars over the range of the scores, at least over 0 to 1."""
    low, high = min(0.0, *scores), max(1.0, *scores)
    width = (high - low) / HISTOGRAM_BINS
    counts = [0] * HISTOGRAM_BINS
    for score in scores:
        counts[min(int((score - low) / width), HISTOGRAM_BINS - 1)] += 1
    unit = HISTOGRAM_WIDTH / max(counts)
    return [
        f"{low + i * width:5.2f} to {low + (i + 1) * width:5.2f} | {'█' * round(count * unit)} {count}"
        for i, count in enumerate(counts)
    ]
