"""Page tokens: where the last page ended, bound to the request that it belongs to.

Lists go on after the last row seen (keyset), so a page costs the same wherever it is, and rows written
meanwhile neither repeat nor push others out.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from sparrel.errors import InvalidArgument


def fingerprint(parameters: Mapping[str, Any]) -> str:
    """Return a short hash of every parameter that must not change between pages."""
    canonical = orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2s(canonical, digest_size=9).hexdigest()


def encode_token(cursor: tuple[Any, ...] | None, request: str) -> str:
    """Return the token for the page after `cursor`; empty when there is none."""
    if cursor is None:
        return ""
    return base64.urlsafe_b64encode(orjson.dumps([request, *cursor])).decode().rstrip("=")


def decode_token(token: str, request: str) -> tuple[Any, ...] | None:
    """Return the cursor in a token; None for no token. Raise InvalidArgument."""
    if not token:
        return None
    try:
        padded = token + "=" * (-len(token) % 4)
        bound_to, *cursor = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        raise InvalidArgument("pageToken is not one that this service gave out", param="pageToken") from None
    if bound_to != request or not all(isinstance(value, str | int | float) for value in cursor):
        raise InvalidArgument(
            "pageToken belongs to a request with other parameters; repeat them or start anew",
            param="pageToken",
        )
    return tuple(cursor)


def page_size(asked: int, default: int, largest: int) -> int:
    """Return the number of rows on a page: too large is coerced, none or negative is the default."""
    return default if asked <= 0 else min(asked, largest)
