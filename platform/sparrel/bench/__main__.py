"""`make bench`: every comparison in one run, written to docs/benchmarks.md.

python -m sparrel.bench [engine] [gateway] [control] [platform] [--out FILE]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from rich.console import Console

from sparrel.bench.report import Section, markdown

PARTS = ("engine", "gateway", "control", "platform")
PAGE = Path(__file__).parents[3] / "docs" / "benchmarks.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m sparrel.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS))
    parser.add_argument("--out", type=Path, default=PAGE)
    options = parser.parse_args()
    console = Console(stderr=True)
    sections = []
    for part in options.parts:
        with console.status(f"Measuring: {part}"):
            sections.append(_measurement(part)())
        console.print(f"{part}: done")
    page = markdown(sections)
    options.out.write_text(page)
    print(page)


def _measurement(part: str) -> Callable[[], Section]:
    # Imported when their turn comes: one part's libraries must not weigh on another's figures.
    measure: Callable[[], Section] = import_module(f"sparrel.bench.{part}").measure
    return measure


if __name__ == "__main__":
    main()
