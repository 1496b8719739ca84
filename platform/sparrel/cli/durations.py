"""Durations as Go writes them (`30s`, `10m`, `1h30m`, `168h0m0s`) to the wire's seconds."""

from __future__ import annotations

import re
from decimal import Decimal

_UNITS = {
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("1e-3"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ns": Decimal("1e-9"),
}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|h|m|s)")


def to_seconds(text: str) -> Decimal:
    """Read a Go duration; raise ValueError for anything else. A bare `0` is one too."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    if rest == "0":
        return Decimal(0)
    parts = list(_PART.finditer(rest))
    if not parts or "".join(part[0] for part in parts) != rest:
        raise ValueError(f"{text!r} is not a duration such as 30s, 10m or 1h30m")
    return sign * sum((Decimal(part[1]) * _UNITS[part[2]] for part in parts), Decimal(0))


def to_wire(text: str) -> str:
    """Return the duration as the API takes it, `600s`."""
    seconds = to_seconds(text)
    return f"{seconds:f}".rstrip("0").rstrip(".") + "s" if seconds % 1 else f"{int(seconds)}s"
