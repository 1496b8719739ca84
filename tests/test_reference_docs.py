"""The reference pages say what the program does now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sparrel.cli import docs as cli_docs
from sparrel.kernel import docs as api_docs

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("page", "render"), [(cli_docs.PAGE, cli_docs.render), (api_docs.PAGE, api_docs.render)]
)
def test_a_reference_page_is_what_the_program_renders(page: Path, render: Callable[[], str]) -> None:
    assert (ROOT / page).read_text() == render(), f"{page} is stale: run `make docs`"
