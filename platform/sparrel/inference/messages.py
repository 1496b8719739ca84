"""The messages of a conversation, as clients send them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, model_validator


class TextPart(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")
    type: Literal["text"]
    text: str


class MediaPart(BaseModel):
    """A part that only other kinds of model take; recognised so that the refusal can say why."""

    model_config = ConfigDict(extra="ignore")
    type: Literal["image_url", "video_url", "input_audio", "file"]


Part = Annotated[TextPart | MediaPart, Field(discriminator="type")]


class FunctionCall(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")
    name: str
    arguments: str | dict[str, Any] = "{}"


class ToolCall(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")
    id: str | None = None
    type: Literal["function"] = "function"
    function: FunctionCall


class Message(BaseModel):
    """One turn. Unknown keys are ignored: clients send back whole messages that they received."""

    model_config = ConfigDict(strict=True, extra="ignore")

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None

    @model_validator(mode="after")
    def _check_content(self) -> Message:
        if self.content is None and self.role != "assistant":
            raise ValueError(f"content is required in a message of role {self.role}")
        if isinstance(self.content, list) and any(isinstance(part, MediaPart) for part in self.content):
            raise ValueError("content: this model takes text only")
        return self

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content if isinstance(part, TextPart))
        return self.content or ""

    def for_template(self) -> dict[str, Any]:
        """Return what chat templates read: plain text, later role names mapped to the common ones."""
        role = {"developer": "system", "function": "tool"}.get(self.role, self.role)
        shown: dict[str, Any] = {"role": role, "content": self.text}
        if self.name is not None:
            shown["name"] = self.name
        if self.reasoning_content:
            shown["reasoning_content"] = self.reasoning_content
        if self.tool_call_id is not None:
            shown["tool_call_id"] = self.tool_call_id
        if self.tool_calls:
            shown["tool_calls"] = [_template_call(call) for call in self.tool_calls]
        return shown


def _template_call(call: ToolCall) -> dict[str, Any]:
    """Templates print arguments with `tojson`, so they want the object, not its JSON text."""
    arguments: Any = call.function.arguments
    if isinstance(arguments, str):
        try:
            arguments = orjson.loads(arguments)
        except orjson.JSONDecodeError:
            arguments = call.function.arguments
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.function.name, "arguments": arguments},
    }
