"""One HTTP exchange with the platform: authenticated, retried, and ending in JSON or a typed error."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx

from sparrel import __version__
from sparrel.client.config import ClientConfig
from sparrel.client.retries import RetryPolicy
from sparrel.errors import (
    BadGateway,
    DeadlineExceeded,
    SparrelError,
    Unauthenticated,
    Unavailable,
    from_response,
)

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_NO_PROXY: dict[str, httpx.AsyncBaseTransport | None] = {
    "all://127.0.0.1": None,
    "all://localhost": None,
    "all://[::1]": None,
}
"""A platform on this machine is never behind the proxy of the environment."""


class Transport:
    def __init__(
        self,
        config: ClientConfig,
        *,
        retries: RetryPolicy | None = None,
        http: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.config = config
        self._retries = retries or RetryPolicy()
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT, mounts=_NO_PROXY)
        self._sleep = sleep

    async def close(self) -> None:
        await self._http.aclose()

    async def call(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> tuple[Any, Mapping[str, str]]:
        """Send a request to the resource API; return the parsed answer and its headers."""
        if not self.config.api_key:
            raise Unauthenticated("no API key is configured")
        response = await self.send(
            lambda: self._http.build_request(
                method,
                self.config.base_url + path,
                params=_query(query or {}),
                json=body,
                headers={
                    "Authorization": f"Bearer {self.config.api_key}",
                    "User-Agent": f"sparrel/{__version__}",
                },
            )
        )
        return _json(response), response.headers

    async def send(
        self, build: Callable[[], httpx.Request], *, stream: bool = False, repeat: bool = True
    ) -> httpx.Response:
        """Send what `build` makes, anew for each try; return a successful response or raise SparrelError."""
        attempt = 0
        while True:
            attempt += 1
            request = build()
            response, failure = await self._try(request, stream=stream)
            if failure is None and response is not None:
                return response
            status = response.status_code if response is not None else None
            delay = self._retries.delay_s(attempt, response.headers if response is not None else {})
            arrived = not isinstance(failure, _NotConnected)
            again = repeat and self._retries.may_repeat(request.method, status, arrived=arrived)
            if not again or delay is None or attempt >= self._retries.attempts:
                assert failure is not None
                raise failure
            await self._sleep(delay)

    async def _try(
        self, request: httpx.Request, *, stream: bool
    ) -> tuple[httpx.Response | None, SparrelError | None]:
        try:
            response = await self._http.send(request, stream=stream)
            if response.is_success:
                return response, None
            await response.aread()
            await response.aclose()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return None, _NotConnected(f"no connection to {self.config.base_url}: {_reason(error)}")
        except httpx.TimeoutException:
            return None, DeadlineExceeded(f"{self.config.base_url} did not answer in time")
        except httpx.TransportError as error:
            return None, Broken(f"the connection to {self.config.base_url} broke: {_reason(error)}")
        return response, _error(response)


class Broken(Unavailable):
    """The connection failed, not the server: what was sent may or may not have arrived."""


class _NotConnected(Broken):
    """Nothing can have happened on the server."""


def _error(response: httpx.Response) -> SparrelError:
    try:
        body = response.json()
    except ValueError:
        body = response.text[:500]
    error = from_response(response.status_code, body)
    try:
        error.retry_after_s = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        error.retry_after_s = None
    return error


def _json(response: httpx.Response) -> Any:
    try:
        return response.json() if response.content else {}
    except ValueError:
        kind = response.headers.get("content-type", "nothing")
        raise BadGateway(
            f"{response.url} answered with {kind} instead of JSON: is this a Sparrel server?"
        ) from None


def _query(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters that are set, booleans as the wire wants them."""
    texts = {True: "true", False: "false"}
    return {
        key: texts[value] if isinstance(value, bool) else str(value)
        for key, value in values.items()
        if value is not None and value != ""
    }


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
