"""On a terminal a table is as wide as the terminal, and nothing is lost."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

from tests.support.control_server import ControlServer

WIDTH = 60


def test_a_table_fits_the_terminal(server: ControlServer) -> None:
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    environment = {"PATH": os.environ["PATH"], "TERM": "dumb", "NO_COLOR": "1", **server.env}
    command = [sys.executable, "-m", "sparrel.cli.main", "list", "api-keys"]
    with subprocess.Popen(
        command, stdout=child, stdin=child, stderr=subprocess.PIPE, env=environment
    ) as process:
        os.close(child)
        text = _read(parent)
        assert process.wait() == 0
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "KEY ID" in text
    assert server.api_key[:8] in text
    assert "…" not in text


def _read(descriptor: int) -> str:
    """Return all that is written until the last writer is gone."""
    chunks = []
    while True:
        try:
            chunk = os.read(descriptor, 4096)
        except OSError:
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(descriptor)
    return b"".join(chunks).decode()
