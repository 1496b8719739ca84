"""A PostgreSQL server of the tests' own, from Debian's binaries."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path

START_S = 60
MISSING = "PostgreSQL's server is not installed: `apt-get install postgresql`"


@contextmanager
def postgres_server() -> Iterator[str]:
    """Start a server in a temporary folder, yield its SQLAlchemy URL, stop it by its process id."""
    # A socket's path may be 107 bytes long: pytest's own temporary folders are too deep.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    owner = _owner()
    shutil.chown(folder, owner, owner and pwd.getpwnam(owner).pw_gid)
    data = folder / "data"
    try:
        _run(
            [_binary("initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], owner
        )
        server = _start(folder, data, owner)
        try:
            _wait(server, data)
            yield f"postgresql://postgres@/postgres?host={folder}"
        finally:
            server.terminate()
            server.wait(timeout=START_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binary(name: str) -> str:
    for folder in sorted(glob("/usr/lib/postgresql/*/bin"), reverse=True):
        if os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    found = shutil.which(name)
    if found is None:
        raise RuntimeError(MISSING)
    return found


def _owner() -> str | None:
    """Return the user to run as: the server refuses root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _as_owner(owner: str | None) -> dict[str, object]:
    return {} if owner is None else {"user": owner, "group": pwd.getpwnam(owner).pw_gid, "extra_groups": []}


def _run(command: list[str | Path], owner: str | None) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/tmp", **_as_owner(owner))  # type: ignore[call-overload]
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr or done.stdout}")


def _start(folder: Path, data: Path, owner: str | None) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "off",
        "max_connections": "100",
        "shared_buffers": "64MB",
        "deadlock_timeout": "100ms",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [_binary("postgres"), "-D", str(data), *options],
            stdout=log,
            stderr=log,
            cwd="/tmp",
            **_as_owner(owner),  # type: ignore[call-overload]
        )


def _wait(server: subprocess.Popen[bytes], data: Path) -> None:
    """Wait until the server writes that it is ready."""
    deadline = time.monotonic() + START_S
    status = data / "postmaster.pid"
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"postgres ended: {(data.parent / 'log').read_text()}")
        if status.exists() and "ready" in status.read_text():
            return
        time.sleep(0.02)
    raise RuntimeError(f"postgres was not ready within {START_S} s")
