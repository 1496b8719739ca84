"""What clients read when the model writes tool calls, thoughts, or nothing more: a model that recites."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest

from sparrel.bench.data_path import MODEL, SECRET
from sparrel.engine import (
    EngineDead,
    EngineError,
    EngineRequest,
    FinishReason,
    NumericalError,
    OutputDelta,
    QueueFull,
    RequestTimings,
)
from sparrel.inference.codec import Codec
from sparrel.inference.server import ModelInfo, ReasoningStyle, create_model_server

HELLO = [{"role": "user", "content": "hello"}]
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = '<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call>'


class RecitingEngine:
    """Speaks the engine's protocol and answers every prompt with the same text, some tokens at a time."""

    def __init__(self, codec: Codec, text: str, error: EngineError | None = None, *, step: int = 2) -> None:
        self.tokens = codec.encode(text, add_special_tokens=False)
        self.error, self.step = error, step
        self.requests: list[EngineRequest] = []
        self.engine = SimpleNamespace(max_model_len=256)
        self.config = SimpleNamespace(max_num_seqs=8)

    def stats(self) -> Any:
        return SimpleNamespace(running=0, waiting=0, generated_tokens_total=0)

    async def generate(self, request: EngineRequest) -> AsyncIterator[OutputDelta]:
        self.requests.append(request)
        if isinstance(self.error, EngineDead) and not self.tokens:
            raise self.error
        for start in range(0, len(self.tokens), self.step):
            yield self._delta(request, self.tokens[start : start + self.step], None)
        yield self._delta(
            request, [] if self.error else [1], FinishReason.ERROR if self.error else FinishReason.STOP
        )

    def _delta(
        self, request: EngineRequest, tokens: Sequence[int], reason: FinishReason | None
    ) -> OutputDelta:
        error = self.error if reason is FinishReason.ERROR else None
        return OutputDelta(
            request.request_id, list(tokens), None, reason, 0, error, None, RequestTimings(0.0)
        )


class Setting:
    def __init__(self, folder: Path, codec: Codec) -> None:
        self._folder, self._codec = folder, codec
        self.engine: RecitingEngine

    async def ask(
        self,
        text: str,
        *,
        error: EngineError | None = None,
        info: dict[str, Any] | None = None,
        **fields: Any,
    ) -> httpx.Response:
        self.engine = RecitingEngine(self._codec, text, error)
        known = ModelInfo.load({"name": MODEL, "supportsTools": True} | (info or {}), self._folder)
        app = create_model_server(self.engine, self._folder, known, SECRET)  # type: ignore[arg-type]
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
        body = {"model": MODEL, "messages": HELLO, **fields}
        async with httpx.AsyncClient(transport=transport, base_url="http://model") as client:
            return await client.post("/v1/chat/completions", json=body, headers={"x-sparrel-secret": SECRET})

    async def message(self, text: str, **fields: Any) -> tuple[dict[str, Any], str]:
        """The message and finish reason, which must be the same streamed and whole."""
        (choice,) = (await self.ask(text, **fields)).json()["choices"]
        streamed = await self.ask(text, stream=True, **fields)
        assert assemble(streamed.text) == (without_ids(choice["message"]), choice["finish_reason"])
        return choice["message"], choice["finish_reason"]


def assemble(stream: str) -> tuple[dict[str, Any], str]:
    """Put a streamed message together as OpenAI's clients do."""
    blocks = stream.split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    choices = [orjson.loads(block.removeprefix("data: "))["choices"][0] for block in blocks[:-2]]
    message: dict[str, Any] = {"role": choices[0]["delta"]["role"], "content": ""}
    calls: dict[int, dict[str, str]] = {}
    for choice in choices:
        for key in ("content", "reasoning_content"):
            if key in choice["delta"]:
                message[key] = message.get(key, "") + choice["delta"][key]
        for part in choice["delta"].get("tool_calls", []):
            call = calls.setdefault(part["index"], {"name": "", "arguments": ""})
            call["name"] += part["function"].get("name", "")
            call["arguments"] += part["function"].get("arguments", "")
    if calls:
        message["tool_calls"] = list(calls.values())
        message["content"] = message["content"] or None
    return message, choices[-1]["finish_reason"]


def without_ids(message: dict[str, Any]) -> dict[str, Any]:
    if "tool_calls" not in message:
        return message
    return message | {"tool_calls": [call["function"] for call in message["tool_calls"]]}


@pytest.fixture
def setting(model_folder: Path, codec: Codec) -> Setting:
    return Setting(model_folder, codec)


async def test_a_tool_call_is_a_call_and_not_text(setting: Setting) -> None:
    message, reason = await setting.message(CALL, tools=[WEATHER])
    assert message["content"] is None
    (call,) = message["tool_calls"]
    assert (call["index"], call["type"], call["id"][:5]) == (0, "function", "call_")
    assert call["function"] == {"name": "weather", "arguments": '{"city": "Paris"}'}
    assert reason == "tool_calls"


async def test_without_tools_the_same_output_is_text(setting: Setting) -> None:
    assert await setting.message(CALL) == ({"role": "assistant", "content": CALL}, "stop")
    message, _ = await setting.message(CALL, tools=[WEATHER], tool_choice="none")
    assert message["content"] == CALL


@pytest.mark.parametrize("choice", ["any", {"type": "function", "function": {"name": "weather"}}])
async def test_a_required_call_is_begun_for_the_model(setting: Setting, codec: Codec, choice: Any) -> None:
    opening = "<tool_call>" if choice == "any" else CALL[: CALL.index(' {"city')]
    rest = CALL.removeprefix(opening)
    message, reason = await setting.message(rest + " and more", tools=[WEATHER], tool_choice=choice)
    assert codec.decode(setting.engine.requests[0].prompt_token_ids, hide_special=False).endswith(opening)
    assert message["tool_calls"][0]["function"]["arguments"] == '{"city": "Paris"}'
    assert (message["content"], reason) == (None, "tool_calls")


async def test_parallel_calls_can_be_switched_off(setting: Setting) -> None:
    message, _ = await setting.message(CALL + CALL, tools=[WEATHER])
    assert len(message["tool_calls"]) == 2
    message, _ = await setting.message(CALL + CALL, tools=[WEATHER], parallel_tool_calls=False)
    assert len(message["tool_calls"]) == 1


async def test_tools_need_a_model_that_supports_them(setting: Setting) -> None:
    response = await setting.ask("", info={"supportsTools": False}, tools=[WEATHER])
    assert (response.status_code, response.json()["error"]["param"]) == (400, "tools")


async def test_thoughts_stay_in_the_content_or_get_their_own_field(setting: Setting) -> None:
    thought = "<think>two and two</think>\nfour"
    assert (await setting.message(thought))[0]["content"] == thought
    message, reason = await setting.message(thought, info={"reasoning": ReasoningStyle.SEPARATE})
    assert (message["reasoning_content"], message["content"], reason) == ("two and two", "four", "stop")


@pytest.mark.parametrize(("history", "shown"), [(None, True), ("preserved", True), ("disabled", False)])
async def test_earlier_thoughts_can_be_kept_out_of_the_prompt(
    setting: Setting, codec: Codec, history: str | None, shown: bool
) -> None:
    template = "{% for m in messages %}{{ m.reasoning_content }}{{ m.content }}{% endfor %}"
    earlier = {"role": "assistant", "content": "four", "reasoning_content": "hmm"}
    info = {"conversationConfig": {"style": "jinja", "template": template}}
    await setting.ask("hi", info=info, messages=[*HELLO, earlier, *HELLO], reasoning_history=history)
    assert ("hmm" in codec.decode(setting.engine.requests[0].prompt_token_ids)) is shown


async def test_a_thought_may_come_before_a_call(setting: Setting) -> None:
    text = f"<think>weather?</think>{CALL}"
    message, _ = await setting.message(text, tools=[WEATHER], info={"reasoning": ReasoningStyle.SEPARATE})
    assert message["reasoning_content"] == "weather?"
    assert message["tool_calls"][0]["function"]["name"] == "weather"


@pytest.mark.parametrize(("included", "text"), [(True, "one END"), (False, "one ")])
async def test_whether_stop_words_are_shown_is_the_models_switch(
    setting: Setting, included: bool, text: str
) -> None:
    message, reason = await setting.message("one END two", stop="END", info={"stopInOutput": included})
    assert (message["content"], reason) == (text, "stop")


async def test_defaults_of_the_model_fill_what_a_request_leaves_out(setting: Setting) -> None:
    info = {"defaultSamplingParams": {"temperature": 0.6, "top_k": 20.0}}
    await setting.ask("hi", info=info, top_k=0)
    sampling = setting.engine.requests[0].sampling
    assert (sampling.temperature, sampling.top_k, sampling.top_p) == (0.6, 0, 1.0)


async def test_a_model_may_cap_its_completions(setting: Setting) -> None:
    await setting.ask("hi", info={"maxCompletionTokens": 5}, max_tokens=100)
    assert setting.engine.requests[0].sampling.max_tokens == 5


async def test_a_model_without_template_refuses_chat(setting: Setting, tmp_path: Path) -> None:
    for name in ("tokenizer.json", "config.json"):
        (tmp_path / name).write_bytes((setting._folder / name).read_bytes())
    setting._folder = tmp_path
    response = await setting.ask("hi")
    assert response.status_code == 404
    assert (
        response.json()["error"]["message"]
        == "model is missing conversation_config, please use /completions API instead"
    )


@pytest.mark.parametrize(
    ("error", "status"),
    [(QueueFull(3), 503), (NumericalError(), 500), (EngineDead("gone"), 503), (EngineError(), 500)],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_the_engines_errors_have_a_status_while_nothing_is_sent(
    setting: Setting, error: EngineError, status: int, stream: bool
) -> None:
    response = await setting.ask("", error=error, stream=stream)
    assert (response.status_code, response.json()["error"]["object"]) == (status, "error")
    assert ("x-sparrel-elsewhere" in response.headers) == isinstance(error, EngineDead)


async def test_an_error_in_the_middle_of_a_stream_is_its_last_event(setting: Setting) -> None:
    response = await setting.ask("some text", error=NumericalError(), stream=True)
    *_, error, done, end = response.text.split("\n\n")
    assert (response.status_code, done, end) == (200, "data: [DONE]", "")
    assert orjson.loads(error.removeprefix("data: "))["error"]["code"] == "INTERNAL"


async def test_a_draining_server_sends_requests_elsewhere(
    setting: Setting, model_folder: Path, codec: Codec
) -> None:
    engine: Any = RecitingEngine(codec, "hi")
    app = create_model_server(engine, model_folder, ModelInfo.load({}, model_folder), SECRET)
    app.drain()
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://model") as client:
        response = await client.post("/v1/completions", json={}, headers={"x-sparrel-secret": SECRET})
    assert (response.status_code, response.headers["x-sparrel-elsewhere"]) == (503, "1")


def test_the_resource_wins_over_the_models_own_files(model_folder: Path) -> None:
    assert ModelInfo.load({}, model_folder).context_length == 256
    document = {
        "contextLength": 100,
        "conversationConfig": {"style": "jinja", "system": "s", "template": "t"},
    }
    info = ModelInfo.load(document, model_folder)
    assert (info.context_length, info.default_system_prompt, info.chat_template) == (100, "s", "t")
