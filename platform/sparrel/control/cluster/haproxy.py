"""HAProxy as Ray Serve starts it, but listening only where the platform says.

Run as a script in place of the HAProxy binary, with the same arguments. Serve's configuration opens its
metrics and statistics pages on every address and its main port on the address of the replicas' servers;
this rewrites the addresses and becomes HAProxy. Standard library only: it runs at every reload.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import re
import signal
import sys
from pathlib import Path

LISTEN = "SPARREL_HAPROXY_LISTEN"
"""Address and port of the platform, separated by a space."""
ERROR_FILE = "SPARREL_HAPROXY_ERROR_FILE"
BINARY = "SPARREL_HAPROXY_BINARY"

LOOPBACK = "127.0.0.1"
PR_SET_PDEATHSIG = 1

_BODY = (
    b'{"error":{"object":"error","type":"internal_server_error","code":"UNAVAILABLE",'
    b'"message":"The platform is restarting; try again in a moment."},'
    b'"code":14,"message":"The platform is restarting; try again in a moment.","details":[]}'
)
UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
    b"Cache-Control: no-cache\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)
"""The answer when no ingress replica is up."""


def confine(config: str, host: str, port: str, error_file: str = "") -> str:
    """Return Serve's configuration with only `host:port` open, and an honest answer in an outage."""
    address = {"0.0.0.0": "*", "::": "[::]"}.get(host, f"[{host}]" if ":" in host else host)

    def bind(match: re.Match[str]) -> str:
        where = address if match["port"] == port else LOOPBACK
        return f"{match['indent']}bind {where}:{match['port']}{match['rest']}"

    config = re.sub(r"(?m)^(?P<indent>\s*)bind \S*?:(?P<port>\d+)(?P<rest>.*)$", bind, config)
    if error_file:
        config = re.sub(r"(?m)^(\s*)errorfile (\d+) \S+$", rf"\1errorfile \2 {error_file}", config)
    return config


def main(arguments: list[str]) -> None:
    host, port = os.environ[LISTEN].split()
    for option, value in itertools.pairwise(arguments):
        if option == "-f":
            path = Path(value)
            path.write_text(confine(path.read_text(), host, port, os.environ.get(ERROR_FILE, "")))
    _die_with_parent()
    binary = os.environ[BINARY]
    os.execv(binary, [binary, *arguments])


def _die_with_parent() -> None:
    """A HAProxy that outlived its manager would keep the port from the next one."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
