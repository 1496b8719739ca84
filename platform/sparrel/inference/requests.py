"""The request bodies of chat and text completions: what a client may send, checked at the door.

`parse_chat` and `parse_completion` turn bytes into typed requests or raise InvalidArgument that names
the field. Messages of errors never repeat the client's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from sparrel.errors import InvalidArgument
from sparrel.inference.messages import Message
from sparrel.inference.rejections import explain
from sparrel.inference.tools.choice import ToolChoice, resolve_tools

DEFAULT_MAX_TOKENS = 2000
MAX_CHOICES = 1024
"""Prompts times `n` of one request."""


@dataclass(frozen=True, slots=True)
class LogprobsForm:
    """Which of the two logprobs objects a request wants."""

    legacy: bool
    alternatives: int


def _token_bias(value: Any) -> Any:
    """JSON objects have string keys; token ids are numbers."""
    if not isinstance(value, Mapping):
        return value
    if not all(str(key).isdecimal() for key in value):
        raise ValueError("keys must be token ids")
    return {int(key): bias for key, bias in value.items()}


def _stop_words(value: Any) -> Any:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
        raise ValueError("must be a non-empty string or a list of them")
    return words


def _prompts(value: Any) -> list[str | list[int]]:
    """Bring the four forms of `prompt` to one: a list of texts or token-id lists."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value:
        if _are_token_ids(value):
            return [value]
        if all(isinstance(item, str) or (isinstance(item, list) and _are_token_ids(item)) for item in value):
            return value
    raise ValueError("must be a string, a list of strings, a list of token ids or a list of such lists")


def _are_token_ids(value: Sequence[Any]) -> bool:
    return bool(value) and all(type(item) is int and item >= 0 for item in value)


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="ignore")
    include_usage: bool = True
    """Accepted for OpenAI's clients; usage is in the last chunk either way."""


class Thinking(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    type: Literal["enabled", "disabled"]
    budget_tokens: Annotated[int, Field(ge=1024)] | None = None


class ResponseFormat(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")
    type: Literal["text", "json_object", "json_schema", "grammar"]


class GenerationRequest(BaseModel):
    """What both endpoints share. A field that is null counts as left out."""

    model_config = ConfigDict(strict=True, extra="forbid", protected_namespaces=())

    model: Annotated[str, Field(min_length=1)]

    # How long.
    max_tokens: Annotated[int, Field(ge=0)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=0)] | None = None
    min_tokens: Annotated[int, Field(ge=0)] = 0
    context_length_exceeded_behavior: Literal["truncate", "error"] = "truncate"
    stop: Annotated[list[str], BeforeValidator(_stop_words), Field(max_length=4)] = []
    ignore_eos: bool = False

    # Which token.
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=0, le=100)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    typical_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=2)] | None = None
    mirostat_target: Annotated[float, Field(ge=1)] | None = None
    mirostat_lr: Annotated[float, Field(ge=0, le=1)] | None = None
    logit_bias: Annotated[
        dict[int, Annotated[float, Field(ge=-200, le=200)]], BeforeValidator(_token_bias)
    ] = {}
    seed: int | None = None

    # What comes back.
    n: Annotated[int, Field(ge=1, le=128)] = 1
    stream: bool = False
    stream_options: StreamOptions | None = None
    echo: bool = False
    echo_last: Annotated[int, Field(ge=0)] | None = None
    logprobs: bool | Annotated[int, Field(ge=0, le=5)] | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    raw_output: bool = False
    return_token_ids: bool = False
    perf_metrics_in_response: bool = False
    response_format: ResponseFormat | None = None

    # Prompt cache and placement.
    user: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_isolation_key: str | None = None
    prompt_cache_max_len: Annotated[int, Field(ge=0)] | None = None

    # Reasoning.
    reasoning_effort: (
        Literal["none", "minimal", "low", "medium", "high"]
        | bool
        | Annotated[int, Field(ge=0, lt=20000)]
        | None
    ) = None
    reasoning_history: Literal["disabled", "interleaved", "preserved"] | None = None
    thinking: Thinking | None = None

    # Hints that change speed, never the answer.
    prediction: Any = None
    speculation: str | list[int] | None = None
    rewrite_speculation: bool = False
    disable_speculation: bool = False
    service_tier: Literal["auto", "default", "flex", "priority"] | None = None

    # Sent by OpenAI's clients and samplers; nothing here depends on them.
    metadata: dict[str, str] | None = None
    store: bool = False
    safety_identifier: str | None = None
    include_routing_matrix: bool = False

    @model_validator(mode="after")
    def _check_pairs(self) -> GenerationRequest:
        if self.max_tokens is not None and self.max_completion_tokens is not None:
            raise ValueError("set max_tokens or max_completion_tokens, not both")
        if self.top_logprobs and self.logprobs is not True:
            raise ValueError("top_logprobs needs logprobs: true")
        if self.thinking is not None and self.reasoning_effort is not None:
            raise ValueError("set thinking or reasoning_effort, not both")
        if self.min_tokens > (self.max_tokens_given or self.min_tokens):
            raise ValueError("min_tokens must not exceed max_tokens")
        if self.response_format is not None and self.response_format.type != "text":
            raise ValueError(
                f"response_format of type {self.response_format.type} is not supported by this deployment yet"
            )
        return self

    @property
    def max_tokens_given(self) -> int | None:
        return self.max_tokens if self.max_tokens is not None else self.max_completion_tokens

    @property
    def logprobs_form(self) -> LogprobsForm | None:
        if self.logprobs is None or self.logprobs is False:
            return None
        if self.logprobs is True:
            return LogprobsForm(legacy=False, alternatives=self.top_logprobs or 0)
        return LogprobsForm(legacy=True, alternatives=self.logprobs)

    @property
    def template_options(self) -> dict[str, Any]:
        """Variables that reasoning models' templates read; absent ones leave the model's default."""
        if self.thinking is not None:
            return {"enable_thinking": self.thinking.type == "enabled"}
        effort = self.reasoning_effort
        if effort is None:
            return {}
        if effort is False or effort == "none" or effort == 0:
            return {"enable_thinking": False}
        return {"enable_thinking": True, "reasoning_effort": "medium" if effort is True else effort}

    @property
    def thinking_budget(self) -> int | None:
        """Most tokens the model may think; None: as many as it likes."""
        if self.thinking is not None:
            return 0 if self.thinking.type == "disabled" else self.thinking.budget_tokens
        effort = self.reasoning_effort
        if effort is False or effort == "none":
            return 0
        return effort if isinstance(effort, int) and effort is not True else None


class ChatRequest(GenerationRequest):
    messages: Annotated[list[Message], Field(min_length=1)]
    prompt_truncate_len: Annotated[int, Field(ge=1)] | None = None
    safe_tokenization: bool = False
    tools: list[dict[str, Any]] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool = True
    functions: list[dict[str, Any]] | None = None
    function_call: str | dict[str, Any] | None = None
    modalities: list[Literal["text"]] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None

    @property
    def tool_use(self) -> ToolChoice:
        return resolve_tools(self.tools, self.tool_choice, self.functions, self.function_call)


class CompletionRequest(GenerationRequest):
    prompt: Annotated[list[str | list[int]], BeforeValidator(_prompts)]
    best_of: int | None = None
    suffix: str | None = None
    images: list[Any] | None = None

    @model_validator(mode="after")
    def _check_unsupported(self) -> CompletionRequest:
        if self.best_of not in (None, 1, self.n):
            raise ValueError("best_of is not supported; use n")
        if self.suffix:
            raise ValueError("suffix is not supported")
        if self.images:
            raise ValueError("images: this model does not take images")
        if len(self.prompt) * self.n > MAX_CHOICES:
            raise ValueError(f"prompt: at most {MAX_CHOICES} choices (prompts times n) in one request")
        return self


Request = TypeVar("Request", bound=GenerationRequest)


def parse_chat(body: bytes) -> ChatRequest:
    request = _parse(ChatRequest, load_object(body))
    request.tool_use  # noqa: B018  a broken tool is the client's error, to be told before any work
    return request


def parse_completion(body: bytes) -> CompletionRequest:
    return _parse(CompletionRequest, load_object(body))


def load_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object; raise InvalidArgument that says where it is broken."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise InvalidArgument(f"The request body is not valid JSON ({where})") from None
    if not isinstance(document, dict):
        raise InvalidArgument("The request body must be a JSON object")
    return document


def _parse(kind: type[Request], document: dict[str, Any]) -> Request:
    given = {name: value for name, value in document.items() if value is not None}
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        raise explain(error, kind.model_fields) from None
