"""Custom verbs: methods beyond create, get, list, update and delete.

    @custom_verb(Model, "getUploadEndpoint")
    async def get_upload_endpoint(ctx: Context) -> dict[str, Any]:
        row = ctx.require_row()
        ...

It answers at `POST /v1/accounts/{a}/models/{m}:getUploadEndpoint`. The caller has been authenticated, the
row loaded, and the right to change it checked (for GET: the right to read it). The function returns the
response's JSON object, a Message or a Starlette response.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from sparrel.kernel.context import Context
from sparrel.kernel.resource import CustomVerb, Resource

VerbFunction = Callable[[Context], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerbHandler:
    declaration: CustomVerb
    function: VerbFunction
    writes: bool
    """Whether only the account's own users may call it."""


Key = tuple[type[Resource], str, str, str]

_HANDLERS: dict[Key, VerbHandler] = {}


def custom_verb(
    resource: type[Resource],
    name: str,
    *,
    method: str | tuple[str, ...] = "POST",
    on: Literal["item", "collection"] = "item",
    writes: bool | None = None,
    doc: str = "",
) -> Callable[[VerbFunction], VerbFunction]:
    """Register the decorated function as `:name` of a resource, for one HTTP method or several."""

    def register(function: VerbFunction) -> VerbFunction:
        for one in (method,) if isinstance(method, str) else method:
            declaration = declared_verb(resource, name, one, on) or CustomVerb(
                name=name,
                method=one,  # type: ignore[arg-type]
                on=on,
                doc=doc or (function.__doc__ or "").strip(),
            )
            _HANDLERS[resource, on, name, one] = VerbHandler(
                declaration=declaration,
                function=function,
                writes=one != "GET" if writes is None else writes,
            )
        return function

    return register


def declared_verb(resource: type[Resource], name: str, method: str, on: str) -> CustomVerb | None:
    """Return the verb as the resource declares it."""
    for verb in resource.spec.custom:
        if (verb.name, verb.method, verb.on) == (name, method, on):
            return verb
    return None


def find_verb(resource: type[Resource], on: str, name: str, method: str) -> VerbHandler | None:
    return _HANDLERS.get((resource, on, name, method))


def verb_methods(resource: type[Resource], on: str, name: str) -> tuple[str, ...]:
    """Return the HTTP methods that a verb answers to."""
    return tuple(m for (r, o, n, m) in _HANDLERS if (r, o, n) == (resource, on, name))


def verbs_of(resource: type[Resource]) -> tuple[VerbHandler, ...]:
    return tuple(handler for key, handler in _HANDLERS.items() if key[0] is resource)
