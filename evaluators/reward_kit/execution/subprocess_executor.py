"""Running code in a child process of this machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from threading import Thread
from typing import IO

from .base import Execution, Limits, Program, Status
from .code_blocks import language_name

COMPILE_TIME_S = 30.0
MODE = "subprocess"

_COMPILED = ("c", "cpp")
_FILE_NAMES = {"python": "main.py", "javascript": "main.js", "c": "main.c", "cpp": "main.cpp"}
# Node reserves tens of gigabytes of address space, so that only its own limit can bound its heap.
_NO_ADDRESS_LIMIT = {"javascript"}


class SubprocessExecutor:
    """
    Runs Python, JavaScript, C and C++ in a child process with limits.

    The child has an empty environment, its own folder, bounded CPU time, memory, file sizes
    and output, and is killed with all its descendants. This contains mistakes, not malice: the child
    can read what this user can read and use the network. Run hostile code in a sandbox.

    A program is compiled once for all the inputs that one executor is given for it.
    """

    def __init__(self) -> None:
        self._built: dict[tuple[str, str], list[str] | Execution] = {}
        self._binaries: tempfile.TemporaryDirectory[str] | None = None

    def run(self, program: Program, limits: Limits) -> Execution:
        """Run a program within limits."""
        language = language_name(program.language)
        if language not in _FILE_NAMES:
            return _unavailable(f"language {program.language!r} is not supported")
        with tempfile.TemporaryDirectory(prefix="reward_kit_", ignore_cleanup_errors=True) as folder:
            command = self._command(language, program.code, Path(folder), limits)
            if isinstance(command, Execution):
                return command
            bounded = language not in _NO_ADDRESS_LIMIT
            return _run(command, program.stdin, folder, limits, bounded)

    def _command(self, language: str, code: str, folder: Path, limits: Limits) -> list[str] | Execution:
        """Return the command that runs the code, or how its preparation failed."""
        if language in _COMPILED:
            return self._compiled(language, code)
        source = _write(folder, language, code)
        if language == "python":
            return [sys.executable, "-I", "-B", str(source)]
        node = shutil.which("node")
        memory = [f"--max-old-space-size={limits.memory_mb}"] if limits.memory_mb else []
        return [node, *memory, str(source)] if node else _unavailable("Node.js is not installed")

    def _compiled(self, language: str, code: str) -> list[str] | Execution:
        if (language, code) not in self._built:
            if self._binaries is None:
                self._binaries = tempfile.TemporaryDirectory(prefix="reward_kit_", ignore_cleanup_errors=True)
            place = Path(tempfile.mkdtemp(dir=self._binaries.name))
            self._built[language, code] = _compile(language, _write(place, language, code))
        return self._built[language, code]


def _write(folder: Path, language: str, code: str) -> Path:
    source = folder / _FILE_NAMES[language]
    source.write_text(code, encoding="utf-8", errors="surrogateescape")
    return source


def _compile(language: str, source: Path) -> list[str] | Execution:
    compiler = shutil.which("g++" if language == "cpp" else "gcc")
    if not compiler:
        return _unavailable(f"no compiler for {language} is installed")
    binary = source.with_suffix(".out")
    standard = "-std=c++17" if language == "cpp" else "-std=c11"
    command = [compiler, standard, "-O2", "-o", str(binary), str(source), "-lm"]
    generous = Limits(time_s=COMPILE_TIME_S, memory_mb=2048, file_mb=256)
    result = _run(command, "", str(source.parent), generous, bound_memory=True, path=os.defpath)
    if result.succeeded:
        return [str(binary)]
    status: Status = "timeout" if result.status == "timeout" else "compile_error"
    return Execution(status, "", result.stderr, "the code does not compile", MODE)


def _run(
    command: list[str],
    stdin: str,
    folder: str,
    limits: Limits,
    bound_memory: bool,
    path: str = "/usr/bin:/bin",
) -> Execution:
    environment = {"PATH": path, "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8"}
    process = subprocess.Popen(
        _within_limits(command, limits, bound_memory),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=environment,
        start_new_session=True,
        close_fds=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    out, err = _Capture(process.stdout, limits.output_bytes), _Capture(process.stderr, limits.output_bytes)
    feeder = Thread(target=_feed, args=(process.stdin, stdin), daemon=True)
    for thread in (out, err, feeder):
        thread.start()
    timed_out = _wait(process, out, err, limits.time_s)
    _kill_tree(process)
    for thread in (out, err, feeder):
        thread.join(timeout=1.0)
    return _execution(process.returncode, out, err, timed_out, limits)


def _wait(process: subprocess.Popen[bytes], out: _Capture, err: _Capture, time_s: float) -> bool:
    """Wait for the end; return whether time ran out first. Too much output ends it too."""
    deadline = time.monotonic() + time_s
    while process.poll() is None:
        left = deadline - time.monotonic()
        if left <= 0:
            return True
        if out.overflowed or err.overflowed:
            return False
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=min(left, 0.05))
    return False


def _execution(code: int, out: _Capture, err: _Capture, timed_out: bool, limits: Limits) -> Execution:
    stdout, stderr = out.text(), err.text()
    if timed_out:
        return Execution("timeout", stdout, stderr, f"did not finish within {limits.time_s:g} s", MODE)
    if out.overflowed or err.overflowed:
        return Execution("output_limit", stdout, stderr, f"printed over {limits.output_bytes} bytes", MODE)
    if code:
        reason = f"ended by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        return Execution("error", stdout, stderr, reason, MODE)
    return Execution("ok", stdout, stderr, "", MODE)


class _Capture(Thread):
    """Reads a pipe to its end and keeps no more than a limit."""

    def __init__(self, pipe: IO[bytes], limit: int) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._limit = limit
        self._data = bytearray()
        self.overflowed = False

    def run(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._pipe:
            while chunk := os.read(self._pipe.fileno(), 65536):
                self._data += chunk[: self._limit - len(self._data)]
                self.overflowed |= len(self._data) >= self._limit
                if self.overflowed:
                    return

    def text(self) -> str:
        return bytes(self._data).decode("utf-8", errors="replace")


def _feed(pipe: IO[bytes], text: str) -> None:
    # A program that does not read its input closes the pipe; that is its right.
    with contextlib.suppress(OSError, ValueError), pipe:
        pipe.write(text.encode("utf-8", errors="surrogateescape"))


def _kill_tree(process: subprocess.Popen[bytes]) -> None:
    # Descendants stay in the session's process group unless they leave it on purpose.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _within_limits(command: list[str], limits: Limits, bound_memory: bool) -> list[str]:
    """Have a shell set the limits and become the command: unlike a hook in the child, safe among threads."""
    bounds = [f"-t {int(limits.time_s) + 1}", "-c 0", f"-f {limits.file_mb * 2048}"]
    if bound_memory and limits.memory_mb:
        bounds.append(f"-v {limits.memory_mb * 1024}")
    script = " && ".join(f"ulimit {bound}" for bound in bounds) + ' && exec "$@"'
    return ["/bin/sh", "-c", script, "sh", *command]


def _unavailable(detail: str) -> Execution:
    return Execution("unavailable", detail=detail, mode=MODE)
