"""Hold back the end of a text that may turn out to be the start of a marker."""

from __future__ import annotations

from collections.abc import Sequence


def split_before_partial(text: str, markers: Sequence[str]) -> tuple[str, str]:
    """Split `text` before its longest ending that is a proper beginning of a marker."""
    longest = max((len(marker) for marker in markers), default=0) - 1
    for start in range(max(0, len(text) - longest), len(text)):
        ending = text[start:]
        if any(len(marker) > len(ending) and marker.startswith(ending) for marker in markers):
            return text[:start], ending
    return text, ""
