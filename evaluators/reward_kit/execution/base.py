"""The contract between the code rewards and whatever runs the code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Status = Literal["ok", "error", "compile_error", "timeout", "output_limit", "unavailable"]


@dataclass(frozen=True)
class Limits:
    """What one run may use up."""

    time_s: float = 5.0
    memory_mb: int | None = 256
    """None leaves memory unlimited."""
    output_bytes: int = 1_000_000
    file_mb: int = 16


@dataclass(frozen=True)
class Program:
    """Source code and what it is given to read."""

    code: str
    language: str = "python"
    stdin: str = ""


@dataclass(frozen=True)
class Execution:
    """How a run ended."""

    status: Status
    stdout: str = ""
    stderr: str = ""
    detail: str = ""
    """One sentence about why the status is not `ok`."""
    mode: str = ""
    """Where the code ran, so that a result can say how well it was contained."""

    @property
    def succeeded(self) -> bool:
        return self.status == "ok"


class Executor(Protocol):
    """
    Runs one program to its end and never raises because of it.

    A crash, a limit reached and a missing interpreter all are an `Execution` with that status.
    No process of the program outlives the call.
    """

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run a program within limits."""
        ...
