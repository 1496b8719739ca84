"""What the model server knows of the model it serves, beyond its weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

DEFAULT_CONTEXT_LENGTH = 2048
DEFAULT_TOOL_FORMAT = "hermes"


class ReasoningStyle(StrEnum):
    """Where a model's `<think>…</think>` goes in a chat answer."""

    INLINE = "inline"
    """It stays inside `content`, as the model wrote it."""
    SEPARATE = "separate"
    """It moves to `reasoning_content`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelInfo:
    """One served model; `load` fills it from the Model resource and the model's own files."""

    name: str
    """Full resource name, `accounts/A/models/M`."""
    context_length: int = DEFAULT_CONTEXT_LENGTH
    chat_template: str | None = None
    """Jinja source; None: the model has no conversation format and refuses chat."""
    default_system_prompt: str | None = None
    """Used when a conversation does not start with a system message."""
    supports_tools: bool = False
    tool_format: str = DEFAULT_TOOL_FORMAT
    """Name of the parser in `inference/tools/` that reads this model's tool calls."""
    reasoning: ReasoningStyle = ReasoningStyle.INLINE
    stop_in_output: bool = True
    """Whether returned text ends with the stop word that ended it."""
    default_sampling: Mapping[str, float] = field(default_factory=dict)
    """Values for sampling parameters that a request leaves out."""
    max_completion_tokens: int | None = None
    """Completions are cut at this length whatever a request asks for."""

    @property
    def supports_chat(self) -> bool:
        return self.chat_template is not None

    @classmethod
    def load(cls, document: Mapping[str, Any], folder: Path | str) -> ModelInfo:
        """Combine the Model resource (camelCase) with the files of the model folder.

        The resource wins over `sparrel.json` in the folder, which wins over the Hugging Face files.
        """
        files = _ModelFiles(Path(folder))
        declared = {**files.read("sparrel.json"), **{k: v for k, v in document.items() if v is not None}}
        conversation = declared.get("conversationConfig") or {}
        template = conversation.get("template") or files.chat_template()
        return cls(
            name=declared.get("name") or Path(folder).name,
            context_length=int(declared.get("contextLength") or files.context_length()),
            chat_template=template,
            default_system_prompt=conversation.get("system") or None,
            supports_tools=bool(declared.get("supportsTools", template is not None and "tools" in template)),
            tool_format=declared.get("toolFormat", DEFAULT_TOOL_FORMAT),
            reasoning=ReasoningStyle(declared.get("reasoning", ReasoningStyle.INLINE)),
            stop_in_output=bool(declared.get("stopInOutput", True)),
            default_sampling=declared.get("defaultSamplingParams") or {},
            max_completion_tokens=declared.get("maxCompletionTokens"),
        )


class _ModelFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> dict[str, Any]:
        path = self._folder / name
        return json.loads(path.read_text()) if path.is_file() else {}

    def context_length(self) -> int:
        return self.read("config.json").get("max_position_embeddings") or DEFAULT_CONTEXT_LENGTH

    def chat_template(self) -> str | None:
        """Both spellings: a file of its own (newer) and a key of the tokenizer's configuration."""
        path = self._folder / "chat_template.jinja"
        if path.is_file():
            return path.read_text()
        template = self.read("tokenizer_config.json").get("chat_template")
        if isinstance(template, list):
            named = {entry["name"]: entry["template"] for entry in template}
            return named.get("default")
        return template
