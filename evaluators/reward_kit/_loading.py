"""Finding a reward function by its written path."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from .errors import UsageError


def load_function(path: str) -> Callable[..., Any]:
    """
    Import the function that a path names.

        "package.module:function"    preferred
        "package.module.function"    the last component is the function
    """
    module_name, separator, name = path.partition(":")
    if not separator:
        module_name, _, name = path.rpartition(".")
    if not module_name or not name:
        raise UsageError(f"invalid function path {path!r}: expected 'module.path:function_name'")
    try:
        found: Any = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise ImportError(f"failed to load function from {path!r}: {error}") from error
    if not callable(found):
        raise UsageError(f"{path!r} is not a function but {type(found).__name__}")
    return found
