"""The model server's routes: one engine, reached by the gateway only."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from starlette.types import Receive, Scope, Send

from sparrel.engine import AsyncEngine, EngineDead, EngineRequest
from sparrel.errors import Internal, NotFound, SparrelError, Unauthenticated, Unavailable
from sparrel.inference.asgi import (
    ELSEWHERE_HEADER,
    ClientDisconnected,
    TrackedSend,
    encode_headers,
    fault_summary,
    header,
    read_body,
    send_error,
    send_json,
    unless_disconnected,
)
from sparrel.inference.codec import Codec
from sparrel.inference.message_parts import MessageSplitter
from sparrel.inference.reasoning import ReasoningSplitter
from sparrel.inference.requests import (
    ChatRequest,
    GenerationRequest,
    parse_chat,
    parse_completion,
)
from sparrel.inference.responses import Envelope
from sparrel.inference.server.answer import Answer
from sparrel.inference.server.choice import Choice
from sparrel.inference.server.dialects import ChatDialect, CompletionDialect, Dialect
from sparrel.inference.server.failures import NotHere, as_client_error
from sparrel.inference.server.metrics import Metrics
from sparrel.inference.server.model_info import ModelInfo, ReasoningStyle
from sparrel.inference.server.prompts import Prompt, PromptMaker
from sparrel.inference.server.sampling import completion_budget, sampling_params
from sparrel.inference.server.thinking import thinking_budget
from sparrel.inference.server.writer import write_stream, write_whole
from sparrel.inference.tools import FORMATS, ToolMode

MAX_BODY_BYTES = 64 * 1024 * 1024
MAX_IN_FLIGHT = 4096
_PACED_FROM = 4
_ELSEWHERE = (ELSEWHERE_HEADER.encode(), b"1")

logger = logging.getLogger("sparrel.model_server")


def create_model_server(
    engine: AsyncEngine,
    tokenizer_folder: Path | str,
    model_info: ModelInfo,
    secret: str,
    *,
    max_in_flight: int = MAX_IN_FLIGHT,
) -> ModelServer:
    """Return the ASGI app that answers for one started engine; `secret` guards every route.

    Routes: POST /v1/chat/completions, POST /v1/completions, GET /internal/state.
    """
    return ModelServer(engine, Codec(tokenizer_folder), model_info, secret, max_in_flight)


class ModelServer:
    def __init__(
        self, engine: AsyncEngine, codec: Codec, info: ModelInfo, secret: str, max_in_flight: int
    ) -> None:
        self._engine = engine
        self._codec = codec
        self._info = info
        self._secret = secret.encode()
        self._max_in_flight = max_in_flight
        self._in_flight = 0
        self._requests_total = 0
        self._draining = False
        self._prompts = PromptMaker(codec, info)
        self._context_length = min(info.context_length, engine.engine.max_model_len)
        self._routes: dict[tuple[str, str], Callable[[Scope, Receive, TrackedSend], Awaitable[None]]] = {
            ("POST", "/v1/chat/completions"): self._chat,
            ("POST", "/v1/completions"): self._complete,
            ("GET", "/internal/state"): self._state,
        }

    def drain(self) -> None:
        """Refuse new requests, so that the gateway takes them elsewhere; running ones go on."""
        self._draining = True

    def state(self) -> dict[str, int]:
        """Return the load that the replica reports; raises Unavailable when the engine is dead."""
        try:
            stats = self._engine.stats()
        except EngineDead as error:
            raise as_client_error(error) from error
        return {
            "running": stats.running,
            "waiting": stats.waiting,
            "capacity": self._engine.config.max_num_seqs,
            "requests_total": self._requests_total,
            "generated_tokens_total": stats.generated_tokens_total,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the model server speaks http, not {scope['type']}")
        tracked = TrackedSend(send)
        try:
            await self._route(scope)(scope, receive, tracked)
        except ClientDisconnected:
            return
        except Exception as fault:
            await self._fail(fault, tracked)

    def _route(self, scope: Scope) -> Callable[[Scope, Receive, TrackedSend], Awaitable[None]]:
        given = header(scope, b"x-sparrel-secret") or ""
        if not hmac.compare_digest(given.encode("latin-1"), self._secret):
            raise Unauthenticated("Only the platform's own ingress may call a model server")
        route = self._routes.get((scope["method"], scope["path"]))
        if route is None:
            raise NotFound("No such route")
        return route

    async def _fail(self, fault: Exception, send: TrackedSend) -> None:
        if not isinstance(fault, SparrelError):
            logger.error("request failed: %s", fault_summary(fault))
            fault = Internal("The model server failed on this request")
        if send.started:
            # The body is cut short, which the gateway reports to the client.
            raise fault from None
        await send_error(send, fault, [_ELSEWHERE] if isinstance(fault, NotHere) else [])

    async def _state(self, scope: Scope, receive: Receive, send: TrackedSend) -> None:
        await send_json(send, self.state())

    async def _chat(self, scope: Scope, receive: Receive, send: TrackedSend) -> None:
        metrics = self._admit(scope)
        request = parse_chat(await read_body(scope, receive, MAX_BODY_BYTES))

        async def work() -> None:
            prompts = await self._prompts.for_chat(request)
            await self._write(scope, send, self._answer(scope, request, prompts, metrics), ChatDialect())

        await self._run(receive, work)

    async def _complete(self, scope: Scope, receive: Receive, send: TrackedSend) -> None:
        metrics = self._admit(scope)
        request = parse_completion(await read_body(scope, receive, MAX_BODY_BYTES))

        async def work() -> None:
            prompts = await self._prompts.for_completion(request)
            await self._write(
                scope, send, self._answer(scope, request, prompts, metrics), CompletionDialect()
            )

        await self._run(receive, work)

    def _admit(self, scope: Scope) -> Metrics:
        if self._draining:
            raise NotHere("This replica is shutting down", retry_after_s=1)
        if self._in_flight >= self._max_in_flight:
            raise Unavailable("This model has too many requests; try again later", retry_after_s=1)
        return Metrics(header(scope, b"x-sparrel-deployment"))

    async def _run(self, receive: Receive, work: Callable[[], Any]) -> None:
        self._in_flight += 1
        self._requests_total += 1
        try:
            await unless_disconnected(receive, work())
        finally:
            self._in_flight -= 1

    def _answer(
        self, scope: Scope, request: GenerationRequest, prompts: list[Prompt], metrics: Metrics
    ) -> Answer:
        """Plan the engine's work: choice i belongs to prompt i // n."""
        envelope = Envelope(
            header(scope, b"x-sparrel-model") or request.model, isinstance(request, ChatRequest)
        )
        salt = _cache_salt(scope, request)
        choices, engine_requests = [], []
        for number in range(len(prompts) * request.n):
            prompt = prompts[number // request.n]
            budget = completion_budget(request, self._info, len(prompt.token_ids), self._context_length)
            choices.append(self._choice(number, prompt, request))
            engine_requests.append(
                EngineRequest(
                    request_id=f"{envelope.id}-{number}",
                    prompt_token_ids=prompt.token_ids,
                    sampling=sampling_params(request, self._info, budget, number % request.n),
                    cache_salt=salt,
                    cache_max_len=request.prompt_cache_max_len,
                    logits_processor=thinking_budget(request, self._codec, started=prompt.thinking),
                )
            )
        metrics.concurrent = self.state()["running"]
        metrics.tokenized_now(sum(len(prompt.token_ids) for prompt in prompts))
        return Answer(request, envelope, self._codec, prompts, choices, engine_requests, metrics)

    def _choice(self, index: int, prompt: Prompt, request: GenerationRequest) -> Choice:
        splitter = self._splitter(request, prompt) if isinstance(request, ChatRequest) else None
        return Choice(
            index, prompt, request, self._codec, splitter=splitter, stop_in_output=self._info.stop_in_output
        )

    def _splitter(self, request: ChatRequest, prompt: Prompt) -> MessageSplitter:
        use = request.tool_use
        separate = self._info.reasoning is ReasoningStyle.SEPARATE
        only_first = use.mode is ToolMode.REQUIRED or not request.parallel_tool_calls
        return MessageSplitter(
            ReasoningSplitter(started=prompt.thinking) if separate else None,
            FORMATS[self._info.tool_format].parser(only_first=only_first) if use.active else None,
        )

    async def _write(self, scope: Scope, send: TrackedSend, answer: Answer, dialect: Dialect) -> None:
        request_id = header(scope, b"x-request-id")
        extra = encode_headers({"x-request-id": request_id}) if request_id else []
        if answer.request.stream:
            await write_stream(answer, dialect, self._engine, send, extra, self._pace)
        else:
            await write_whole(answer, dialect, self._engine, send, extra)

    def _pace(self) -> float:
        """Seconds between two events of a stream: more when many streams share this process's one core.

        About 1,000 events a second in all, which is a small part of the core, and no stream slower than
        20 events a second.
        """
        return 0.0 if self._in_flight < _PACED_FROM else min(0.05, self._in_flight * 0.001)


def _cache_salt(scope: Scope, request: GenerationRequest) -> str:
    """Accounts never share cached prompts; an isolation key divides an account's own further."""
    account = header(scope, b"x-sparrel-account") or ""
    key = request.prompt_cache_isolation_key or header(scope, b"x-prompt-cache-isolation-key") or ""
    return f"{account}\n{key}"
