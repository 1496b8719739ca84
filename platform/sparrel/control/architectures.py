"""Which model architectures the engine can take: the causal language models of the installed `transformers`.

Importing that library costs seconds and hundreds of megabytes, which a control plane should not carry, so its
table of names is read from its source, not imported. A few of these the engine refuses when it loads them.
"""

from __future__ import annotations

import ast
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

from sparrel.errors import Internal

TABLE = "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES"
SOURCE = "transformers/models/auto/modeling_auto.py"


@cache
def supported_architectures() -> frozenset[str]:
    """Return the class names that `config.json` may have under `architectures`."""
    source = Path(str(distribution("transformers").locate_file(SOURCE)))
    for statement in ast.parse(source.read_text()).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == TABLE:
            return frozenset(_class_names(statement.value))
    raise Internal(f"{source} has no {TABLE}: this version of transformers is not known")


def _class_names(table: ast.expr) -> list[str]:
    """Return the class names among a table's strings; the others are model types, in lower case."""
    strings = [n.value for n in ast.walk(table) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [text for text in strings if text[:1].isupper()]
