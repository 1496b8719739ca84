"""Running code in an E2B cloud sandbox."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from ..errors import MissingDependencyError, UsageError
from .base import Execution, Limits, Program, Status
from .code_blocks import language_name

MODE = "e2b"
LANGUAGES = ("python", "javascript")


class E2BExecutor:
    """
    Runs Python and JavaScript through the `e2b_code_interpreter` client, one sandbox per run.

    `open_sandbox` makes the sandbox from an API key; the default is the real client's.
    """

    def __init__(self, api_key: str | None = None, open_sandbox: Callable[[str], Any] | None = None) -> None:
        self._api_key = api_key or os.environ.get("E2B_API_KEY", "")
        if not self._api_key:
            raise UsageError("E2B needs an API key: pass `api_key` or set E2B_API_KEY")
        self._open = open_sandbox or _client()

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run a program within limits; memory is bounded by the sandbox itself."""
        language = language_name(program.language)
        if language not in LANGUAGES:
            return Execution("unavailable", detail=f"E2B does not run {program.language!r}", mode=MODE)
        try:
            with self._open(self._api_key) as sandbox:
                code = _with_input(program.code, program.stdin, language)
                return _execution(sandbox.run_code(code, language=language, timeout=limits.time_s))
        except Exception as error:  # the client's errors have no common base
            status: Status = "timeout" if "timeout" in type(error).__name__.lower() else "unavailable"
            return Execution(status, detail=f"{type(error).__name__}: {error}", mode=MODE)


def _client() -> Callable[[str], Any]:
    try:
        from e2b_code_interpreter import Sandbox
    except ImportError as error:
        raise MissingDependencyError("e2b-code-interpreter", "running code on E2B", "e2b") from error
    return lambda api_key: Sandbox.create(api_key=api_key)


def _with_input(code: str, stdin: str, language: str) -> str:
    """Let the program read its input from memory, since a notebook cell has no standard input."""
    if not stdin:
        return code
    if language == "python":
        return (
            f"import io, sys\nsys.stdin = io.StringIO({stdin!r})\n"
            f"input = lambda *_: sys.stdin.readline().rstrip('\\n')\n{code}"
        )
    return (
        "const __fs = require('fs'); const __read = __fs.readFileSync;\n"
        "__fs.readFileSync = (path, ...rest) => (path === 0 || path === '/dev/stdin') "
        f"? {json.dumps(stdin)} : __read(path, ...rest);\n{code}"
    )


def _execution(answer: Any) -> Execution:
    stdout, stderr = "".join(answer.logs.stdout), "".join(answer.logs.stderr)
    if answer.error:
        return Execution("error", stdout, stderr, f"{answer.error.name}: {answer.error.value}", MODE)
    return Execution("ok", stdout, stderr, "", MODE)
