"""JSON in and out: bodies to typed messages, stored documents to responses."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError

from sparrel.errors import InvalidArgument
from sparrel.kernel import names
from sparrel.kernel.fields import Kind, Message
from sparrel.kernel.resource import fields_by_any_name, zero_document

M = TypeVar("M", bound=Message)


def dump(document: Any) -> bytes:
    return orjson.dumps(document)


def parse_object(body: bytes) -> dict[str, Any]:
    """Read a request body; an empty one is an empty object. Raise InvalidArgument."""
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidArgument(f"the request body is not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InvalidArgument("the request body must be a JSON object")
    return value


def read(message: type[M], value: Any, *, what: str) -> M:
    """Validate a JSON value as a message; raise InvalidArgument naming the fields at fault."""
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"{what} must be a JSON object", param=what)
    try:
        return message.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        paths = [".".join(str(part) for part in problem["loc"]) for problem in problems]
        text = "; ".join(
            f"{path}: {_reason(problem['msg'])}" for path, problem in zip(paths, problems, strict=True)
        )
        raise InvalidArgument(f"invalid {what}: {text}", param=paths[0] if paths else what) from None


def _reason(text: str) -> str:
    return text.removeprefix("Value error, ")


def complete(message: type[Message], document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stored document with the fields that did not exist when it was written."""
    completed = {**zero_document(message), **document}
    for key, nested in _messages(message):
        value = completed[key]
        if value is not None:
            completed[key] = complete(nested, value)
    return completed


@cache
def _messages(message: type[Message]) -> tuple[tuple[str, type[Message]], ...]:
    """Return the fields that are messages themselves."""
    fields = message.fields().values()
    return tuple((f.wire, f.message) for f in fields if f.kind is Kind.MESSAGE and f.message is not None)


def get_path(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return the value at a wire path; None when a part is unset."""
    value: Any = document
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def drop_server_fields(message: type[Message], document: dict[str, Any]) -> dict[str, Any]:
    """Reset, in place, what a caller may not set; return the input-only values, removed as well."""
    zero = zero_document(message)
    secrets: dict[str, Any] = {}
    for spec in message.fields().values():
        if spec.output_only:
            document[spec.wire] = zero[spec.wire]
        elif spec.input_only:
            secrets[spec.wire] = document[spec.wire]
            document[spec.wire] = zero[spec.wire]
        elif spec.kind is Kind.MESSAGE and spec.message and document[spec.wire] is not None:
            drop_server_fields(spec.message, document[spec.wire])
    return secrets


def complete_references(message: type[Message], document: dict[str, Any], account: str) -> None:
    """Replace, in place, bare ids in reference fields by full names."""
    for spec in message.fields().values():
        value = document[spec.wire]
        if spec.ref and isinstance(value, str) and value:
            document[spec.wire] = names.complete(value, spec.ref, account, field=spec.wire)
        elif spec.kind is Kind.MESSAGE and spec.message and value is not None:
            complete_references(spec.message, value, account)


def missing_fields(message: type[Message], document: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the wire paths of required fields that are still unset."""
    zero = zero_document(message)
    missing: list[str] = []
    for spec in message.fields().values():
        value = document[spec.wire]
        if spec.required and value == zero[spec.wire]:
            missing.append(prefix + spec.wire)
        elif spec.kind is Kind.MESSAGE and spec.message and value is not None and not spec.output_only:
            missing += missing_fields(spec.message, value, f"{prefix}{spec.wire}.")
    return missing


def known_keys(message: type[Message], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body's entries that the message has, under their wire names."""
    fields = fields_by_any_name(message)
    return {fields[key].wire: value for key, value in body.items() if key in fields}
