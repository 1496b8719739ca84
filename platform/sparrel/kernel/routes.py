"""Declarations to HTTP: `/v1/accounts/{a}/{collection}[/{id}][:verb]` for every resource of the catalog.

A path is split and looked up in a table, so a request costs the same however many resources there are.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from sparrel.errors import (
    Internal,
    InvalidArgument,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    SparrelError,
)
from sparrel.kernel import methods, names, wire
from sparrel.kernel.catalog import catalog
from sparrel.kernel.context import Context, Params
from sparrel.kernel.fields import Message
from sparrel.kernel.identity import Principal
from sparrel.kernel.resource import Resource, Verb
from sparrel.kernel.rows import Store
from sparrel.kernel.verbs import find_verb, verb_methods
from sparrel.settings import Settings

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_DRAINED_BYTES = 64 * 1024 * 1024
PREFIXES = ("/v1/", "/inference/v1/v1/")
"""The second is where a client that was given the inference address as the host ends up."""

Authenticate = Callable[[str | None], Awaitable[Principal]]
Method = Callable[[Context], Awaitable[Mapping[str, Any]]]

log = logging.getLogger(__name__)

_COLLECTION_METHODS = {"GET": (Verb.LIST, methods.list_rows), "POST": (Verb.CREATE, methods.create)}
_ITEM_METHODS = {
    "GET": (Verb.GET, methods.get),
    "PATCH": (Verb.UPDATE, methods.update),
    "DELETE": (Verb.DELETE, methods.delete),
}


@dataclass(frozen=True, slots=True)
class Target:
    """What a path means."""

    resource: type[Resource]
    parent: str
    account: str
    name: str
    """Empty for the collection itself."""
    verb: str
    """Custom verb; empty for a standard method."""

    @property
    def on(self) -> str:
        return "item" if self.name else "collection"


class ResourceRoute(BaseRoute):
    """All resources of the catalog as one route of a Starlette application."""

    def __init__(self, store: Store, settings: Settings, authenticate: Authenticate) -> None:
        self._store = store
        self._settings = settings
        self._authenticate = authenticate
        self._table = patterns()

    # --- starlette ---------------------------------------------------------------------------------

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] == "http" and resource_path(scope["path"]) is not None:
            return Match.FULL, {}
        return Match.NONE, {}

    def url_path_for(self, name: str, /, **path_params: Any) -> Any:
        raise NoMatchFound(name, path_params)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except SparrelError as error:
            return await send_json(send, error.http_status, error.status_body(), error.headers())
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            fault = Internal("the platform failed to answer; its log says why")
            return await send_json(send, fault.http_status, fault.status_body())
        if isinstance(answer, Response):
            return await answer(scope, receive, send)
        await send_json(send, 200, answer)

    # --- the request -------------------------------------------------------------------------------

    async def _answer(self, scope: Scope, receive: Receive) -> Mapping[str, Any] | Response:
        method = scope["method"]
        target = self._target(scope["path"])
        call = self._method(target, method)
        principal = await self._authenticate(api_key(scope["headers"]))
        body = wire.parse_object(await read_body(receive)) if method != "GET" else {}
        context = Context(
            resource=target.resource,
            store=self._store,
            settings=self._settings,
            principal=principal,
            account=target.account,
            parent=target.parent,
            params=Params(_query(scope["query_string"])),
            body=body,
            name=target.name,
            base_url=base_url(scope),
        )
        return await call(context)

    def _target(self, path: str) -> Target:
        segments = (resource_path(path) or "").split("/")
        segments[-1], _, verb = segments[-1].partition(":")
        resource = self._table.get(tuple(segments[::2]))
        if resource is None:
            raise NotFound(f'path "{path}" not found')
        if any(not segment for segment in segments):
            raise InvalidArgument("invalid id: id must be at least 1 character long", param="id")
        if len(segments) > 1:
            segments[1] = names.canonical_account(segments[1])
        is_item = len(segments) % 2 == 0
        return Target(
            resource=resource,
            parent="/".join(segments[: -2 if is_item else -1]),
            account=segments[1] if len(segments) > 1 else "",
            name="/".join(segments) if is_item else "",
            verb=verb,
        )

    def _method(self, target: Target, method: str) -> Method:
        """Return what answers; MethodNotAllowed when the path exists with other verbs only."""
        if target.verb:
            return _custom(target, method)
        table = _ITEM_METHODS if target.name else _COLLECTION_METHODS
        offered = {name: call for name, (verb, call) in table.items() if target.resource.spec.offers(verb)}
        if method in offered:
            return offered[method]
        if not offered:
            raise NotFound("there is no such path")
        raise MethodNotAllowed(f"{method} is not supported here; use {' or '.join(offered)}")


def patterns() -> dict[tuple[str, ...], type[Resource]]:
    """Return the resources by the collections in their paths."""
    table: dict[tuple[str, ...], type[Resource]] = {}
    for resource in catalog().values():
        spec = resource.spec
        for parents in (spec.parents, *spec.also_under):
            table[(*parents, spec.collection)] = resource
    return table


def _custom(target: Target, method: str) -> Method:
    handler = find_verb(target.resource, target.on, target.verb, method)
    if handler is None:
        offered = verb_methods(target.resource, target.on, target.verb)
        if not offered:
            raise NotFound(f'there is no method ":{target.verb}" here')
        raise MethodNotAllowed(f"{method} is not supported here; use {' or '.join(offered)}")

    async def call(context: Context) -> Mapping[str, Any]:
        if context.name:
            context.row = await methods.load(context)
        if handler.writes:
            methods.check_writer(context)
        answer = await handler.function(context)
        return answer.to_document() if isinstance(answer, Message) else answer

    return call


def resource_path(path: str) -> str | None:
    """Return the part of a path that names resources, `accounts/a/models`; None for other paths."""
    for prefix in PREFIXES:
        rest = path[len(prefix) :]
        if path.startswith(prefix) and (rest == "accounts" or rest.startswith(("accounts/", "accounts:"))):
            return rest
    return None


def api_key(headers: list[tuple[bytes, bytes]]) -> str | None:
    """Return the key in `Authorization: Bearer` or `X-Api-Key`."""
    found = None
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip().decode("latin-1")
        if name == b"x-api-key":
            found = value.strip().decode("latin-1")
    return found


def base_url(scope: Scope) -> str:
    """Return scheme and host as the caller wrote them."""
    headers = dict(scope["headers"])
    host = headers.get(b"host", b"").decode("latin-1")
    scheme = headers.get(b"x-forwarded-proto", scope.get("scheme", "http").encode()).decode("latin-1")
    return f"{scheme}://{host}"


def _query(raw: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")) if raw else {}
    except UnicodeDecodeError:
        raise InvalidArgument("the query string is not valid UTF-8") from None


async def read_body(receive: Receive) -> bytes:
    """Return the whole body; PayloadTooLarge before it fills the memory.

    What is too large is still read for a while: a client that is cut off while sending never sees why.
    """
    chunks: list[bytes] = []
    size, more = 0, True
    while more and size <= MAX_DRAINED_BYTES:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise InvalidArgument("the client went away before its request was complete")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY_BYTES:
            chunks.append(chunk)
        more = message.get("more_body", False)
    if size > MAX_BODY_BYTES:
        raise PayloadTooLarge(f"the request body is larger than {MAX_BODY_BYTES} bytes")
    return b"".join(chunks)


async def send_json(send: Send, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
    """Answer with exactly `Content-Type: application/json`: one client compares the whole header."""
    payload = wire.dump(body)
    raw = [(b"content-type", b"application/json"), (b"content-length", str(len(payload)).encode())]
    for name, value in (headers or {}).items():
        raw.append((name.lower().encode("latin-1"), value.encode("latin-1")))
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": payload})
