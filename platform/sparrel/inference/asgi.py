"""The little of HTTP that the hot path needs, on bare ASGI."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any, TypeVar

import orjson
from starlette.types import Message, Receive, Scope, Send

from sparrel.errors import PayloadTooLarge, SparrelError

ELSEWHERE_HEADER = "x-sparrel-elsewhere"
"""On a model server's 503: this replica is going away, so the gateway should find another."""

Result = TypeVar("Result")
Headers = Iterable[tuple[bytes, bytes]]


class ClientDisconnected(Exception):
    """The client closed its connection; nobody waits for an answer."""


class TrackedSend:
    """An ASGI `send` that knows whether the response has begun, after which no status can be sent."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status = True, message["status"]
        await self._send(message)


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request header by its lower-case name."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None


async def read_body(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Read the whole request body; raise PayloadTooLarge as early as possible."""
    declared = header(scope, b"content-length")
    if declared is not None and declared.isdecimal() and int(declared) > limit:
        raise PayloadTooLarge(f"The request body is larger than {limit} bytes")
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise PayloadTooLarge(f"The request body is larger than {limit} bytes")
        if not message.get("more_body", False):
            return b"".join(parts)


async def send_body(
    send: Send, status: int, body: bytes, headers: Headers = (), content_type: bytes = b"application/json"
) -> None:
    sent = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


async def send_json(send: Send, document: Any, headers: Headers = ()) -> None:
    await send_body(send, 200, orjson.dumps(document), headers)


async def send_error(send: Send, error: SparrelError, headers: Headers = ()) -> None:
    """Answer with the error in OpenAI's envelope."""
    body = orjson.dumps(error.openai_body())
    await send_body(send, error.http_status, body, [*encode_headers(error.headers()), *headers])


def encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in headers.items()
    ]


def fault_summary(fault: BaseException) -> str:
    """Return where an unexpected exception came from, without its message: that may hold a client's text."""
    frames = traceback.extract_tb(fault.__traceback__)[-3:]
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    return f"{type(fault).__name__} at {places}"


async def unless_disconnected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """Run `work`; cancel it and raise ClientDisconnected when the client goes away first.

    To be called when the request body has been read: from then on the server reports only the disconnect.
    """
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_disconnect(receive))
    try:
        await asyncio.wait((task, watch), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnected
    finally:
        watch.cancel()
        if not task.done():
            task.cancel()
            # The work's own clean-up (abort, connections) is over when this returns.
            await asyncio.wait((task,))


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
