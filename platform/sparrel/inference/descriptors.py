"""Open files: every connection is one, and the usual limit is made for programs with few."""

from __future__ import annotations

import resource
from contextlib import suppress


def raise_limit() -> int:
    """Raise this process's limit as far as it may go and return it."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now < most:
        # Some systems report a maximum that they do not grant.
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
