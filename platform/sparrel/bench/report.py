"""What a measurement is, and how the table of them is written.

Every row holds both sides of one comparison, taken in one run on one machine: only the ratio means
something on another day.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a row's figure; `at_least` or `at_most` it."""

    bound: float
    at_least: bool

    def met(self, figure: float) -> bool:
        return figure >= self.bound if self.at_least else figure <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `figure` is the ratio, or an absolute value where there is no other side."""

    what: str
    ours: str
    baseline: str
    figure: float
    target: Target | None = None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return "–"
        return f"{self.target} {'met' if self.target.met(self.figure) else '**missed**'}"


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    note: str
    """How it was measured, in a sentence or two."""
    rows: Sequence[Row]


Measurement = Callable[[], Section]


def at_least(bound: float) -> Target:
    return Target(bound, at_least=True)


def at_most(bound: float) -> Target:
    return Target(bound, at_least=False)


def machine() -> str:
    """Name the processor, cores and memory this ran on."""
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{model}, {os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def markdown(sections: Sequence[Section]) -> str:
    """Return the whole page; a reader sees the missed targets first in bold."""
    head = [
        "# Benchmarks",
        "",
        f"Measured by `make bench` on {datetime.now(UTC):%Y-%m-%d} ({machine()}).",
        "Both sides of each ratio ran alternately; absolute times of a shared machine mean little.",
    ]
    return "\n".join(head + [line for section in sections for line in _section(section)]) + "\n"


def _section(section: Section) -> list[str]:
    lines = ["", f"## {section.title}", "", section.note, ""]
    lines += ["| what | ours | baseline | ratio | target |", "|---|--:|--:|--:|---|"]
    for row in section.rows:
        lines.append(f"| {row.what} | {row.ours} | {row.baseline} | {row.figure:.2f} | {row.verdict} |")
    return lines
