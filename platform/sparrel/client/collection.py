"""The methods of one resource, derived from its declaration: the standard ones and its own verbs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sparrel.errors import FailedPrecondition, InvalidArgument, NotFound, SparrelError, Unimplemented
from sparrel.kernel.fields import FieldSpec, Kind, Message
from sparrel.kernel.resource import CustomVerb, Resource, Verb, Wrapped, fields_by_any_name

if TYPE_CHECKING:
    from sparrel.client.aio import AsyncClient

Document = dict[str, Any]
Progress = Callable[[Document], None]

POLL_S = 1.0
DONE = frozenset({"READY", "DEPLOYED", "COMPLETED", "JOB_STATE_COMPLETED"})
FAILED = frozenset({"FAILED", "DELETED", "DELETING", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"})
EMPTY_ID = "invalid id: id must be at least 1 character long"


class Collection:
    """One collection in one account; resources are addressed by full name or bare id."""

    def __init__(self, client: AsyncClient, resource: type[Resource], *, parent: str | None = None) -> None:
        self._client = client
        self._resource = resource
        self._parent = parent
        self.spec = resource.spec

    # --- standard methods --------------------------------------------------------------------------

    async def create(self, body: Mapping[str, Any] | None = None, *, id: str = "", **params: Any) -> Document:
        """Create one from its fields (either case); `params` are the resource's own create parameters."""
        path, query, sent = await self.create_request(body or {}, id=id, **params)
        return await self._client.request("POST", path, query=query, body=sent)

    async def get(self, name: str, *, read_mask: str = "") -> Document:
        self._require(Verb.GET)
        return await self._client.request("GET", await self.path(name), query={"readMask": read_mask})

    async def list(
        self,
        *,
        filter: str = "",
        order_by: str = "",
        page_size: int | None = None,
        page_token: str = "",
        **params: Any,
    ) -> AsyncIterator[Document]:
        """Yield every match, page after page."""
        query = {"filter": filter, "order_by": order_by, "page_size": page_size, **params}
        while True:
            page = await self.page(page_token=page_token, **query)
            for document in page[self.spec.plural_key]:
                yield document
            page_token = page.get("nextPageToken") or ""
            if not page_token:
                return

    async def page(self, **query: Any) -> Document:
        """Return one page as the server answers it, with `nextPageToken` and `totalSize`."""
        self._require(Verb.LIST)
        return await self._client.request("GET", await self.collection_path(), query=_camel(query))

    async def update(
        self, name: str, body: Mapping[str, Any], *, mask: str | Sequence[str] | None = None, **params: Any
    ) -> Document:
        """Change the given fields, or exactly those of `mask`: one absent from the body is cleared."""
        path, query, sent = await self.update_request(name, body, mask=mask, **params)
        return await self._client.request("PATCH", path, query=query, body=sent)

    async def delete(self, name: str, **params: Any) -> None:
        method, path, query, body = await self.delete_request(name, **params)
        await self._client.request(method, path, query=query, body=body)

    # --- verbs of its own --------------------------------------------------------------------------

    async def call(self, verb: str, name: str = "", **arguments: Any) -> Document:
        """Call `:verb`; arguments that are the verb's parameters go into the query, others into the body."""
        method, path, query, body = await self.verb_request(verb, name, **arguments)
        return await self._client.request(method, path, query=query, body=body)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Offer each declared verb as a method, `deployments.undelete(name)`."""
        verb = self._verb(name) if not name.startswith("_") else None
        if verb is None:
            raise AttributeError(f"{self.spec.collection} has no method {name!r}")

        async def call(*args: str, **arguments: Any) -> Document:
            return await self.call(verb.name, *args, **arguments)

        return call

    # --- waiting -----------------------------------------------------------------------------------

    async def wait(
        self, name: str, *, progress: Progress | None = None, timeout_s: float | None = None
    ) -> Document:
        """Poll until the resource is ready and return it; raise what its status says when it fails."""
        async with asyncio.timeout(timeout_s):
            while True:
                document = await self.get(name)
                if progress is not None:
                    progress(document)
                if document.get("state") in DONE:
                    return document
                if problem := _failure(document):
                    raise problem
                await self._client.sleep(POLL_S)

    async def wait_gone(self, name: str) -> None:
        """Poll until the resource no longer exists."""
        while True:
            try:
                if (await self.get(name)).get("state") == "DELETED":
                    return
            except NotFound:
                return
            await self._client.sleep(POLL_S)

    # --- requests, also for `--dry-run` ------------------------------------------------------------

    async def create_request(
        self, body: Mapping[str, Any], *, id: str = "", **params: Any
    ) -> tuple[str, Document, Document]:
        """Return path, query and body of a create."""
        self._require(Verb.CREATE)
        form, extra = self.spec.create, _camel(params)
        path = await self.collection_path()
        if isinstance(form, Wrapped):
            own = {form.id_key: id} if form.id_key else {}
            return path, {}, {self.spec.singular: dict(body), **own, **extra}
        if id and not form.id_query:
            raise InvalidArgument(f"the server chooses the id of a {self.spec.singular}")
        return path, ({form.id_query: id} if id else {}) | extra, dict(body)

    async def update_request(
        self, name: str, body: Mapping[str, Any], *, mask: str | Sequence[str] | None = None, **params: Any
    ) -> tuple[str, Document, Document]:
        """Return path, query and body of an update."""
        self._require(Verb.UPDATE)
        given = _leaves(self._resource, body) if mask is None else [mask] if isinstance(mask, str) else mask
        return await self.path(name), {"updateMask": ",".join(given)} | _camel(params), dict(body)

    async def delete_request(self, name: str, **params: Any) -> tuple[str, str, Document, Document | None]:
        """Return method, path, query and body of a delete; API keys have a verb for it."""
        verb = self._verb("delete")
        if not self.spec.offers(Verb.DELETE) and verb is not None and verb.on == "collection":
            if not name:
                raise InvalidArgument(EMPTY_ID)
            return await self.verb_request("delete", **{self.spec.id_field: name.rpartition("/")[2]})
        self._require(Verb.DELETE)
        return "DELETE", await self.path(name), _camel(params), None

    async def verb_request(
        self, verb: str, name: str = "", **arguments: Any
    ) -> tuple[str, str, Document, Document | None]:
        """Return method, path, query and body of a custom verb."""
        declared = self._verb(verb)
        if declared is None:
            raise Unimplemented(f"{self.spec.collection} has no method {verb!r}")
        base = await (self.path(name) if declared.on == "item" else self.collection_path())
        given, names = _camel(arguments), {param.name for param in declared.params}
        query = {key: value for key, value in given.items() if key in names}
        body = {key: value for key, value in given.items() if key not in names}
        return declared.method, f"{base}:{declared.name}", query, None if declared.method == "GET" else body

    async def collection_path(self) -> str:
        if not self.spec.parents:
            return f"/v1/{self.spec.collection}"
        parent = self._parent or f"accounts/{await self._client.account_id()}"
        return f"/v1/{parent}/{self.spec.collection}"

    async def path(self, name: str) -> str:
        """Return the path of one resource; refuse an empty id and another collection's name."""
        if not name or name.endswith("/"):
            raise InvalidArgument(EMPTY_ID)
        if "/" not in name:
            return f"{await self.collection_path()}/{name}"
        parts = name.strip("/").split("/")
        if len(parts) % 2 or parts[-2] != self.spec.collection:
            raise InvalidArgument(f"{name!r} is not the name of a {self.spec.singular}")
        return "/v1/" + "/".join(parts)

    def _verb(self, name: str) -> CustomVerb | None:
        wanted = name.replace("_", "").lower()
        return next((verb for verb in self.spec.custom if verb.name.lower() == wanted), None)

    def _require(self, verb: Verb) -> None:
        if not self.spec.offers(verb):
            raise Unimplemented(f"{self.spec.collection} cannot be used with {verb.value}")


def _failure(document: Document) -> Exception | None:
    """Return the error of a resource that will not become ready by itself."""
    state, status = document.get("state", ""), document.get("status") or {}
    broken = state in FAILED or (state == "STATE_UNSPECIFIED" and status.get("code", "OK") != "OK")
    if not broken:
        return None
    kinds = {kind.code: kind for kind in SparrelError.__subclasses__()}
    kind = kinds.get(status.get("code", ""), FailedPrecondition)
    return kind(status.get("message") or f"{document.get('name', 'the resource')} is {state}")


def _leaves(message: type[Message], body: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the paths of a body's values, so that a field beside one inside a message stays as it is."""
    fields: Mapping[str, FieldSpec] = fields_by_any_name(message)
    paths: list[str] = []
    for key, value in body.items():
        spec = fields.get(key)
        if (
            spec is not None
            and spec.kind is Kind.MESSAGE
            and spec.message
            and isinstance(value, Mapping)
            and value
        ):
            paths += _leaves(spec.message, value, f"{prefix}{spec.name}.")
        else:
            paths.append(prefix + (spec.name if spec else key))
    return paths


def _camel(values: Mapping[str, Any]) -> Document:
    def rename(key: str) -> str:
        head, *tail = key.split("_")
        return head + "".join(part[:1].upper() + part[1:] for part in tail)

    return {rename(key): value for key, value in values.items() if value is not None}
