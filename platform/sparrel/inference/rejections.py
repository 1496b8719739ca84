"""Say in one sentence what is wrong with a request body, naming the field and never quoting its content."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from sparrel.errors import InvalidArgument

_FIELD = re.compile(r"[a-z][a-z0-9_]*")
_TYPE_NAMES = {"str", "int", "float", "bool", "none", "dict", "list", "literal"}


def explain(error: ValidationError, known_fields: Iterable[str]) -> InvalidArgument:
    """Return the error for the first thing that is wrong."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    param = _path(first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown(param, known_fields)
    if first["type"] == "missing":
        return InvalidArgument(f"{param}: this field is required", param=param)
    reason = first["msg"].removeprefix("Value error, ")
    if not param:
        return InvalidArgument(reason, param=_named_in(reason, known_fields))
    return InvalidArgument(f"{param}: {reason[:1].lower()}{reason[1:]}", param=param)


def _unknown(param: str, known_fields: Iterable[str]) -> InvalidArgument:
    near = get_close_matches(param, list(known_fields), n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return InvalidArgument(f"Extra inputs are not permitted, field: {param[:64]!r}{hint}", param=param[:64])


def _named_in(reason: str, known_fields: Iterable[str]) -> str | None:
    """The field that a rule over several fields mentions first."""
    known = set(known_fields)
    return next((word for word in re.findall(r"[a-z_]+", reason) if word in known), None)


def _path(location: tuple[Any, ...]) -> str:
    """`messages[0].content`, without the names of union members that pydantic puts in between."""
    path = ""
    for position, part in enumerate(location):
        if isinstance(part, int):
            path += f"[{part}]"
        elif position == 0 or (_FIELD.fullmatch(part) and part not in _TYPE_NAMES):
            path += f".{part}" if path else part
    return path
