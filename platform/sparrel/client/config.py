"""Which platform to talk to, and as whom.

Each value comes from the first that has it: an argument, `SPARREL_BASE_URL` / `SPARREL_API_KEY` /
`SPARREL_ACCOUNT_ID`, the auth file, and last the platform that `sparrel up` started on this machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sparrel.client import auth_file
from sparrel.errors import InvalidArgument
from sparrel.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientConfig:
    base_url: str
    """Scheme and host, without a path."""
    api_key: str
    """Empty: none was found."""
    account_id: str | None
    """None: the account that the key belongs to; the server is asked."""

    @classmethod
    def resolve(
        cls,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        account_id: str | None = None,
        env: Mapping[str, str] = os.environ,
    ) -> ClientConfig:
        """Find each value in the order that the module's docstring gives."""
        settings = Settings.from_env(env)
        stored = auth_file.read(settings.home / auth_file.NAME)
        return cls(
            base_url=_host(
                base_url or env.get("SPARREL_BASE_URL") or stored.get("base_url") or local_base_url(settings)
            ),
            api_key=api_key or env.get("SPARREL_API_KEY") or stored.get("api_key") or _local_key(settings),
            account_id=account_id
            if account_id is not None
            else env.get("SPARREL_ACCOUNT_ID") or stored.get("account_id") or None,
        )


def local_base_url(settings: Settings) -> str:
    """Return where the platform of this home folder listens, running or not."""
    try:
        record = json.loads((settings.run_dir / "platform.json").read_text())
        return str(record.get("base_url") or settings.base_url)
    except (OSError, ValueError, AttributeError):
        return settings.base_url


def _local_key(settings: Settings) -> str:
    return _text(settings.run_dir / "api_key")


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _host(url: str) -> str:
    """Return the host's URL, also when given one of the inference API's, which ends in a path."""
    trimmed = url.strip().rstrip("/").removesuffix("/inference/v1").removesuffix("/v1")
    if not trimmed.startswith(("http://", "https://")):
        raise InvalidArgument(f"the base URL must start with http:// or https://, not {url!r}")
    return trimmed
