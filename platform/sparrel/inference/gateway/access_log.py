"""One line per request: who, what, how long. Never what was said."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field

import orjson

logger = logging.getLogger("sparrel.access")
_LONGEST_PATH = 200


@dataclass(slots=True)
class AccessRecord:
    method: str
    path: str
    request_id: str
    account: str = ""
    started: float = field(default_factory=time.monotonic)
    broken: bool = False
    """The stream ended with an error event."""

    def write(self, status: int) -> None:
        if not logger.isEnabledFor(logging.INFO):
            return
        line = {
            "method": self.method,
            "path": self.path[:_LONGEST_PATH],
            "status": status,
            "duration_ms": round((time.monotonic() - self.started) * 1000, 1),
            "account": self.account,
            "request_id": self.request_id,
        }
        if self.broken:
            line["broken"] = True
        logger.info(orjson.dumps(line).decode())
