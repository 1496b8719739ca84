"""Test cases for programs: written in several ways, run one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from ..execution import Execution, Executor, Limits, Program, output_similarity
from ..models import EvaluateResult, MetricResult
from ._common import metric, result


@dataclass(frozen=True)
class Case:
    """What a program reads and what it should print."""

    stdin: str
    expected: str


@dataclass(frozen=True)
class Outcome:
    """How a program did on one case."""

    execution: Execution
    score: float
    passed: bool
    reason: str


def read_cases(cases: Any) -> list[Case]:
    """
    Read test cases from dictionaries or their JSON.

        [{"input": "4\\n5", "expected_output": "9"}]
    """
    if isinstance(cases, str):
        try:
            cases = json.loads(cases)
        except ValueError as error:
            raise UsageError(f"the test cases are not JSON: {error}") from error
    if not isinstance(cases, Sequence) or not cases or not all(isinstance(case, dict) for case in cases):
        raise UsageError("test cases must be a list of objects with `input` and `expected_output`")
    return [_case(case) for case in cases]


def run_case(
    executor: Executor, program: Program, expected: str, limits: Limits, threshold: float = 1.0
) -> Outcome:
    """
    Run a program and judge its output.

    It passes when the output is the expected one, or scores above `threshold`.
    """
    execution = executor.run(program, limits)
    if not execution.succeeded:
        return Outcome(execution, 0.0, False, describe(execution))
    score = output_similarity(execution.stdout, expected)
    passed = score == 1.0 or score > threshold
    reason = (
        "the output is right" if passed else f"printed {_short(execution.stdout)}, not {_short(expected)}"
    )
    return Outcome(execution, score, passed, reason)


def pass_rate(outcomes: Sequence[Outcome]) -> EvaluateResult:
    """Sum up outcomes: the share that passed, and one metric for each case."""
    passed = sum(outcome.passed for outcome in outcomes)
    share = passed / len(outcomes)
    reason = f"{passed} of {len(outcomes)} test cases passed"
    cases = {
        f"test_case_{index}": metric(float(outcome.passed), outcome.reason, outcome.passed)
        for index, outcome in enumerate(outcomes)
    }
    summary = result(share, reason, pass_rate=metric(share, reason, passed == len(outcomes)), **cases)
    return marked_unavailable(summary, [outcome.execution for outcome in outcomes])


def marked_unavailable(answer: EvaluateResult, executions: Sequence[Execution]) -> EvaluateResult:
    """Mark a result as invalid when the code could not be run at all, which is not the code's fault."""
    missing = next((one for one in executions if one.status == "unavailable"), None)
    if missing is None:
        return answer
    return answer.model_copy(update={"error": missing.detail, "is_score_valid": False})


def execution_metric(execution: Execution) -> MetricResult:
    """Report how a run ended and where it took place."""
    reason = describe(execution) if not execution.succeeded else "ran to its end"
    return metric(float(execution.succeeded), f"{reason} (mode: {execution.mode})", execution.succeeded)


def describe(execution: Execution) -> str:
    """Say in one line why a run failed."""
    last_line = execution.stderr.strip().splitlines()[-1:] or [""]
    return f"{execution.detail or execution.status}" + (f": {last_line[0][:200]}" if last_line[0] else "")


def repeat(
    executor: Executor,
    to_program: Callable[[Case], Program],
    cases: list[Case],
    limits: Limits,
    threshold: float = 1.0,
) -> list[Outcome]:
    """Run all cases; one that cannot be compiled or run at all settles the rest."""
    outcomes: list[Outcome] = []
    for case in cases:
        if outcomes and outcomes[-1].execution.status in ("compile_error", "unavailable"):
            outcomes.append(outcomes[-1])
        else:
            outcomes.append(run_case(executor, to_program(case), case.expected, limits, threshold))
    return outcomes


def _case(case: dict[str, Any]) -> Case:
    expected = case.get("expected_output", case.get("output", case.get("expected")))
    if expected is None:
        raise UsageError(f"a test case has no `expected_output`: {case}")
    return Case(_text(case.get("input", case.get("stdin", ""))), _text(expected))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value) if value is not None else ""


def _short(text: str, length: int = 60) -> str:
    text = text.strip()
    return repr(text if len(text) <= length else text[:length] + "...")
