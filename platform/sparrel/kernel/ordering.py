"""`orderBy`: `create_time desc, display_name` to sort keys."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from sparrel.errors import InvalidArgument
from sparrel.kernel.fields import Kind
from sparrel.kernel.filtering import Operand, operand
from sparrel.kernel.resource import Resource

MAX_KEYS = 8
_UNSORTABLE = (Kind.MESSAGE, Kind.LIST, Kind.MAP)

# The contract's own documents spell it so for some collections.
_SPELLINGS = {"created_time": "create_time", "createdTime": "createTime"}


@dataclass(frozen=True, slots=True)
class OrderKey:
    operand: Operand
    descending: bool = False


@lru_cache(maxsize=1024)
def parse_order(resource: type[Resource], text: str) -> tuple[OrderKey, ...]:
    """Return the sort keys; the collection's default when the text is empty. Raise InvalidArgument."""
    spec = resource.spec
    text = (text if spec.order_by else "").strip() or spec.default_order
    if text == "name":
        return ()
    keys = tuple(_key(resource, part.strip()) for part in text.split(","))
    if len(keys) > MAX_KEYS:
        raise InvalidArgument(f"orderBy has more than {MAX_KEYS} fields", param="orderBy")
    return keys


def _key(resource: type[Resource], part: str) -> OrderKey:
    words = part.split()
    if not 1 <= len(words) <= 2 or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
        raise InvalidArgument(f'orderBy: {part!r} is not "field" or "field desc"', param="orderBy")
    target = operand(resource, tuple(_SPELLINGS.get(words[0], words[0]).split(".")))
    if target.kind in _UNSORTABLE:
        raise InvalidArgument(f"orderBy: {words[0]} cannot be ordered by", param="orderBy")
    return OrderKey(target, descending=words[-1].lower() == "desc" and len(words) == 2)
