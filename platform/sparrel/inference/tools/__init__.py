"""Tool use: what a request offers (`choice`), how models write calls (one module per format)."""

from __future__ import annotations

from sparrel.inference.tools.calls import CallDelta, Parsed, ToolFormat, ToolParser, join_fragments
from sparrel.inference.tools.choice import ToolChoice, ToolMode, resolve_tools
from sparrel.inference.tools.hermes import HermesFormat

FORMATS: dict[str, ToolFormat] = {"hermes": HermesFormat()}

__all__ = [
    "FORMATS",
    "CallDelta",
    "Parsed",
    "ToolChoice",
    "ToolFormat",
    "ToolMode",
    "ToolParser",
    "join_fragments",
    "resolve_tools",
]
