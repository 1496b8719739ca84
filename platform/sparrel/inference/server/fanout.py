"""Run the choices of one request side by side and bring their news together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Protocol, cast

from sparrel.engine import EngineDead, EngineRequest, OutputDelta
from sparrel.inference.server.choice import Choice, Piece
from sparrel.inference.server.failures import as_client_error


class TokenSource(Protocol):
    """What the model server needs of `AsyncEngine`."""

    def generate(self, request: EngineRequest) -> AsyncIterator[OutputDelta]: ...


async def run_choices(
    engine: TokenSource, choices: Sequence[Choice], requests: Sequence[EngineRequest]
) -> AsyncGenerator[Piece]:
    """Yield pieces until every choice has finished; closing the iterator aborts those that have not."""
    pieces = _run_one if len(choices) == 1 else _run_many
    try:
        async with aclosing(pieces(engine, choices, requests)) as running:
            async for piece in running:
                yield piece
    except EngineDead as error:
        raise as_client_error(error) from error


async def _run_one(
    engine: TokenSource, choices: Sequence[Choice], requests: Sequence[EngineRequest]
) -> AsyncGenerator[Piece]:
    choice = choices[0]
    deltas = cast(AsyncGenerator[OutputDelta], engine.generate(requests[0]))
    async with aclosing(deltas):
        async for delta in deltas:
            yield choice.feed(delta)
            if choice.finished:
                return


async def _run_many(
    engine: TokenSource, choices: Sequence[Choice], requests: Sequence[EngineRequest]
) -> AsyncGenerator[Piece]:
    inbox = _Inbox()
    tasks = [
        asyncio.create_task(_pump(engine, choice, request, inbox))
        for choice, request in zip(choices, requests, strict=True)
    ]
    try:
        running = len(tasks)
        while running:
            for news in await inbox.take():
                if isinstance(news, BaseException):
                    raise news
                running -= news.finish_reason is not None
                yield news
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(engine: TokenSource, choice: Choice, request: EngineRequest, inbox: _Inbox) -> None:
    try:
        async with aclosing(_run_one(engine, [choice], [request])) as pieces:
            async for piece in pieces:
                inbox.put(piece)
    except Exception as error:
        inbox.put(error)


class _Inbox:
    """At most one unread piece per choice: news that the reader has not taken yet is merged."""

    def __init__(self) -> None:
        self._pieces: dict[int, Piece] = {}
        self._error: Exception | None = None
        self._filled = asyncio.Event()

    def put(self, news: Piece | Exception) -> None:
        if isinstance(news, Exception):
            self._error = self._error or news
        elif news.index in self._pieces:
            self._pieces[news.index].merge(news)
        else:
            self._pieces[news.index] = news
        self._filled.set()

    async def take(self) -> list[Piece | Exception]:
        await self._filled.wait()
        self._filled.clear()
        pieces, self._pieces = self._pieces, {}
        return [*pieces.values(), *([self._error] if self._error else [])]
