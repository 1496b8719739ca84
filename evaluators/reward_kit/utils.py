"""Conversions between result types, and the reading of JSONL files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .errors import SampleFileError
from .models import EvaluateResult, RewardOutput

__all__ = ["convert_to_evaluate_result", "convert_to_reward_output", "load_jsonl"]


def convert_to_evaluate_result(output: RewardOutput | EvaluateResult | dict[str, Any]) -> EvaluateResult:
    """Convert any result type to `EvaluateResult`."""
    if isinstance(output, EvaluateResult):
        return output
    if isinstance(output, RewardOutput):
        return output.to_evaluate_result()
    return EvaluateResult.from_dict(output)


def convert_to_reward_output(result: EvaluateResult | RewardOutput | dict[str, Any]) -> RewardOutput:
    """Convert any result type to the deprecated `RewardOutput`."""
    if isinstance(result, RewardOutput):
        return result
    return convert_to_evaluate_result(result).to_reward_output()


def load_jsonl(path: str | Path, max_rows: int | None = None) -> list[dict[str, Any]]:
    """Read the JSON objects of a JSONL file; blank lines are skipped."""
    rows: list[dict[str, Any]] = []
    with open(path, encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if max_rows is not None and len(rows) >= max_rows:
                break
            if line.strip():
                rows.append(_row(line, number))
    return rows


def _row(line: str, number: int) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise SampleFileError(
            f"Failed to parse sample file. Ensure it's a valid JSONL file. (line {number}: {error})"
        ) from error
    if not isinstance(row, dict):
        raise SampleFileError(
            f"Failed to parse sample file. Ensure it's a valid JSONL file. (line {number}: not a JSON object)"
        )
    return row
