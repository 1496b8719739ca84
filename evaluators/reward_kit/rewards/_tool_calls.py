"""Tool calls in messages, in text, and in comparison."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..models import Message

_TAGGED = re.compile(r"<tool_call>\s*(.*?)\s*</tool_call>", re.DOTALL)


@dataclass(frozen=True)
class ToolCall:
    """One call: a name and its arguments; `arguments` is None when they were no JSON object."""

    name: str
    arguments: dict[str, Any] | None


def calls_in(message: Message) -> list[ToolCall]:
    """List the calls of a message: tool calls, the legacy function call, or <tool_call> tags in its text."""
    if message.tool_calls:
        return [to_call(call) for call in message.tool_calls]
    if message.function_call:
        return [to_call(message.function_call)]
    return [to_call(body) for body in _TAGGED.findall(message.text)]


def last_call(messages: Sequence[Message]) -> ToolCall | None:
    """Return the first call of the last message that calls anything."""
    found = next((calls for m in reversed(messages) if m.role == "assistant" and (calls := calls_in(m))), [])
    return found[0] if found else None


def to_call(data: Any) -> ToolCall:
    """
    Read a call in any of its forms; arguments may be an object or JSON text.

        {"type": "function", "function": {"name": "f", "arguments": "{}"}}
        {"name": "f", "arguments": {}}
    """
    data = _parsed(data)
    if not isinstance(data, dict):
        return ToolCall("", None)
    inner = data.get("function", data)
    inner = inner if isinstance(inner, dict) else {"name": inner, **data}
    arguments = _parsed(inner.get("arguments", inner.get("parameters", {})))
    return ToolCall(str(inner.get("name") or ""), arguments if isinstance(arguments, dict) else None)


def same_calls(got: Sequence[ToolCall], wanted: Sequence[ToolCall]) -> bool:
    """Compare two sets of calls, in any order."""
    left = list(wanted)
    for call in got:
        if call.arguments is None or call not in left:
            return False
        left.remove(call)
    return not left


def properties(schema: Any, prefix: str = "") -> set[tuple[str, str]]:
    """
    List the paths and types that a schema of arguments describes.

        {"location": {"type": "string"}}  ->  {("location", "string")}
    """
    described = schema.get("properties", schema) if isinstance(schema, dict) else {}
    if not isinstance(described, dict):
        return set()
    found: set[tuple[str, str]] = set()
    for name, part in described.items():
        kind = part.get("type", "any") if isinstance(part, dict) else "any"
        found.add((f"{prefix}{name}", str(kind)))
        if isinstance(part, dict) and isinstance(part.get("properties"), dict):
            found |= properties(part, f"{prefix}{name}.")
    return found


def argument_properties(arguments: Any, prefix: str = "") -> set[tuple[str, str]]:
    """List the paths and types of actual arguments, in the way of `properties`."""
    found: set[tuple[str, str]] = set()
    for name, value in arguments.items() if isinstance(arguments, dict) else ():
        found.add((f"{prefix}{name}", type_name(value)))
        if isinstance(value, dict):
            found |= argument_properties(value, f"{prefix}{name}.")
    return found


def type_name(value: Any) -> str:
    """Name a value's JSON type."""
    if value is None:
        return "null"
    for kinds, name in (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
    ):
        if isinstance(value, kinds):
            return name
    return "object"


def fits(kind: str, wanted: str) -> bool:
    """Tell whether a value of one JSON type is allowed where another is asked for."""
    return kind == wanted or wanted == "any" or (kind == "integer" and wanted == "number")


def _parsed(data: Any) -> Any:
    if not isinstance(data, str):
        return data
    try:
        return json.loads(data) if data.strip() else {}
    except ValueError:
        return None
