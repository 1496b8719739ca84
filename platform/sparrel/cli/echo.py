"""JSON on stdout, without what the tables need."""

from __future__ import annotations

import json
from typing import Any

import click


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
