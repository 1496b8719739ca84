"""Metric folders: a directory with a `main.py` that defines `evaluate`."""

from __future__ import annotations

import ast
import sys
import typing
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ._running import as_reward_function
from .errors import UsageError


@dataclass(frozen=True)
class Metric:
    """A named metric and its source files."""

    name: str
    files: dict[str, str]
    folder: Path | None = None
    description: str = ""

    def load(self) -> Callable[..., Any]:
        """Import `main.py` afresh and return its `evaluate` as a reward function."""
        module = ModuleType(f"reward_kit_metric_{uuid.uuid4().hex}")
        # Deployed evaluators may annotate without importing typing; the platform supplies the names too.
        module.__dict__.update({name: getattr(typing, name) for name in typing.__all__})
        file = str(self.folder / "main.py") if self.folder else "main.py"
        module.__file__ = file
        sys.modules[module.__name__] = module
        with _ImportsFrom(self.folder):
            exec(compile(self.files["main.py"], file, "exec"), module.__dict__)
        return as_reward_function(module.evaluate)


def parse_metric_folders(entries: list[str]) -> list[Metric]:
    """
    Read metric folders from their written form.

        ["clarity=./my_metrics/clarity"]  ->  [Metric("clarity", {"main.py": ...})]
    """
    return [_parse(entry) for entry in entries]


def read_metric(name: str, folder: str | Path) -> Metric:
    """Read the Python files of one metric folder."""
    path = Path(folder)
    if not (path / "main.py").is_file():
        raise UsageError(f"Metrics folder not found: {folder}")
    sources = {
        str(file.relative_to(path)): file.read_text(encoding="utf-8")
        for file in sorted(path.rglob("*.py"))
        if "__pycache__" not in file.parts
    }
    check_entry(sources["main.py"], f"{folder}/main.py")
    return Metric(name, sources, path.resolve())


def check_entry(source: str, where: str) -> None:
    """Refuse source that does not define `evaluate`."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise UsageError(f"{where} is not valid Python: {error}") from error
    if not any(_defines_evaluate(node) for node in tree.body):
        raise UsageError(f"{where} must define the function `evaluate`")


def _parse(entry: str) -> Metric:
    name, separator, folder = entry.partition("=")
    if not separator or not name.strip() or not folder.strip():
        raise UsageError(f"invalid metric folder {entry!r}: expected 'name=path'")
    return read_metric(name.strip(), folder.strip())


def _defines_evaluate(node: ast.stmt) -> bool:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return node.name == "evaluate"
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return any((alias.asname or alias.name) == "evaluate" for alias in node.names)
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "evaluate" for target in node.targets
    )


class _ImportsFrom:
    """Lets `main.py` import its neighbours, then forgets them: the next folder has its own."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        self._before = set(sys.modules)
        if self._folder is not None:
            sys.path.insert(0, str(self._folder))

    def __exit__(self, *_: object) -> None:
        if self._folder is None:
            return
        sys.path.remove(str(self._folder))
        for name in set(sys.modules) - self._before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).is_relative_to(self._folder):
                del sys.modules[name]
