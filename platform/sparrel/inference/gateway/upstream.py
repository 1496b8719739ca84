"""One pooled connection set to all model servers, and the bytes that pass through it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from starlette.types import Send

from sparrel.errors import BadGateway
from sparrel.inference import descriptors
from sparrel.inference.asgi import Headers, TrackedSend, send_body
from sparrel.inference.responses import error_events

IDLE_CONNECTION_S = 30
"""Shorter than the model server's own limit, so that it never closes a connection we are about to use."""
EVENT_END = b"\n\n"
_SPARE_FILES = 512
_FEWEST_CONNECTIONS = 256


class Unreachable(Exception):
    """No connection: the request was not sent."""


class Broken(Exception):
    """The replica failed while it held the request; `complete` bytes of the answer had not all come."""


class Upstream:
    """Owns the HTTP session; made on first use, because it needs the running event loop."""

    def __init__(self, secret: str, connect_timeout_s: float, max_clients: int) -> None:
        self._secret = secret
        self._max_clients = max_clients
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout_s)
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def post(
        self, url: str, body: bytes, headers: dict[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request and yield the response once its headers are here.

        Raises Unreachable or Broken when there is no response; leaving early closes the connection, by
        which the model server knows that nobody listens.
        """
        try:
            response = await self._client().post(url, data=body, headers=self._complete(headers))
        except aiohttp.ClientConnectorError as error:
            raise Unreachable(str(error)) from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _not_sent_or_broken(error) from None
        try:
            yield response
        finally:
            # Returns a finished connection to the pool, closes one that is still sending.
            response.close() if not response.content.at_eof() else response.release()

    async def aclose(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _complete(self, headers: dict[str, str]) -> dict[str, str]:
        return {"content-type": "application/json", "x-sparrel-secret": self._secret, **headers}

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            # Clients' own connections come first; what is left bounds ours, and a request waits for one.
            left = descriptors.raise_limit() - self._max_clients - _SPARE_FILES
            connector = aiohttp.TCPConnector(
                limit=max(_FEWEST_CONNECTIONS, left),
                keepalive_timeout=IDLE_CONNECTION_S,
                socket_factory=_watched_socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
            )
        return self._session


async def pass_whole(response: aiohttp.ClientResponse, send: Send, headers: Headers) -> None:
    """Pass a body on in one piece, so that one that breaks off can still become an error status."""
    try:
        body = await response.read()
    except (aiohttp.ClientError, OSError, TimeoutError):
        raise BadGateway("The replica broke off while answering") from None
    await send_body(send, response.status, body, headers, response.content_type.encode())


async def pass_stream(response: aiohttp.ClientResponse, send: TrackedSend, headers: Headers) -> bool:
    """Pass events on as they come; say whether the stream ended as it should.

    A stream that breaks ends with an error event: a client must never take half an answer for a whole one.
    """
    content_type = (b"content-type", b"text/event-stream; charset=utf-8")
    await send(
        {
            "type": "http.response.start",
            "status": response.status,
            "headers": [content_type, (b"cache-control", b"no-cache"), *headers],
        }
    )
    held = b""
    try:
        async for part in response.content.iter_any():
            if held or not part.endswith(EVENT_END):
                # Only whole events go out, so that an error event can follow at any time.
                part, held = _whole_events(held + part)
                if not part:
                    continue
            await send({"type": "http.response.body", "body": part, "more_body": True})
    except (aiohttp.ClientError, OSError, TimeoutError):
        error = BadGateway("The replica stopped in the middle of the answer")
        await send({"type": "http.response.body", "body": error_events(error.openai_body())})
        return False
    await send({"type": "http.response.body", "body": held})
    return True


def _whole_events(part: bytes) -> tuple[bytes, bytes]:
    end = part.rfind(EVENT_END) + len(EVENT_END)
    return (part[:end], part[end:]) if end >= len(EVENT_END) else (b"", part)


def _not_sent_or_broken(error: Exception) -> Exception:
    timed_out_connecting = isinstance(error, aiohttp.ConnectionTimeoutError)
    return Unreachable("connect timeout") if timed_out_connecting else Broken(type(error).__name__)


def _watched_socket(address: tuple[Any, ...]) -> socket.socket:
    """A machine that vanishes sends nothing; keep-alive probes find out within half a minute."""
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for option, seconds in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            made.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
    return made
