"""The processes of one platform: found by the mark that they inherit, ended without touching any other.

`up` gives each start a random mark in the environment of the process it starts; every descendant carries
it, also those whose parent has died. A process id alone would not do: ids are used again after a reboot.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

MARK = "SPARREL_RUN_MARK"


def new_mark() -> str:
    return secrets.token_hex(16)


def marked(mark: str) -> list[psutil.Process]:
    """Return the live processes that carry `mark` and their descendants, the calling one excepted."""
    if not mark:
        return []
    found: dict[int, psutil.Process] = {}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.pid not in found and _carries(process, mark):
                found |= {p.pid: p for p in (process, *process.children(recursive=True))}
    found.pop(os.getpid(), None)
    return [process for process in found.values() if _alive(process)]


def end(processes: Sequence[psutil.Process], grace_s: float) -> list[psutil.Process]:
    """Ask the processes to stop, then make them; return those that are left."""
    # NOTE: psutil compares the start time before it sends a signal, so an id that was given to another
    # process in the meantime is safe.
    for process in processes:
        _signal(process.terminate)
    _, stubborn = psutil.wait_procs(processes, timeout=grace_s)
    for process in stubborn:
        _signal(process.kill)
    _, left = psutil.wait_procs(stubborn, timeout=5)
    return list(left)


def memory_bytes(processes: Sequence[psutil.Process]) -> int:
    """Return what the processes occupy together; shared pages count once where the system can tell."""
    total = 0
    for process in processes:
        try:
            usage = process.memory_full_info()
            total += getattr(usage, "pss", None) or usage.uss
        except (psutil.Error, OSError):
            continue
    return total


def _carries(process: psutil.Process, mark: str) -> bool:
    """Look for the mark in the environment that the process was started with."""
    entry = f"{MARK}={mark}"
    try:
        # NOTE: read raw where possible. Ray's processes write their titles over the beginning of their
        # environment, at which psutil stops reading.
        raw = Path(f"/proc/{process.pid}/environ").read_bytes()
    except FileNotFoundError:
        return f"{process.environ().get(MARK)}" == mark
    return entry.encode() in raw.split(b"\0")


def _alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _signal(send: Callable[[], None]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        send()
