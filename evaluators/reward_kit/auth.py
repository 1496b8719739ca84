"""
Who calls, and which server is called.

Each value is looked up in the environment first, then in the file `~/.fireworks/auth.ini`:

    [fireworks]
    api_key = ...
    account_id = ...
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from .errors import AuthenticationError

__all__ = [
    "Authentication",
    "get_authentication",
    "get_fireworks_account_id",
    "get_fireworks_api_base",
    "get_fireworks_api_key",
]

DEFAULT_API_BASE = "https://api.fireworks.ai"


class Authentication(NamedTuple):
    """The account and the key to act with, unpackable as a pair."""

    account_id: str
    api_key: str

    def __repr__(self) -> str:
        return f"Authentication(account_id={self.account_id!r}, api_key='***')"


def get_authentication(account_id: str | None = None, api_key: str | None = None) -> Authentication:
    """
    Find the account and the API key, preferring what is given.

        account_id, api_key = get_authentication()
    """
    api_key = api_key or get_fireworks_api_key()
    if not api_key:
        raise AuthenticationError(
            "no API key found: set FIREWORKS_API_KEY, or write `api_key = ...` to ~/.fireworks/auth.ini"
        )
    account_id = account_id or get_fireworks_account_id()
    if not account_id:
        raise AuthenticationError(
            "no account found: set FIREWORKS_ACCOUNT_ID, or write `account_id = ...` to ~/.fireworks/auth.ini"
        )
    return Authentication(account_id, api_key)


def get_fireworks_api_key() -> str | None:
    """Return the API key, or None."""
    return _environment("FIREWORKS_API_KEY", "SPARREL_API_KEY") or _from_file("api_key")


def get_fireworks_account_id() -> str | None:
    """Return the account id, or None."""
    return _environment("FIREWORKS_ACCOUNT_ID", "SPARREL_ACCOUNT_ID") or _from_file("account_id")


def get_fireworks_api_base() -> str:
    """Return the address of the server, without a trailing slash."""
    base = _environment("SPARREL_BASE_URL", "FIREWORKS_API_BASE") or DEFAULT_API_BASE
    # Inference clients give FIREWORKS_API_BASE another meaning, the inference root below the host.
    return base.rstrip("/").removesuffix("/inference/v1")


def _environment(*names: str) -> str | None:
    return next((value for name in names if (value := os.environ.get(name, "").strip())), None)


def _from_file(key: str) -> str | None:
    path = Path.home() / ".fireworks" / "auth.ini"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, RuntimeError):
        return None
    # The file may lack its section header, which configparser would refuse.
    for line in lines:
        name, separator, value = line.partition("=")
        if separator and name.strip() == key and not line.lstrip().startswith(("#", ";")):
            return value.strip().strip("\"'") or None
    return None
