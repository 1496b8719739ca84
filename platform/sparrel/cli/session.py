"""What one command knows of its caller: the global options, the client, and where output goes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sparrel.client import Client, ClientConfig


@dataclass(slots=True)
class Session:
    """The global options; each may stand before or after the command's name."""

    base_url: str | None = None
    api_key: str | None = None
    account_id: str | None = None
    output: str = "text"

    @property
    def json(self) -> bool:
        return self.output == "json"

    def config(self) -> ClientConfig:
        from sparrel.client import ClientConfig

        return ClientConfig.resolve(base_url=self.base_url, api_key=self.api_key, account_id=self.account_id)

    @contextmanager
    def client(self) -> Iterator[Client]:
        from sparrel.client import Client

        with Client(config=self.config()) as client:
            yield client


def current() -> Session:
    """Return the session of the command that is running."""
    return click.get_current_context().find_object(Session) or Session()


def global_options() -> list[click.Parameter]:
    """Return the options that every command takes."""
    return [
        _option(["--api-key"], "API key to use instead of the stored one.", metavar="KEY"),
        _option(["-a", "--account-id"], "Act on another account.", metavar="ACCOUNT"),
        _option(["--base-url"], "Address of the platform.", metavar="URL"),
        _option(["-o", "--output"], "Output format (default text).", type=click.Choice(["text", "json"])),
    ]


def _option(names: list[str], help: str, **arguments: Any) -> click.Option:
    def keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value is not None and parameter.name:
            setattr(context.ensure_object(Session), parameter.name, value)

    return click.Option(names, help=help, expose_value=False, callback=keep, **arguments)
