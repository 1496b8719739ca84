"""Which tools a request offers, and whether the model has to use one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sparrel.errors import InvalidArgument

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ToolMode(StrEnum):
    AUTO = "auto"
    NONE = "none"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """The tools shown to the model; `name` is the one it has to call, if any."""

    tools: Sequence[Mapping[str, Any]] = ()
    mode: ToolMode = ToolMode.NONE
    name: str | None = None

    @property
    def active(self) -> bool:
        return bool(self.tools) and self.mode is not ToolMode.NONE


def resolve_tools(
    tools: Sequence[Mapping[str, Any]] | None,
    choice: str | Mapping[str, Any] | None,
    functions: Sequence[Mapping[str, Any]] | None,
    function_call: str | Mapping[str, Any] | None,
) -> ToolChoice:
    """Combine the current and the deprecated fields; raise InvalidArgument for what makes no sense."""
    if functions and tools:
        raise InvalidArgument("set tools or functions, not both", param="functions")
    if functions:
        tools = [{"type": "function", "function": function} for function in functions]
        choice = choice if choice is not None else function_call
    checked = [_check_tool(tool, position) for position, tool in enumerate(tools or ())]
    mode, name = _read_choice(choice)
    if not checked:
        if mode is ToolMode.REQUIRED:
            raise InvalidArgument("tool_choice needs tools", param="tool_choice")
        return ToolChoice()
    if name is not None and name not in {tool["function"]["name"] for tool in checked}:
        raise InvalidArgument("tool_choice names a function that is not in tools", param="tool_choice")
    return ToolChoice(checked, mode, name)


def _check_tool(tool: Mapping[str, Any], position: int) -> dict[str, Any]:
    where = f"tools[{position}]"
    function = tool.get("function")
    if tool.get("type", "function") != "function" or not isinstance(function, Mapping):
        raise InvalidArgument(f"{where}: must be of type 'function' with a 'function' object", param=where)
    name, parameters = function.get("name"), function.get("parameters")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidArgument(
            f"{where}.function.name: 1 to 64 letters, digits, '_' or '-'", param=f"{where}.function.name"
        )
    if parameters is not None and not isinstance(parameters, Mapping):
        raise InvalidArgument(
            f"{where}.function.parameters: must be a JSON Schema object", param=f"{where}.function.parameters"
        )
    return {"type": "function", "function": dict(function)}


def _read_choice(choice: str | Mapping[str, Any] | None) -> tuple[ToolMode, str | None]:
    if choice is None or choice == "auto":
        return ToolMode.AUTO, None
    if choice == "none":
        return ToolMode.NONE, None
    if choice in ("any", "required"):
        return ToolMode.REQUIRED, None
    if isinstance(choice, Mapping) and choice.get("type", "function") == "function":
        function = choice.get("function")
        name = function.get("name") if isinstance(function, Mapping) else choice.get("name")
        if name is None or isinstance(name, str):
            return ToolMode.REQUIRED, name
    raise InvalidArgument(
        "tool_choice: must be 'auto', 'none', 'any', 'required' or name a function", param="tool_choice"
    )
