"""Running code on a Piston server."""

from __future__ import annotations

from typing import Any

from .._http import request_json
from ..errors import ApiError
from .base import Execution, Limits, Program
from .code_blocks import language_name

MODE = "piston"
COMPILE_TIME_MS = 10_000
_LANGUAGES = {"cpp": "c++"}


class PistonExecutor:
    """
    Runs programs through a Piston server's `execute` call.

        PistonExecutor("http://localhost:2000/api/v2/piston", version="11.4.0")
    """

    def __init__(self, endpoint: str, version: str = "*") -> None:
        self._url = f"{endpoint.rstrip('/')}/execute"
        self._version = version

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run a program within limits."""
        language = language_name(program.language)
        body = {
            "language": _LANGUAGES.get(language, language),
            "version": self._version,
            "files": [{"content": program.code}],
            "stdin": program.stdin,
            "compile_timeout": COMPILE_TIME_MS,
            "run_timeout": int(limits.time_s * 1000),
            "run_memory_limit": limits.memory_mb * 2**20 if limits.memory_mb else -1,
        }
        try:
            answer = request_json("POST", self._url, body=body, timeout_s=limits.time_s + 30)
            return _execution(answer)
        except (ApiError, KeyError, TypeError) as error:
            return Execution("unavailable", detail=str(error), mode=MODE)


def _execution(answer: dict[str, Any]) -> Execution:
    compiled = answer.get("compile") or {}
    if compiled.get("code"):
        return Execution("compile_error", "", compiled.get("stderr", ""), "the code does not compile", MODE)
    run = answer["run"]
    stdout, stderr = run.get("stdout", ""), run.get("stderr", "")
    if run.get("signal") == "SIGKILL" or run.get("status") == "TO":
        return Execution("timeout", stdout, stderr, "killed by the server", MODE)
    if run.get("code") or run.get("signal"):
        reason = f"ended by {run['signal']}" if run.get("signal") else f"exit status {run['code']}"
        return Execution("error", stdout, stderr, reason, MODE)
    return Execution("ok", stdout, stderr, "", MODE)
