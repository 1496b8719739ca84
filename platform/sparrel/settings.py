"""Where one installation of the platform lives and listens; read once from the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_PORT = 8000
PLATFORM_ACCOUNT = "sparrel"
"""The platform's own account: public models live here."""

ACCOUNT_ALIASES = {"fireworks": PLATFORM_ACCOUNT}
"""Account ids that mean another one, so that published examples work."""

DEMO_MODEL = f"accounts/{PLATFORM_ACCOUNT}/models/demo-chat"
DEMO_DEPLOYMENT = f"accounts/{PLATFORM_ACCOUNT}/deployments/demo-chat"


class SettingsError(ValueError):
    """A SPARREL_* variable has a value that cannot be used; the message names it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The environment of one platform; two with different `home` and `port` never meet."""

    home: Path = field(default_factory=lambda: Path.home() / ".sparrel")
    """Everything the platform writes lives under this folder (`SPARREL_HOME`)."""
    host: str = "127.0.0.1"
    """Address the ingress listens on (`SPARREL_HOST`); everything else stays on loopback."""
    port: int = DEFAULT_PORT
    """Port of the ingress (`SPARREL_PORT`)."""
    database_url: str = ""
    """SQLAlchemy URL (`SPARREL_DATABASE_URL`); empty: SQLite under `home`."""
    storage_url: str = ""
    """fsspec URL for files (`SPARREL_STORAGE_URL`); empty: a folder under `home`."""
    account: str = "default"
    """Id of the account made at first start (`SPARREL_ACCOUNT`)."""
    admin_email: str = "admin@localhost"
    """E-mail address of that account's first administrator (`SPARREL_ADMIN_EMAIL`)."""

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{self.home / 'sparrel.db'}"

    @property
    def storage(self) -> str:
        return self.storage_url or f"file://{self.home / 'storage'}"

    @property
    def base_url(self) -> str:
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        return f"http://{host}:{self.port}"

    @property
    def run_dir(self) -> Path:
        """Folder for what describes the running platform: process ids, ports, the first key."""
        return self.home / "run"

    @property
    def log_dir(self) -> Path:
        return self.home / "logs"

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> Settings:
        """Read `SPARREL_*`; raise SettingsError for a value that cannot be used."""
        return cls(
            home=Path(env.get("SPARREL_HOME") or Path.home() / ".sparrel").expanduser().absolute(),
            host=env.get("SPARREL_HOST") or "127.0.0.1",
            port=_port(env.get("SPARREL_PORT") or str(DEFAULT_PORT)),
            database_url=env.get("SPARREL_DATABASE_URL", ""),
            storage_url=env.get("SPARREL_STORAGE_URL", ""),
            account=env.get("SPARREL_ACCOUNT") or "default",
            admin_email=env.get("SPARREL_ADMIN_EMAIL") or "admin@localhost",
        )

    def to_env(self) -> dict[str, str]:
        """Return the variables that give another process these settings."""
        return {
            "SPARREL_HOME": str(self.home),
            "SPARREL_HOST": self.host,
            "SPARREL_PORT": str(self.port),
            "SPARREL_DATABASE_URL": self.database_url,
            "SPARREL_STORAGE_URL": self.storage_url,
            "SPARREL_ACCOUNT": self.account,
            "SPARREL_ADMIN_EMAIL": self.admin_email,
        }


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SettingsError(f"SPARREL_PORT must be a port number between 1 and 65535, not {text!r}")
    return int(text)


def configs_dir() -> Path:
    """Return the folder of `configs/`: the checkout's, else the one the wheel installed."""
    checkout = Path(__file__).parents[2] / "configs"
    return checkout if checkout.is_dir() else Path(sys.prefix) / "share" / "sparrel" / "configs"
