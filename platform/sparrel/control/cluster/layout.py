"""Where a platform on one machine keeps what describes it: all under its home folder.

run/platform.json    what `up` started: mark, process id, ports
run/secret           what the gateway shows to the model servers
run/ray_token        what a process shows to join the Ray cluster
run/h/               HAProxy's configuration and sockets
run/ray/             Ray's session folders, with the logs of its workers
logs/platform.log    the supervisor's log
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from sparrel.settings import Settings

SHORT_PATH = 26
"""Ray and HAProxy append up to 80 characters to the folder, and a Unix socket's path may have 107."""


@dataclass(frozen=True, slots=True)
class Record:
    """What `up` started, as `down`, `status` and the next `up` need to know it."""

    mark: str
    pid: int
    started: float
    base_url: str


class Layout:
    """The paths of one platform."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.run = settings.run_dir
        self.record = self.run / "platform.json"
        self.secret = self.run / "secret"
        self.ray_token = self.run / "ray_token"
        self.haproxy = self.run / "h"
        self.ray = self.run / "ray"
        self.progress = self.run / "progress"
        self.log = settings.log_dir / "platform.log"

    def prepare(self) -> None:
        """Make the folders, private to their owner, and the secrets that do not exist yet."""
        for folder in (self.settings.home, self.run, self.haproxy, self.ray, self.settings.log_dir):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
        for file in (self.secret, self.ray_token):
            if not file.exists():
                write_private(file, secrets.token_hex(32))

    def read_record(self) -> Record | None:
        try:
            return Record(**json.loads(self.record.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write_record(self, record: Record) -> None:
        write_private(self.record, json.dumps(asdict(record), indent=2))

    def forget_record(self) -> None:
        self.record.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._alias().unlink(missing_ok=True)

    def socket_root(self) -> Path:
        """Return `run`, by a name that is short enough for the sockets below it.

        A long home folder gets a link in /tmp, where nobody else can replace it; the files stay under home.
        """
        if len(str(self.run)) <= SHORT_PATH:
            return self.run
        alias = self._alias()
        alias.unlink(missing_ok=True)
        alias.symlink_to(self.run, target_is_directory=True)
        return alias

    def socket_root_in_use(self) -> Path:
        """Return what `socket_root` returned for the running platform."""
        return self.run if len(str(self.run)) <= SHORT_PATH else self._alias()

    def _alias(self) -> Path:
        digest = hashlib.sha256(f"{os.getuid()} {self.run}".encode()).hexdigest()[:10]
        return Path("/tmp") / f".sparrel-{digest}"


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.replace(path)
