"""A request's prompts as token ids; long texts are tokenized off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sparrel.errors import InvalidArgument
from sparrel.inference.codec import Codec
from sparrel.inference.reasoning import CLOSE as END_OF_THINKING
from sparrel.inference.reasoning import OPEN as START_OF_THINKING
from sparrel.inference.requests import ChatRequest, CompletionRequest
from sparrel.inference.server.model_info import ModelInfo
from sparrel.inference.templates import ChatTemplate, evict_to_fit
from sparrel.inference.tools import FORMATS, ToolChoice, ToolMode

INLINE_CHARS = 4096
"""Shorter texts take less time to tokenize than a thread takes to start on them."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Prompt:
    token_ids: Sequence[int]
    text: str | None
    """What was tokenized; None when the client sent token ids."""
    opening: str = ""
    """End of the prompt that belongs to the answer: the start of a forced tool call."""
    thinking: bool = False
    """The template has opened the model's thinking already."""

    @property
    def fragments(self) -> list[str | int]:
        return list(self.token_ids) if self.text is None else [self.text]


class PromptMaker:
    """Renders and tokenizes for one model."""

    def __init__(self, codec: Codec, info: ModelInfo) -> None:
        self._codec = codec
        self._info = info
        self._template = ChatTemplate(info.chat_template, codec.special_tokens, info.default_system_prompt)
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="tokenizer")

    async def for_chat(self, request: ChatRequest) -> list[Prompt]:
        size = sum(len(message.text) for message in request.messages)
        return [await self._off_loop(size, lambda: self._chat_prompt(request))]

    async def for_completion(self, request: CompletionRequest) -> list[Prompt]:
        size = sum(len(prompt) for prompt in request.prompt)
        return await self._off_loop(size, lambda: [self._text_prompt(prompt) for prompt in request.prompt])

    async def _off_loop(self, size: int, work: Callable[[], Result]) -> Result:
        if size <= INLINE_CHARS:
            return work()
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _text_prompt(self, prompt: str | Sequence[int]) -> Prompt:
        if isinstance(prompt, str):
            token_ids = self._codec.encode(prompt, add_special_tokens=True)
            if not token_ids:
                raise InvalidArgument("prompt: must not be empty", param="prompt")
            return Prompt(token_ids, prompt)
        if max(prompt) >= self._codec.vocab_size:
            raise InvalidArgument("prompt: a token id is outside the model's vocabulary", param="prompt")
        return Prompt(prompt, None)

    def _chat_prompt(self, request: ChatRequest) -> Prompt:
        choice = request.tool_use
        if choice.active and not self._info.supports_tools:
            raise InvalidArgument("tools: this model does not support tools", param="tools")
        tools = choice.tools if choice.active else ()
        messages: Sequence[Mapping[str, Any]] = self._template.with_default_system(request.messages)
        if request.reasoning_history == "disabled":
            messages = [{k: v for k, v in m.items() if k != "reasoning_content"} for m in messages]

        def render(shown: Sequence[Mapping[str, Any]]) -> str:
            return self._template.render(shown, tools, request.template_options)

        if request.prompt_truncate_len is not None:
            messages = evict_to_fit(
                messages, request.prompt_truncate_len, lambda shown: len(self._encode(render(shown)))
            )
        return self._finish_chat(render, messages, choice, literally=request.safe_tokenization)

    def _finish_chat(
        self,
        render: Callable[[Sequence[Mapping[str, Any]]], str],
        messages: Sequence[Mapping[str, Any]],
        choice: ToolChoice,
        *,
        literally: bool,
    ) -> Prompt:
        text = render(messages)
        token_ids = self._encode_literally(render, messages) if literally else self._encode(text)
        thinking = text.rstrip().endswith(START_OF_THINKING)
        if choice.mode is not ToolMode.REQUIRED:
            return Prompt(token_ids, text, thinking=thinking)
        opening = FORMATS[self._info.tool_format].opening(choice.name)
        added = END_OF_THINKING + opening if thinking else opening
        return Prompt([*token_ids, *self._encode(added)], text + added, opening)

    def _encode(self, text: str) -> list[int]:
        """The template writes the special tokens itself."""
        return self._codec.encode(text, add_special_tokens=False)

    def _encode_literally(
        self, render: Callable[[Sequence[Mapping[str, Any]]], str], messages: Sequence[Mapping[str, Any]]
    ) -> list[int]:
        """Encode so that nothing in a message can pass for one of the template's special tokens.

        The template is rendered around placeholders, and each message's text is encoded on its own.
        """
        marks = [f"\ue000{number}\ue001" for number in range(len(messages))]
        framed = render([{**message, "content": mark} for message, mark in zip(messages, marks, strict=True)])
        token_ids: list[int] = []
        for message, mark in zip(messages, marks, strict=True):
            before, found, framed = framed.partition(mark)
            if not found:
                raise InvalidArgument("safe_tokenization: this model's chat template rewrites messages")
            token_ids += self._encode(before)
            token_ids += self._codec.encode_literally(message["content"])
        return token_ids + self._encode(framed)
