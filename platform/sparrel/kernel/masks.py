"""Field masks: which part of a resource a PATCH changes, and which part a reader wants."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sparrel.errors import InvalidArgument
from sparrel.kernel.fields import Kind, Message
from sparrel.kernel.resource import Resource, fields_by_any_name, find_field, zero_document

Path = tuple[str, ...]


def parse_mask(resource: type[Resource], text: str, *, param: str) -> tuple[Path, ...]:
    """Return the wire paths of a comma-separated mask in either case; raise InvalidArgument."""
    return tuple(_path(resource, part.strip(), param) for part in text.split(",") if part.strip())


def _path(resource: type[Resource], text: str, param: str) -> Path:
    parts = tuple(text.split("."))
    fields = find_field(resource, parts)
    if not fields:
        raise InvalidArgument(f'{param}: unknown field "{text}" of {resource.spec.singular}', param=param)
    return tuple(field.wire for field in fields) + parts[len(fields) :]


def update_mask(resource: type[Resource], text: str, body: Mapping[str, Any]) -> tuple[Path, ...]:
    """Return what a PATCH changes: its mask, `*` for everything, else the keys present in the body.

    A message without a mask is merged field by field; lists and maps are replaced whole.
    """
    if text.strip() == "*":
        return tuple((spec.wire,) for spec in resource.fields().values() if not spec.output_only)
    if text.strip():
        return parse_mask(resource, text, param="updateMask")
    return tuple(_leaves(resource, body))


def _leaves(message: type[Message], body: Mapping[str, Any]) -> list[Path]:
    fields = fields_by_any_name(message)
    found: list[Path] = []
    for key, value in body.items():
        spec = fields.get(key)
        if spec is None:
            continue
        below = _leaves(spec.message, value) if _is_message(spec.kind, value) and spec.message else []
        found += [(spec.wire, *path) for path in below] or [(spec.wire,)]
    return found


def _is_message(kind: Kind, value: Any) -> bool:
    return kind is Kind.MESSAGE and isinstance(value, Mapping)


def apply_update(
    resource: type[Resource], stored: Mapping[str, Any], sent: Mapping[str, Any], paths: tuple[Path, ...]
) -> dict[str, Any]:
    """Return the stored document with exactly `paths` taken from the one sent."""
    updated = copy.deepcopy(dict(stored))
    for path in paths:
        _copy_path(resource, updated, sent, path)
    return updated


def _copy_path(message: type[Message], target: dict[str, Any], sent: Mapping[str, Any], path: Path) -> None:
    head, *rest = path
    spec = fields_by_any_name(message)[head]
    zero = zero_document(message)[head]
    value = sent.get(head, zero)
    if not rest:
        target[head] = copy.deepcopy(value)
    elif spec.kind is Kind.MAP:
        entries = dict(target.get(head) or {})
        entries.pop(rest[0], None)
        target[head] = entries | ({rest[0]: value[rest[0]]} if rest[0] in (value or {}) else {})
    else:
        assert spec.message is not None
        if target.get(head) is None:
            target[head] = dict(zero_document(spec.message))
        _copy_path(spec.message, target[head], value or {}, tuple(rest))


def read_mask(resource: type[Resource], text: str) -> tuple[Path, ...] | None:
    """Return the paths that a reader wants; None for everything."""
    if text.strip() in ("", "*"):
        return None
    return parse_mask(resource, text, param="readMask")


def mask_document(
    resource: type[Resource], document: Mapping[str, Any], paths: tuple[Path, ...] | None
) -> Mapping[str, Any]:
    """Return the document with every field outside the mask at its zero value."""
    if paths is None:
        return document
    return apply_update(resource, zero_document(resource), document, paths)
