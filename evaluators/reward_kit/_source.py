"""Cutting a function and what it needs out of the file that defines it."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from .errors import UsageError

_PREAMBLE = "from typing import *\n\nfrom reward_kit import *\n"


def source_of(function: Callable[..., Any]) -> str:
    """
    Return a module's worth of source: the function and the top-level names it refers to.

    Everything else in its file stays behind, above all the statement that deploys the function.
    """
    function = inspect.unwrap(function)
    module = sys.modules.get(function.__module__)
    name = function.__qualname__
    try:
        text = inspect.getsource(module) if module else ""
    except (OSError, TypeError):
        text = ""
    tree = ast.parse(text)
    bindings = _bindings(tree)
    if name not in bindings:
        # A function typed into a notebook, or nested in another one, has no top-level place in a file.
        return _PREAMBLE + "\n\n" + textwrap.dedent(_own_source(function))
    needed = _reachable(name, bindings)
    parts = [_segment(text, node) for node in tree.body if any(node is n for n in needed)]
    future = [_segment(text, node) for node in tree.body if _is_future(node)]
    return "\n\n".join([*future, *parts]) + "\n"


def _own_source(function: Callable[..., Any]) -> str:
    if function.__closure__:
        raise UsageError(
            f"{function.__qualname__} uses variables of the function around it; move it to module level"
        )
    try:
        return inspect.getsource(function)
    except (OSError, TypeError) as error:
        raise UsageError(f"the source of {function.__qualname__} cannot be found: {error}") from error


def _bindings(tree: ast.Module) -> dict[str, list[ast.stmt]]:
    """Map each top-level name to the statements that bind it."""
    bindings: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for name in _names_bound(node):
            bindings.setdefault(name, []).append(node)
    return bindings


def _names_bound(node: ast.stmt) -> Iterable[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [(alias.asname or alias.name).split(".")[0] for alias in node.names]
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
        return [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    if isinstance(node, (ast.If, ast.Try)) and not _is_main_guard(node):
        return [name for child in ast.iter_child_nodes(node) for name in _names_in(child)]
    return []


def _names_in(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.ExceptHandler):
        return [name for child in node.body for name in _names_bound(child)]
    return _names_bound(node) if isinstance(node, ast.stmt) else []


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.dump(node.test)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _reachable(start: str, bindings: dict[str, list[ast.stmt]]) -> list[ast.stmt]:
    needed: list[ast.stmt] = []
    pending, seen = [start], set(dir(builtins)) - {start}
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in bindings.get(name, []):
            needed.append(node)
            pending.extend(n.id for n in ast.walk(node) if isinstance(n, ast.Name))
            pending.extend(_names_in_strings(node))
    return needed


def _names_in_strings(node: ast.stmt) -> Iterable[str]:
    """Names inside quoted annotations."""
    annotations = [n.annotation for n in ast.walk(node) if isinstance(n, (ast.arg, ast.AnnAssign))]
    texts = [a.value for a in annotations if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    return [word for text in texts for word in text.replace("[", " ").replace("]", " ").split()]


def _segment(text: str, node: ast.stmt) -> str:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])
