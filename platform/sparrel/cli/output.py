"""What commands print: data on stdout, readable without colour."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from sparrel.kernel.fields import FieldSpec, Message
from sparrel.kernel.resource import Resource, fields_by_any_name

LONGEST_VALUE = 200


def print_document(resource: type[Resource], document: Mapping[str, Any]) -> None:
    """Print `Key: value` lines of what is set, and of what the table shows too."""
    always = {column.path for column in resource.spec.columns}
    for key, value in document.items():
        spec = fields_by_any_name(resource).get(key)
        if spec is not None and (_is_set(spec, value) or (key in always and value not in ("", None))):
            click.echo(f"{title(spec.name)}: {_text(value, spec.message, key)}")


def print_table(resource: type[Resource], documents: Sequence[Mapping[str, Any]]) -> None:
    """Print a row for each document; on a terminal no line is wider than it."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in resource.spec.columns:
        table.add_column(column.title.upper(), overflow="fold")
    for document in documents:
        table.add_row(*(_cell(document, column.path) for column in resource.spec.columns))
    width, height = shutil.get_terminal_size() if sys.stdout.isatty() else (1000, 1000)
    Console(file=sys.stdout, width=width, height=height, highlight=False, markup=False, emoji=False).print(
        table
    )


def title(name: str) -> str:
    """Return `display_name` as `Display Name`."""
    return " ".join(part.capitalize() for part in name.split("_"))


def _is_set(spec: FieldSpec, value: Any) -> bool:
    return value not in ("", None, [], {}, spec.default) and not str(value).endswith("_UNSPECIFIED")


def _text(value: Any, message: type[Message] | None, key: str = "") -> str:
    if key == "status" and isinstance(value, Mapping):
        return ": ".join(part for part in (value.get("code", ""), value.get("message", "")) if part)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        fields = fields_by_any_name(message) if message else {}
        inner = (
            f"{title(fields[name].name) if name in fields else name}: {_text(item, None)}"
            for name, item in value.items()
            if item not in ("", None, [], {})
        )
        return "{ " + ", ".join(inner) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_text(item, message) for item in value) + "]"
    text = str(value).replace("\n", "\\n")
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def _cell(document: Mapping[str, Any], path: str) -> str:
    value: Any = document
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return ""
    text = _text(value, None)
    return text.split(".")[0] + "Z" if path.endswith("Time") and "." in text else text
