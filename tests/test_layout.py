"""The repository's shape, guarded where a slip would break things far away."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE_ROOTS = ["platform", "evaluators"]


@pytest.mark.parametrize("folder", SOURCE_ROOTS)
def test_a_source_root_is_not_a_package(folder: str) -> None:
    # `platform/__init__.py` would shadow the standard library's `platform`, and with it Ray and pytest.
    assert not (ROOT / folder / "__init__.py").exists()


@pytest.mark.parametrize("folder", SOURCE_ROOTS)
def test_a_source_root_holds_no_tests(folder: str) -> None:
    found = [path for pattern in ("conftest.py", "test_*.py") for path in (ROOT / folder).rglob(pattern)]
    assert found == []


def test_platform_is_the_standard_librarys_from_the_repository_root() -> None:
    code = "import platform, sys; print(platform.__file__); platform.system()"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert out.returncode == 0, out.stderr
    assert not out.stdout.startswith(str(ROOT / "platform"))


@pytest.mark.parametrize("package", ["sparrel", "serve_apps", "train_jobs", "reward_kit"])
def test_each_package_comes_from_this_checkout(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__file__ is not None
    assert Path(module.__file__).is_relative_to(ROOT)


def test_the_engine_imports_with_neither_ray_nor_a_web_framework() -> None:
    code = (
        "import sys, sparrel.engine;"
        "bad = {'ray', 'fastapi', 'starlette', 'uvicorn', 'sqlalchemy', 'sparrel.errors'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert out.returncode == 0, out.stderr
