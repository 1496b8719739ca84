"""Expiring signed URLs: whoever holds one may read or write one file, without an API key."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from sparrel import errors


class Signer:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def load(cls, path: Path) -> Signer:
        """Read the installation's signing key, making one at first use; two processes get the same."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, secrets.token_bytes(32))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        try:
            os.link(draft, path)  # fails when another process was first: its key is then everybody's
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return cls(path.read_bytes())

    def sign(self, method: str, path: str, *, valid_s: float, size: int | None = None) -> str:
        """Return `path?query` that `verify` accepts for `method` during `valid_s` seconds."""
        query = {"expires": str(int(time.time() + valid_s))}
        if size is not None:
            query["size"] = str(size)
        query["signature"] = self._signature(method, path, query)
        return f"{quote(path)}?{urlencode(query)}"

    def verify(self, method: str, path: str, query: Mapping[str, str]) -> int | None:
        """Return the signed size of a URL; raise PermissionDenied when it is forged or has expired."""
        signed = {name: query[name] for name in ("expires", "size") if name in query}
        expected = self._signature(method, path, signed)
        if not hmac.compare_digest(expected.encode(), query.get("signature", "").encode()):
            raise errors.PermissionDenied(
                "the URL's signature does not match: use the URL exactly as it was given"
            )
        if int(signed["expires"]) < time.time():
            raise errors.PermissionDenied("the URL has expired: ask for a new one")
        return int(signed["size"]) if "size" in signed else None

    def _signature(self, method: str, path: str, query: Mapping[str, str]) -> str:
        text = "\n".join((method, path, query.get("expires", ""), query.get("size", "")))
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
