"""Resource names: `accounts/{account}/{collection}/{id}`, written in full or as a bare id."""

from __future__ import annotations

import re
import secrets
import uuid

from sparrel.errors import InvalidArgument
from sparrel.kernel.resource import IdRule, IdStyle
from sparrel.settings import ACCOUNT_ALIASES, PLATFORM_ACCOUNT

_SEGMENT = re.compile(r"[A-Za-z0-9_.@-]{1,255}")


def canonical_account(account: str) -> str:
    """Return the account id that an alias stands for."""
    return ACCOUNT_ALIASES.get(account, account)


def canonical_name(name: str) -> str:
    """Return a full name with its account's alias resolved; anything else unchanged."""
    if not name.startswith("accounts/"):
        return name
    head, account, *rest = name.split("/", 2)
    return "/".join([head, canonical_account(account), *rest])


def account_of(name: str) -> str:
    """Return the account id in a full name."""
    return name.split("/", 2)[1]


def id_of(name: str) -> str:
    return name.rsplit("/", 1)[1]


def join(parent: str, collection: str, resource_id: str) -> str:
    return f"{parent}/{collection}/{resource_id}" if parent else f"{collection}/{resource_id}"


def complete(value: str, collection: str, account: str, *, field: str = "name") -> str:
    """Return the full name that `value`, a name or a bare id, means in a request for `account`."""
    name = canonical_name(value) if "/" in value else f"accounts/{account}/{collection}/{value}"
    parts = name.split("/")
    if len(parts) % 2 or parts[0] != "accounts" or parts[-2] != collection or not _all_segments(parts):
        raise InvalidArgument(
            f"{field}: {value!r} is not a name such as accounts/{account}/{collection}/my-id", param=field
        )
    return name


def _all_segments(parts: list[str]) -> bool:
    return all(_SEGMENT.fullmatch(part) for part in parts)


def same_resource(value: str, stored: str, collection: str, account: str) -> bool:
    """Whether `value`, as a caller wrote it, means the resource called `stored`."""
    if "/" in value:
        return canonical_name(value) == stored
    return stored in (f"accounts/{owner}/{collection}/{value}" for owner in (account, PLATFORM_ACCOUNT))


def check_id(resource_id: str, rule: IdRule) -> None:
    """Raise InvalidArgument for an id that a caller may not choose."""
    if not resource_id:
        raise InvalidArgument("invalid id: id must be at least 1 character long", param="id")
    if not rule.matches(resource_id):
        raise InvalidArgument(f"invalid id {resource_id[:80]!r}: id {rule.text}", param="id")


def generate_id(rule: IdRule) -> str:
    """Make an id; rules with a style of their own do it themselves."""
    if rule.style is IdStyle.UUID:
        return str(uuid.uuid4())
    return secrets.token_hex(4)
