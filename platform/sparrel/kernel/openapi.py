"""The OpenAPI document of every declared resource."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from sparrel import __version__
from sparrel.kernel.catalog import catalog
from sparrel.kernel.fields import Kind, Message
from sparrel.kernel.resource import CustomVerb, Param, Resource, Verb, Wrapped
from sparrel.kernel.verbs import verbs_of

_LIST_PARAMS = (
    Param(name="pageSize", kind=Kind.INT32, doc="Rows per page, at most 200."),
    Param(name="pageToken", doc="nextPageToken of the page before."),
    Param(name="filter", doc="AIP-160 filter."),
    Param(name="orderBy", doc="Fields to order by, as in `create_time desc`."),
)
_READ_MASK = Param(name="readMask", doc="Fields wanted; the others come back unset.")
_UPDATE_MASK = Param(name="updateMask", doc="Fields to change; not given: those in the body.")
_TYPES = {Kind.BOOL: "boolean", Kind.INT32: "integer", Kind.INT64: "integer", Kind.FLOAT: "number"}


def openapi_document() -> dict[str, Any]:
    """Return the document; it costs some milliseconds, so callers keep it."""
    declared = list(catalog().values())
    messages: list[type[Message]] = [*declared, *(m for r in declared for m in _verb_messages(r))]
    _, schema = models_json_schema(
        [(message, "serialization") for message in dict.fromkeys(messages)],
        ref_template="#/components/schemas/{model}",
    )
    paths: dict[str, dict[str, Any]] = {}
    for resource in declared:
        for path, method, operation in _operations(resource):
            paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Sparrel", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": {**schema.get("$defs", {}), "Error": _ERROR},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
            },
        },
        "security": [{"bearer": []}, {"key": []}],
    }


_ERROR = {
    "type": "object",
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "details": {"type": "array", "items": {"type": "object"}},
    },
}


def _verb_messages(resource: type[Resource]) -> Iterator[type[Message]]:
    for verb in resource.spec.custom:
        yield from (message for message in (verb.request, verb.response) if message not in (None, Message))


def _operations(resource: type[Resource]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for parents in (resource.spec.parents, *resource.spec.also_under):
        collection = "/v1/" + "/".join([*(f"{p}/{{{p[:-1]}Id}}" for p in parents), resource.spec.collection])
        item = f"{collection}/{{{resource.spec.singular}Id}}"
        for verb in (v for v in Verb if resource.spec.offers(v)):
            path = collection if verb in (Verb.LIST, Verb.CREATE) else item
            yield path, _METHODS[verb], _operation(resource, verb, path)
        for handler in verbs_of(resource):
            declared = handler.declaration
            path = f"{item if declared.on == 'item' else collection}:{declared.name}"
            yield path, declared.method.lower(), _custom_operation(resource, declared, path)


_METHODS = {
    Verb.CREATE: "post",
    Verb.GET: "get",
    Verb.LIST: "get",
    Verb.UPDATE: "patch",
    Verb.DELETE: "delete",
}


def _operation(resource: type[Resource], verb: Verb, path: str) -> dict[str, Any]:
    spec = resource.spec
    schema = {"$ref": f"#/components/schemas/{resource.__name__}"}
    params: tuple[Param, ...] = ()
    body: dict[str, Any] | None = None
    answer: dict[str, Any] = schema
    if verb is Verb.LIST:
        params, answer = (*_LIST_PARAMS, _READ_MASK, *spec.list_params), _list_schema(spec.plural_key, schema)
    elif verb is Verb.GET:
        params = (_READ_MASK,)
    elif verb is Verb.UPDATE:
        params, body = (_UPDATE_MASK, *spec.update_params), schema
    elif verb is Verb.DELETE:
        params, answer = spec.delete_params, {"type": "object"}
    else:
        params, body = _create_form(resource, schema)
    title = f"{verb.value.capitalize()}{spec.title}" + ("s" if verb is Verb.LIST else "")
    return _describe(title, path, params, body, answer, (resource.__doc__ or "").strip())


def _create_form(
    resource: type[Resource], schema: dict[str, Any]
) -> tuple[tuple[Param, ...], dict[str, Any]]:
    form = resource.spec.create
    if isinstance(form, Wrapped):
        keys = {param.name: _param_schema(param) for param in form.params}
        id_key = {form.id_key: {"type": "string"}} if form.id_key else {}
        return (), {"type": "object", "properties": {resource.spec.singular: schema, **id_key, **keys}}
    own = (Param(name=form.id_query, doc="Id of the new resource."),) if form.id_query else ()
    return (*own, *form.params), schema


def _custom_operation(resource: type[Resource], verb: CustomVerb, path: str) -> dict[str, Any]:
    body = _reference(verb.request) if verb.method != "GET" else None
    answer = _reference(resource if verb.returns_resource else verb.response)
    title = verb.name[0].upper() + verb.name[1:] + resource.spec.title
    return _describe(title, path, verb.params, body, answer, verb.doc)


def _reference(message: type[Message] | None) -> dict[str, Any]:
    if message is None or message is Message:
        return {"type": "object"}
    return {"$ref": f"#/components/schemas/{message.__name__}"}


def _list_schema(key: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            key: {"type": "array", "items": item},
            "nextPageToken": {"type": "string"},
            "totalSize": {"type": "integer"},
        },
    }


def _describe(
    title: str,
    path: str,
    params: tuple[Param, ...],
    body: dict[str, Any] | None,
    answer: dict[str, Any],
    doc: str,
) -> dict[str, Any]:
    in_path = [part.split("}")[0] for part in path.split("{")[1:]]
    operation: dict[str, Any] = {
        "operationId": title + ("" if path.count("{") < 3 or ":" in path else "Of" + in_path[1]),
        "description": doc,
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in in_path
            ),
            *(
                {"name": p.name, "in": "query", "description": p.doc, "schema": _param_schema(p)}
                for p in params
            ),
        ],
        "responses": {
            "200": _content("The answer.", answer),
            "default": _content("An error.", {"$ref": "#/components/schemas/Error"}),
        },
    }
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": body}}}
    return operation


def _content(text: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _param_schema(param: Param) -> dict[str, Any]:
    return {"type": _TYPES.get(param.kind, "string")}
