"""Does the code in the response do what it should?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..errors import UsageError
from ..execution import E2BExecutor, Executor, Limits, Program, SubprocessExecutor
from ..execution.code_blocks import code_blocks
from ..execution.output import output_similarity
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, reference_text, response_text, result
from ._test_cases import execution_metric, marked_unavailable, pass_rate, read_cases, repeat, run_case

BINARY_MEMORY_MB = 256

_EXPECTED_OUTPUT = (
    re.compile(r"expected\s+output\s*(?:is|:|=|should be|would be)?\s*:?\s*```\w*\n(.*?)```", re.I | re.S),
    re.compile(r"expected\s+output\s*(?:is|:|=|should be|would be)\s*[`\"'](.+?)[`\"']", re.I),
    re.compile(r"expected\s+output\s*(?:is|:|=|should be|would be)\s*([^\n]+)", re.I),
    re.compile(r"(?:should|must)\s+(?:output|print|return|display)\s*:?\s*[`\"'](.+?)[`\"']", re.I),
    re.compile(r"(?:should|must)\s+(?:output|print|return|display)\s*:?\s*([^\n]+)", re.I),
    re.compile(r"^output:\s*([^\n]+)", re.I | re.M),
)


@reward_function
def local_code_execution_reward(
    messages: list[Message],
    ground_truth: Any = None,
    expected_output: str | None = None,
    original_messages: list[Message] | None = None,
    language: str = "python",
    timeout: float = 5,
    max_memory_mb: int = 100,
    executor: Executor | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Run the last code block here and score how far its output is the expected one.

    Without an expected output it is looked for in the original messages ("the expected output is
    15"); if there is none, code that runs to its end scores 1.0. `executor` replaces the child
    process on this machine, which contains mistakes but not malice.

        "```python\\nprint(120)\\n```", expected_output="120"  ->  1.0
    """
    chosen = executor or SubprocessExecutor()
    expected = _expected(expected_output, ground_truth, original_messages)
    return _judge(messages, expected, language, chosen, Limits(timeout, max_memory_mb))


@reward_function
def e2b_code_execution_reward(
    messages: list[Message],
    ground_truth: Any = None,
    expected_output: str | None = None,
    original_messages: list[Message] | None = None,
    language: str = "python",
    timeout: float = 30,
    api_key: str | None = None,
    executor: Executor | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Run the last code block in an E2B cloud sandbox; otherwise like `local_code_execution_reward`.

    Needs the package `e2b_code_interpreter` and an API key, given or in E2B_API_KEY.
    """
    chosen = executor or E2BExecutor(api_key)
    expected = _expected(expected_output, ground_truth, original_messages)
    return _judge(messages, expected, language, chosen, Limits(timeout, None))


@reward_function
def binary_code_reward(
    messages: list[Message],
    ground_truth: Any = None,
    expected_output: str | None = None,
    original_messages: list[Message] | None = None,
    language: str = "python",
    timeout: float = 30,
    environment: str = "local",
    api_key: str | None = None,
    executor: Executor | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score 1.0 when the code runs and its output is the expected one, else 0.0.

    `environment` is `local` or `e2b`.
    """
    chosen = executor or _executor(environment, api_key)
    expected = _expected(expected_output, ground_truth, original_messages)
    graded = _judge(messages, expected, language, chosen, Limits(timeout, BINARY_MEMORY_MB))
    passed = graded.score == 1.0
    reason = "passed" if passed else f"failed: {graded.reason}"
    metrics = {**graded.metrics, "binary_result": metric(float(passed), reason, passed)}
    return graded.model_copy(update={"score": float(passed), "reason": reason, "metrics": metrics})


@reward_function
def fractional_code_reward(
    messages: list[Message],
    ground_truth: Any = None,
    test_cases: Sequence[dict[str, Any]] | None = None,
    expected_output: str | None = None,
    original_messages: list[Message] | None = None,
    language: str = "python",
    timeout: float = 30,
    environment: str = "local",
    api_key: str | None = None,
    executor: Executor | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score the share of test cases passed, or how far the output is the expected one.

    Each case's `input` is what the program reads from standard input.

        test_cases=[{"input": "2", "expected_output": "4"}, {"input": "3", "expected_output": "9"}]
    """
    chosen = executor or _executor(environment, api_key)
    limits = Limits(timeout, BINARY_MEMORY_MB)
    cases = test_cases if test_cases is not None else ground_truth
    if not _are_cases(cases):
        expected = _expected(expected_output, ground_truth, original_messages)
        return _judge(messages, expected, language, chosen, limits)
    code = _code(messages, language)
    if code is None:
        return _no_code(language)
    found = read_cases(cases)
    return pass_rate(repeat(chosen, lambda case: Program(code, language, case.stdin), found, limits))


def extract_code_blocks(text: str, language: str | None = None) -> list[dict[str, str]]:
    """
    List the fenced code blocks of a text, in one language or in all.

        extract_code_blocks("```python\\nprint(1)\\n```")  ->  [{"language": ..., "code": "print(1)"}]
    """
    return [{"language": language or "unknown", "code": code} for code in code_blocks(text, language)]


def compare_outputs(actual: str, expected: str) -> float:
    """Say how far an output is the expected one, from 0.0 to 1.0."""
    return output_similarity(actual, expected)


def expected_output_in(messages: Sequence[Message]) -> str | None:
    """
    Find the output that a conversation says is expected.

        "... For n=5, the expected output is 15."  ->  "15"
    """
    for message in messages:
        if message.role != "user":
            continue
        for pattern in _EXPECTED_OUTPUT:
            match = pattern.search(message.text)
            if match:
                return _tidied(match.group(1))
    return None


def _expected(given: Any, ground_truth: Any, original: Sequence[Message] | None) -> str | None:
    if given is not None:
        return str(given)
    truth = reference_text(ground_truth)
    return truth if truth is not None else expected_output_in(original or [])


def _tidied(text: str) -> str:
    """Drop what a sentence adds to a value: the final stop and a remark in brackets."""
    text = re.sub(r"\s+\((?:for|when|if|with|since|because)\b.*\)\s*\.?$", "", text.strip(), flags=re.I)
    text = re.sub(r"\.(?:\s+[A-Z].*)?$", "", text) if not re.fullmatch(r"\d+\.", text) else text[:-1]
    return text.strip().strip("`\"'") if text[:1] in "`\"'" else text.strip()


def _judge(
    messages: Sequence[Message], expected: str | None, language: str, executor: Executor, limits: Limits
) -> EvaluateResult:
    code = _code(messages, language)
    if code is None:
        return _no_code(language)
    outcome = run_case(executor, Program(code, language), expected if expected is not None else "", limits)
    execution = outcome.execution
    metrics = {
        "extracted_code": metric(1.0, f"```{language}\n{code}\n```", True),
        "execution_result": execution_metric(execution),
    }
    score, reason = float(execution.succeeded), execution_metric(execution).reason
    if expected is not None:
        metrics["expected_output"] = metric(1.0, expected)
        metrics["output_match"] = metric(outcome.score, outcome.reason, outcome.passed)
        score, reason = outcome.score, outcome.reason
    return marked_unavailable(result(score, reason, **metrics), [execution])


def _code(messages: Sequence[Message], language: str) -> str | None:
    blocks = code_blocks(response_text(messages), language)
    return blocks[-1] if blocks else None


def _no_code(language: str) -> EvaluateResult:
    return result(0.0, f"no {language} code block found", extracted_code=metric(0.0, "none found", False))


def _are_cases(cases: Any) -> bool:
    if isinstance(cases, str):
        return cases.lstrip().startswith("[") and '"expected' in cases
    is_list = isinstance(cases, (list, tuple)) and bool(cases)
    return is_list and all(isinstance(case, dict) and "role" not in case for case in cases)


def _executor(environment: str, api_key: str | None) -> Executor:
    if environment == "local":
        return SubprocessExecutor()
    if environment == "e2b":
        return E2BExecutor(api_key)
    raise UsageError(f"environment must be 'local' or 'e2b', not {environment!r}")
