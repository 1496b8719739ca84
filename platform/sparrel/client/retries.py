"""When a request is sent again, and after how long."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

STATUSES = frozenset({408, 429, 500, 502, 503, 504})
SAFE_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE"})


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter; the server's `Retry-After` wins."""

    attempts: int = 4
    """Tries in all."""
    base_s: float = 0.25
    max_s: float = 8.0
    max_retry_after_s: float = 60.0
    """A server that asks for more than this gets an error instead of a wait."""

    def may_repeat(self, method: str, status: int | None, *, arrived: bool) -> bool:
        """Whether sending again can help and cannot do the same thing twice.

        `status` None: there was no answer. What did not arrive, and what 429 or 503 refused, was not done;
        after anything else only methods that may be repeated are.
        """
        if not arrived or status in (429, 503):
            return True
        return method in SAFE_METHODS and (status is None or status in STATUSES)

    def delay_s(self, attempt: int, headers: Mapping[str, str]) -> float | None:
        """Return how long to wait after try number `attempt` (from 1); None when it is not worth it."""
        asked = _seconds(headers.get("retry-after"))
        if asked is not None:
            return asked if asked <= self.max_retry_after_s else None
        return random.uniform(0, min(self.max_s, self.base_s * 2 ** (attempt - 1)))


def _seconds(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value is not None else None
    except ValueError:
        return None
