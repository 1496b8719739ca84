"""Does the C or C++ program in the response pass its test cases?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..execution import Executor, Limits, PistonExecutor, Program, SubprocessExecutor
from ..execution.code_blocks import code_blocks
from ..models import EvaluateResult, Message
from ..typed_interface import reward_function
from ._common import metric, response_text, result
from ._test_cases import Outcome, pass_rate, read_cases, repeat

_CPP_INCLUDES = (
    "algorithm", "array", "bitset", "climits", "cmath", "cstdio", "cstdlib", "cstring", "deque", "functional",
    "iomanip", "iostream", "limits", "map", "numeric", "queue", "set", "sstream", "stack", "string", "tuple",
    "unordered_map", "unordered_set", "utility", "vector",
)  # fmt: skip
_C_INCLUDES = ("limits.h", "math.h", "stdbool.h", "stdint.h", "stdio.h", "stdlib.h", "string.h")


@reward_function
def ioi_cpp_code_reward(
    messages: list[Message],
    ground_truth: Any = None,
    test_cases: Sequence[dict[str, Any]] | None = None,
    language: str = "cpp",
    version: str = "11.4.0",
    timeout: int = 5000,
    memory_limit: int = 512_000_000,
    piston_endpoint: str | None = None,
    pass_threshold: float = 0.99,
    executor: Executor | None = None,
    **kwargs: Any,
) -> EvaluateResult:
    """
    Score the share of test cases that the program passes.

    It is compiled and run here, or by the Piston server at `piston_endpoint`, in `timeout`
    milliseconds and `memory_limit` bytes. A case passes when the output is the expected one or
    scores above `pass_threshold`. Usual headers that are missing are added.

        test_cases=[{"input": "4\\n5", "expected_output": "9"}], language="cpp"
    """
    cases = read_cases(test_cases if test_cases is not None else ground_truth)
    blocks = code_blocks(response_text(messages), language)
    if not blocks:
        return result(0.0, f"no {language} code block found", extracted_code=metric(0.0, "none found", False))
    code = with_includes(blocks[-1], language)
    chosen = executor or (
        PistonExecutor(piston_endpoint, version) if piston_endpoint else SubprocessExecutor()
    )
    limits = Limits(time_s=timeout / 1000, memory_mb=max(1, memory_limit // 2**20))
    outcomes = repeat(chosen, lambda case: Program(code, language, case.stdin), cases, limits, pass_threshold)
    return _with_compilation(pass_rate(outcomes), outcomes[0])


@reward_function
def binary_cpp_code_reward(
    messages: list[Message], ground_truth: Any = None, **kwargs: Any
) -> EvaluateResult:
    """
    Score 1.0 when the program passes every test case, else 0.0.

    The parameters are those of `ioi_cpp_code_reward`.
    """
    graded: EvaluateResult = ioi_cpp_code_reward(messages, ground_truth, **kwargs)
    passed = graded.score == 1.0
    metrics = {**graded.metrics, "binary_result": metric(float(passed), graded.reason or "", passed)}
    return graded.model_copy(update={"score": float(passed), "metrics": metrics})


def with_includes(code: str, language: str) -> str:
    """Put the usual headers in front of a program that includes too few."""
    is_c = language.lower() == "c"
    if "bits/stdc++.h" in code:
        return code
    wanted = _C_INCLUDES if is_c else _CPP_INCLUDES
    missing = [header for header in wanted if f"<{header}>" not in code]
    lines = [f"#include <{header}>" for header in missing]
    if not is_c and "std::" not in code and "using namespace std" not in code:
        lines.append("using namespace std;")
    return "\n".join([*lines, code])


def _with_compilation(answer: EvaluateResult, first: Outcome) -> EvaluateResult:
    compiled = first.execution.status not in ("compile_error", "unavailable")
    reason = "compiled" if compiled else first.reason
    metrics = {**answer.metrics, "compilation": metric(float(compiled), reason, compiled)}
    return answer.model_copy(update={"metrics": metrics})
