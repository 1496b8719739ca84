"""Send an answer: as one body, or as server-sent events while it is generated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

from sparrel.errors import SparrelError
from sparrel.inference.asgi import TrackedSend, send_body
from sparrel.inference.responses import DONE, error_events
from sparrel.inference.server.answer import Answer
from sparrel.inference.server.choice import Piece
from sparrel.inference.server.dialects import Dialect
from sparrel.inference.server.fanout import TokenSource

Header = tuple[bytes, bytes]


async def write_whole(
    answer: Answer, dialect: Dialect, engine: TokenSource, send: TrackedSend, extra: list[Header]
) -> None:
    whole: dict[int, Piece] = {}
    async with aclosing(answer.run(engine)) as pieces:
        async for piece in pieces:
            if piece.index in whole:
                whole[piece.index].merge(piece)
            else:
                whole[piece.index] = piece
    choices = [dialect.whole(answer, whole[choice.index]) for choice in answer.choices]
    beside = {**dialect.prompt_ids(answer), **answer.closing()}
    body = answer.envelope.body(choices, answer.usage, beside)
    await send_body(send, 200, body, [*answer.metrics.headers(finished=True), *extra])


async def write_stream(
    answer: Answer,
    dialect: Dialect,
    engine: TokenSource,
    send: TrackedSend,
    extra: list[Header],
    pace: Callable[[], float],
) -> None:
    """Send events; a failure before the first raises, a later one becomes the stream's last event.

    After each event the stream rests for `pace()` seconds, while the engine merges what is generated.
    """
    try:
        async with aclosing(answer.run(engine)) as pieces:
            await _write_events(answer, _Events(answer, dialect), pieces, send, extra, pace)
    except SparrelError as error:
        if not send.started:
            raise
        await _send_part(send, error_events(error.openai_body()), last=True)


async def _write_events(
    answer: Answer,
    events: _Events,
    pieces: AsyncIterator[Piece],
    send: TrackedSend,
    extra: list[Header],
    pace: Callable[[], float],
) -> None:
    async for piece in pieces:
        if not send.started:
            # Only now, so that an engine's refusal still gets its status and the headers their numbers.
            await _send_start(send, [*answer.metrics.headers(finished=False), *extra])
        part = events.of(piece)
        if part:
            await _send_part(send, part + DONE if events.complete else part, last=events.complete)
            rest_s = pace()
            if rest_s and not events.complete:
                await asyncio.sleep(rest_s)


class _Events:
    """Turns pieces into events and knows which choices have begun."""

    def __init__(self, answer: Answer, dialect: Dialect) -> None:
        self._answer = answer
        self._dialect = dialect
        self._begun: set[int] = set()
        self._ended = 0

    @property
    def complete(self) -> bool:
        """Whether the last event of the last choice has been written."""
        return self._ended == len(self._answer.choices)

    def of(self, piece: Piece) -> bytes:
        answer, dialect = self._answer, self._dialect
        part = b""
        first = piece.index not in self._begun
        if first and not (piece.empty and not piece.token_ids):
            part = self._begin(piece)
        elif piece.empty and not (answer.request.return_token_ids and piece.token_ids):
            return b""
        self._ended += piece.finish_reason is not None
        usage = answer.usage if self.complete else None
        beside: dict[str, Any] = answer.closing() if self.complete else {}
        if first and not dialect.chat:
            beside |= dialect.prompt_ids(answer)
        return part + answer.envelope.chunk(dialect.delta(answer, piece, first=first), usage, beside)

    def _begin(self, piece: Piece) -> bytes:
        self._begun.add(piece.index)
        beside = self._dialect.prompt_ids(self._answer) if len(self._begun) == 1 else {}
        opening = self._dialect.first_chunks(self._answer, piece.index)
        return b"".join(self._answer.envelope.chunk(choice, None, beside) for choice in opening)


async def _send_start(send: TrackedSend, headers: list[Header]) -> None:
    fixed = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]
    await send({"type": "http.response.start", "status": 200, "headers": [*fixed, *headers]})


async def _send_part(send: TrackedSend, part: bytes, *, last: bool) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": not last})
