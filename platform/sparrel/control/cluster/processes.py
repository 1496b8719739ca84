"""The processes of one platform: found by the mark that they inherit, ended without touching any other.

`up` gives each start a random mark in the environment of the process it starts; every descendant carries
it, also those whose parent has died. A process id alone would not do: ids are used again after a reboot.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence

import psutil

MARK = "SPARREL_RUN_MARK"


def new_mark() -> str:
    return secrets.token_hex(16)


def marked(mark: str) -> list[psutil.Process]:
    """Return the live processes that carry `mark`, the calling one excepted."""
    if not mark:
        return []
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.environ().get(MARK) == mark and _alive(process):
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


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


def _alive(process: psutil.Process) -> bool:
    return process.status() != psutil.STATUS_ZOMBIE


def _signal(send: object) -> None:
    try:
        assert callable(send)
        send()
    except psutil.NoSuchProcess:
        pass
