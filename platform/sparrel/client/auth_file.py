"""The file that keeps a key between commands: bare `api_key = …` lines, as other clients write it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

NAME = "auth.ini"


def read(path: Path) -> dict[str, str]:
    """Return the file's `key = value` lines, whatever section they are in; empty when there is no file."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(("#", ";")))
    return {key.strip(): value.strip() for key, value in pairs}


def write(path: Path, values: Mapping[str, str]) -> None:
    """Replace the file in one step, readable by its owner only; an empty value drops its line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    text = "".join(f"{key} = {value}\n" for key, value in values.items() if value)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
