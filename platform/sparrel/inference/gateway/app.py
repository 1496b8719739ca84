"""The gateway's routes: an ASGI app that the ingress puts in front of everything it `matches`."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from starlette.types import Receive, Scope, Send

from sparrel.errors import (
    Internal,
    InvalidArgument,
    MethodNotAllowed,
    NotFound,
    SparrelError,
    Unavailable,
)
from sparrel.inference.asgi import (
    ClientDisconnected,
    Headers,
    TrackedSend,
    encode_headers,
    fault_summary,
    header,
    read_body,
    send_error,
    send_json,
    unless_disconnected,
)
from sparrel.inference.gateway.access_log import AccessRecord
from sparrel.inference.gateway.affinity import affinity_key
from sparrel.inference.gateway.directory import Authenticator, Directory, Route
from sparrel.inference.gateway.dispatch import Dispatcher, Errand
from sparrel.inference.gateway.listing import get_model, list_models
from sparrel.inference.gateway.settings import GatewaySettings
from sparrel.inference.gateway.upstream import Upstream, pass_stream, pass_whole
from sparrel.inference.requests import load_object, parse_chat, parse_completion
from sparrel.kernel.identity import Principal

PREFIX = "/inference/v1"
ALIAS_PREFIX = "/v1"
CLIENT_CLOSED = 499
"""What the access log says of a request whose client went away before the answer began."""

_PARSERS: dict[str, Callable[[bytes], Any]] = {
    "/chat/completions": parse_chat,
    "/completions": parse_completion,
}
_SLASHES = re.compile(r"/{2,}")
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_PASSED_ON = (b"x-session-affinity", b"x-prompt-cache-isolation-key")

logger = logging.getLogger("sparrel.gateway")


def create_gateway(
    directory: Directory, authenticator: Authenticator, secret: str, settings: GatewaySettings | None = None
) -> Gateway:
    """Return the gateway; `secret` is what the model servers require."""
    return Gateway(directory, authenticator, secret, settings or GatewaySettings())


class Gateway:
    """ASGI app for /inference/v1/* and its aliases; use `matches` to route, `aclose` at shutdown."""

    def __init__(
        self, directory: Directory, authenticator: Authenticator, secret: str, settings: GatewaySettings
    ) -> None:
        self._directory = directory
        self._authenticator = authenticator
        self._settings = settings
        self._upstream = Upstream(secret, settings.connect_timeout_s, settings.max_in_flight)
        self._dispatcher = Dispatcher(directory, self._upstream, settings)
        self.in_flight = 0
        """Requests being answered or waiting now."""

    @staticmethod
    def matches(path: str) -> bool:
        """Whether a request path belongs to the inference API."""
        path = _SLASHES.sub("/", path)
        if path == PREFIX or path.startswith(PREFIX + "/"):
            return True
        rest = path.removeprefix(ALIAS_PREFIX)
        return rest != path and (rest in _PARSERS or rest == "/models" or rest.startswith("/models/"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tracked = TrackedSend(send)
        record = AccessRecord(scope["method"], _SLASHES.sub("/", scope["path"]), _request_id(scope))
        status = CLIENT_CLOSED
        try:
            await self._answer(scope, receive, tracked, record)
            status = tracked.status
        except ClientDisconnected:
            pass
        except Exception as fault:
            status = await self._fail(fault, tracked, record)
        finally:
            record.write(status)

    async def aclose(self) -> None:
        """Close pooled connections."""
        await self._upstream.aclose()

    async def _answer(self, scope: Scope, receive: Receive, send: TrackedSend, record: AccessRecord) -> None:
        caller = await self._authenticator.authenticate(_key(scope))
        record.account = caller.account
        path = _below_prefix(record.path)
        if path in _PARSERS:
            _require_method(scope, "POST")
            await self._generate(path, caller, scope, receive, send, record)
        elif path == "/models":
            _require_method(scope, "GET")
            await send_json(send, await list_models(self._directory, caller), _own_headers(record))
        elif path.startswith("/models/"):
            _require_method(scope, "GET")
            model = await get_model(self._directory, caller, path.removeprefix("/models/"))
            await send_json(send, model, _own_headers(record))
        else:
            raise NotFound(f"No such route: {scope['method']} {record.path[:200]}")

    async def _generate(
        self,
        path: str,
        caller: Principal,
        scope: Scope,
        receive: Receive,
        send: TrackedSend,
        record: AccessRecord,
    ) -> None:
        if self.in_flight >= self._settings.max_in_flight:
            raise Unavailable("The platform has too many requests open; try again later", retry_after_s=1)
        self.in_flight += 1
        try:
            body = await read_body(scope, receive, self._settings.max_body_bytes)
            work = self._forward(path, body, caller, scope, send, record)
            await unless_disconnected(receive, work)
        finally:
            self.in_flight -= 1

    async def _forward(
        self,
        path: str,
        body: bytes,
        caller: Principal,
        scope: Scope,
        send: TrackedSend,
        record: AccessRecord,
    ) -> None:
        document = load_object(body)
        model = document.get("model")
        if not isinstance(model, str) or not model:
            raise InvalidArgument("model: this field is required", param="model")
        route = await self._directory.resolve(model, caller)
        errand = Errand(
            deployment=route.deployment,
            path=ALIAS_PREFIX + path,
            body=body,
            headers=_upstream_headers(scope, caller, route, model, record),
            affinity=affinity_key(scope, document, session_affinity=route.session_affinity),
            before_wake=lambda: _PARSERS[path](body),
        )
        async with self._dispatcher.deliver(errand) as response:
            passed = [*_response_headers(response.raw_headers), *_own_headers(record)]
            if response.content_type == "text/event-stream":
                record.broken = not await pass_stream(response, send, passed)
            else:
                await pass_whole(response, send, passed)

    async def _fail(self, fault: Exception, send: TrackedSend, record: AccessRecord) -> int:
        if not isinstance(fault, SparrelError):
            logger.error("request %s failed: %s", record.request_id, fault_summary(fault))
            fault = Internal("The gateway failed on this request")
        if send.started:
            raise fault from None
        await send_error(send, fault, _own_headers(record))
        return fault.http_status


def _below_prefix(path: str) -> str:
    return path.removeprefix(PREFIX) if path.startswith(PREFIX) else path.removeprefix(ALIAS_PREFIX)


def _key(scope: Scope) -> str | None:
    """Return the API key of `Authorization: Bearer` or `X-Api-Key`."""
    authorization = header(scope, b"authorization")
    if authorization is not None:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return key.strip() or None
    return header(scope, b"x-api-key")


def _request_id(scope: Scope) -> str:
    given = header(scope, b"x-request-id")
    return given if given is not None and _REQUEST_ID.fullmatch(given) else uuid4().hex


def _require_method(scope: Scope, method: str) -> None:
    if scope["method"] != method:
        raise MethodNotAllowed(f"This route takes {method}, not {scope['method']}")


def _upstream_headers(
    scope: Scope, caller: Principal, route: Route, model: str, record: AccessRecord
) -> dict[str, str]:
    headers = {
        "x-sparrel-account": caller.account,
        "x-sparrel-deployment": route.deployment,
        "x-request-id": record.request_id,
    }
    if model.isascii() and model.isprintable():
        headers["x-sparrel-model"] = model
    for name in _PASSED_ON:
        value = header(scope, name)
        if value is not None:
            headers[name.decode()] = value
    return headers


def _own_headers(record: AccessRecord) -> Headers:
    return encode_headers({"x-request-id": record.request_id})


def _response_headers(raw: tuple[tuple[bytes, bytes], ...]) -> list[tuple[bytes, bytes]]:
    """Return what of a replica's headers is meant for the client."""
    lowered = ((name.lower(), value) for name, value in raw)
    return [(n, v) for n, v in lowered if n.startswith(b"fireworks-") or n == b"retry-after"]
