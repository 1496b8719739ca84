"""Ports of one platform's inner services, on loopback, apart from every other platform's.

Ray's own processes take any free port. HAProxy and Serve's HTTP servers want theirs named in advance: a
platform takes a block of numbers below the range from which the system hands out ports for outgoing
connections, beginning its search at a place that follows from its home folder.
"""

from __future__ import annotations

import errno
import hashlib
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

FIRST, LAST = 20_000, 32_000
BLOCK = 500
"""Serve keeps a stopped replica's port unused for minutes: a busy platform needs many."""
NAMED = 5


@dataclass(frozen=True, slots=True)
class Ports:
    haproxy_metrics: int
    haproxy_stats: int
    fallback_http: int
    fallback_grpc: int
    agent: int
    replicas_first: int
    replicas_last: int

    def stored(self) -> dict[str, int]:
        return asdict(self)


class PortInUse(RuntimeError):
    """Somebody else listens on the port that the platform was told to use."""


def choose_ports(home: Path) -> Ports:
    """Return a block whose named ports are free now."""
    for start in _blocks(home):
        numbers = range(start, start + NAMED)
        if all(is_free("127.0.0.1", number) for number in numbers):
            return Ports(start, start + 1, start + 2, start + 3, start + 4, start + NAMED, start + BLOCK - 1)
    raise PortInUse(f"No free block of ports between {FIRST} and {LAST}.")


def is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _blocks(home: Path) -> Iterator[int]:
    count = (LAST - FIRST) // BLOCK
    first = int.from_bytes(hashlib.sha256(str(home).encode()).digest()[:4], "big") % count
    for offset in range(count):
        yield FIRST + (first + offset) % count * BLOCK
