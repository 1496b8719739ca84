"""Start and stop a platform on this machine: what `sparrel up`, `down`, `status` and `logs` do.

Nothing here imports Ray. `up` starts one supervisor process (head.py), which starts the rest; each of them
carries a mark by which `down` finds exactly what `up` started.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from sparrel.control.cluster import processes
from sparrel.control.cluster.environment import platform_environment
from sparrel.control.cluster.layout import Layout, Record
from sparrel.control.cluster.ports import PortInUse, choose_ports, is_free
from sparrel.settings import DEMO_DEPLOYMENT, Settings

START_TIMEOUT_S = 180.0
STOP_GRACE_S = 15.0
POLL_S = 0.1
LOG_TAIL_LINES = 15

Say = Callable[[str], None]


class StartFailed(RuntimeError):
    """The platform did not come up; the message holds the cause and where to read more."""


@dataclass(frozen=True, slots=True)
class Started:
    base_url: str
    api_key: str
    already_running: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class PlatformStatus:
    running: bool
    """Whether its supervisor lives."""
    answering: bool
    """Whether the ingress answers."""
    base_url: str
    pid: int | None
    processes: int
    memory_bytes: int
    log: Path


def up(
    settings: Settings,
    say: Say = lambda step: None,
    *,
    timeout_s: float = START_TIMEOUT_S,
    wait_for_demo: bool = True,
) -> Started:
    """Start the platform and return once it answers; one that runs already is left as it is."""
    began = time.monotonic()
    layout = Layout(settings)
    layout.prepare()
    with _locked(layout):
        if status(settings).answering:
            return Started(_record(layout).base_url, _api_key(layout), True, time.monotonic() - began)
        _clear_remains(layout, say)
        _require_free_port(settings)
        supervisor = _launch(layout)
        _follow(layout, supervisor, say, began + timeout_s)
        say("Waiting for the ingress to answer")
        _wait_for_ingress(layout, supervisor, began + timeout_s)
    if wait_for_demo:
        _wait_for_demo(layout, say, began + timeout_s)
    return Started(settings.base_url, _api_key(layout), False, time.monotonic() - began)


def down(settings: Settings, say: Say = lambda step: None) -> bool:
    """End what `up` started, and nothing else; return whether there was anything to end."""
    layout = Layout(settings)
    record = layout.read_record()
    if record is None:
        return False
    found = processes.marked(record.mark)
    if found:
        say(f"Stopping {len(found)} processes")
    _end(record)
    layout.forget_record()
    return bool(found)


def status(settings: Settings) -> PlatformStatus:
    """Say what runs."""
    layout = Layout(settings)
    record = layout.read_record()
    found = processes.marked(record.mark) if record is not None else []
    running = record is not None and any(process.pid == record.pid for process in found)
    base_url = record.base_url if record is not None else settings.base_url
    return PlatformStatus(
        running=running,
        answering=running and _answers(base_url),
        base_url=base_url,
        pid=record.pid if running and record is not None else None,
        processes=len(found),
        memory_bytes=processes.memory_bytes(found),
        log=layout.log,
    )


def log_files(settings: Settings) -> dict[str, Path]:
    """Return the logs worth reading, by the part that writes them; the supervisor's first."""
    layout = Layout(settings)
    found = {"platform": layout.log}
    session = layout.ray / "session_latest" / "logs"
    for path in sorted(session.glob("serve/*.log")):
        found[path.stem] = path
    for path in sorted(session.glob("worker-*.err")):
        if path.stat().st_size:
            found[path.stem] = path
    return found


def logs(settings: Settings, *, lines: int = 100) -> Iterator[tuple[str, str]]:
    """Yield (part, line) for the last lines of each log."""
    for part, path in log_files(settings).items():
        for line in _tail(path, lines):
            yield part, line


def _launch(layout: Layout) -> subprocess.Popen[bytes]:
    settings = layout.settings
    mark = processes.new_mark()
    layout.progress.unlink(missing_ok=True)
    environment = platform_environment(layout, choose_ports(settings.home)) | {processes.MARK: mark}
    with layout.log.open("ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-m", "sparrel.control.cluster.head"],
            env=environment,
            cwd=settings.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    layout.write_record(Record(mark, supervisor.pid, time.time(), settings.base_url))
    return supervisor


def _follow(layout: Layout, supervisor: subprocess.Popen[bytes], say: Say, deadline: float) -> None:
    """Pass on what the supervisor says until it is done."""
    told = 0
    while True:
        entries = _progress(layout)
        for entry in entries[told:]:
            if "step" in entry:
                say(entry["step"])
            if "failed" in entry:
                _give_up(layout, entry["failed"])
            if "ready" in entry:
                return
        told = len(entries)
        if supervisor.poll() is not None and told == len(_progress(layout)):
            _give_up(layout, f"The supervisor ended with {supervisor.returncode}.")
        if time.monotonic() > deadline:
            _give_up(layout, "It took too long.")
        time.sleep(POLL_S)


def _wait_for_ingress(layout: Layout, supervisor: subprocess.Popen[bytes], deadline: float) -> None:
    while not _answers(layout.settings.base_url):
        if supervisor.poll() is not None:
            _give_up(layout, f"The supervisor ended with {supervisor.returncode}.")
        if time.monotonic() > deadline:
            _give_up(layout, "The ingress does not answer.")
        time.sleep(POLL_S)


def _give_up(layout: Layout, reason: str) -> None:
    record = layout.read_record()
    if record is not None:
        _end(record)
        layout.forget_record()
    tail = "\n".join(f"    {line}" for line in _tail(layout.log, LOG_TAIL_LINES))
    raise StartFailed(f"The platform did not start. {reason}\n\nThe end of {layout.log}:\n{tail}")


def _wait_for_demo(layout: Layout, say: Say, deadline: float) -> None:
    """Wait until the demo model can be asked; a platform without one is as good."""
    key = _api_key(layout)
    said = False
    while time.monotonic() < deadline:
        deployment = _get_json(f"{layout.settings.base_url}/v1/{DEMO_DEPLOYMENT}", key)
        state = (deployment or {}).get("state")
        if state == "FAILED":
            say(f"The demo model failed: {(deployment or {})['status']['message']}")
        if state in (None, "READY", "FAILED", "DELETED", "DELETING"):
            return
        if not said:
            say("Loading the demo model")
            said = True
        time.sleep(POLL_S)


def _clear_remains(layout: Layout, say: Say) -> None:
    """End what an earlier start left behind, and drop old sessions of Ray but the last, for its logs."""
    record = layout.read_record()
    if record is not None:
        if processes.marked(record.mark):
            say("Clearing away what an earlier start left behind")
        _end(record)
        layout.forget_record()
    sessions = sorted(layout.ray.glob("session_2*"), key=lambda path: path.name)
    for session in sessions[:-1]:
        shutil.rmtree(session, ignore_errors=True)


def _end(record: Record) -> None:
    """End every process of one start: the supervisor first, which stops Ray in good order."""
    everybody = processes.marked(record.mark)
    supervisor = [process for process in everybody if process.pid == record.pid]
    processes.end(supervisor, STOP_GRACE_S)
    _, left = psutil.wait_procs(everybody, timeout=2)
    processes.end(left, 1.0)
    # Whatever was born while the others were ending.
    processes.end(processes.marked(record.mark), 1.0)


def _require_free_port(settings: Settings) -> None:
    if not is_free(settings.host, settings.port):
        raise PortInUse(
            f"Port {settings.port} on {settings.host} is in use by another program. "
            "Set SPARREL_PORT to another one."
        )


@contextlib.contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    """Let one `up` of this platform work at a time."""
    with (layout.run / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _record(layout: Layout) -> Record:
    record = layout.read_record()
    assert record is not None
    return record


def _api_key(layout: Layout) -> str:
    try:
        return (layout.run / "api_key").read_text().strip()
    except FileNotFoundError:
        return ""


def _answers(base_url: str) -> bool:
    return _get_json(f"{base_url}/healthz") is not None


def _get_json(url: str, key: str = "") -> dict[str, Any] | None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=2) as response:
            return json.loads(response.read())
    except (OSError, ValueError):
        return None


def _progress(layout: Layout) -> list[dict[str, Any]]:
    try:
        lines = layout.progress.read_text().splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _tail(path: Path, lines: int) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
