"""A whole platform on this machine: seconds from `up` to the first token, memory when idle."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psutil

from sparrel.bench.report import Row, Section, at_most
from sparrel.control.cluster import local, processes
from sparrel.control.cluster.layout import Layout
from sparrel.settings import DEMO_MODEL, Settings


def measure() -> Section:
    """Start a platform with the demo model, ask it once, let it rest, and weigh it."""
    with TemporaryDirectory() as root:
        settings = Settings(home=Path(root) / "home", port=_free_port())
        began = time.monotonic()
        try:
            started = local.up(settings)
            _first_token(settings, started.api_key)
            seconds = time.monotonic() - began
            pss, rss = _memory_bytes(settings)
        finally:
            local.down(settings)
    rows = [
        Row("`up` (installed) to the first token", f"{seconds:.0f} s", "–", seconds, at_most(60)),
        Row(
            "memory with the demo model (PSS, GiB)", _gib(pss), f"RSS {_gib(rss)}", pss / 2**30, at_most(2.5)
        ),
    ]
    note = "One machine, one Ray node, absolute figures; PSS counts shared pages once."
    return Section("Platform", note, rows)


def _first_token(settings: Settings, api_key: str) -> None:
    body = {"model": DEMO_MODEL, "messages": [{"role": "user", "content": "Hello"}], "stream": True}
    url = f"{settings.base_url}/inference/v1/chat/completions"
    headers = {"Authorization": f"Bearer {api_key}"}
    with httpx.stream("POST", url, json=body, headers=headers, timeout=120, trust_env=False) as answer:
        answer.raise_for_status()
        next(answer.iter_lines())


def _memory_bytes(settings: Settings) -> tuple[int, int]:
    record = Layout(settings).read_record()
    assert record is not None, "the platform was just started"
    found = [_memory_of(process) for process in processes.marked(record.mark)]
    return sum(pss for pss, _ in found), sum(rss for _, rss in found)


def _memory_of(process: psutil.Process) -> tuple[int, int]:
    try:
        memory = process.memory_full_info()
    except psutil.Error:  # ended meanwhile
        return 0, 0
    return memory.pss, memory.rss


def _gib(size: float) -> str:
    return f"{size / 2**30:.2f}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
