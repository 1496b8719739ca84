"""Finding JSON in text."""

from __future__ import annotations

import json
import re
from typing import Any

_FENCE = re.compile(r"`{3}+[ \t]*+(\w*+)[^\n`]*+\n(.*?)```", re.DOTALL)
_INLINE_FENCE = re.compile(r"```[ \t]*(?:json)?\s*([\[{].*?[\]}])\s*```", re.DOTALL)


def find_json(text: str) -> list[str]:
    """
    List the pieces of a text that are, or are meant to be, JSON objects or arrays.

    Fenced blocks count even if they do not parse, since they were meant; elsewhere only what parses.

        find_json('Sure: {"a": 1}')  ->  ['{"a": 1}']
    """
    blocks = [(label.lower(), body.strip()) for label, body in _FENCE.findall(text)]
    labelled = [body for label, body in blocks if label in ("json", "json5", "jsonc")]
    unlabelled = [body for label, body in blocks if not label and body[:1] in ("{", "[")]
    fenced = labelled or unlabelled or [body.strip() for body in _INLINE_FENCE.findall(text)]
    return fenced or _embedded(text)


def _embedded(text: str) -> list[str]:
    found, position = [], 0
    decoder = json.JSONDecoder(parse_constant=_refuse)
    for match in re.finditer(r"[\[{]", text):
        if match.start() < position:
            continue
        try:
            _, position = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        found.append(text[match.start() : position])
    return found


def parse_json(text: str) -> Any:
    """Parse strict JSON; raises ValueError, also for NaN and Infinity."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
