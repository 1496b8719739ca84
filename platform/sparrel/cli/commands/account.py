"""Who am I, and with which key: `signin`, `set-api-key`, `whoami`, `token`, `version`, `env`."""

from __future__ import annotations

import shlex
from urllib.parse import urlsplit

import click

from sparrel import __version__
from sparrel.cli.command import command
from sparrel.cli.echo import print_json
from sparrel.cli.session import current
from sparrel.client import auth_file
from sparrel.errors import InvalidArgument, Unauthenticated, Unavailable
from sparrel.settings import DEMO_MODEL, Settings


@command("set-api-key", click.Argument(["key"], metavar="API_KEY"))
def set_api_key(key: str) -> None:
    """Store a key for later commands."""
    _store(api_key=key.strip())


@command("signin", click.Argument(["account"], metavar="[ACCOUNT_ID]", required=False))
def signin(account: str | None) -> None:
    """Ask for a key, check it, and store it for later commands."""
    session = current()
    if session.api_key is None:
        session.api_key = click.prompt("API key", hide_input=True, err=True).strip()
    with session.client() as client:
        owner, _ = client.verify()
        config = client.config
    if account is not None and account != owner:
        raise InvalidArgument(f"this key belongs to account {owner!r}, not {account!r}")
    _store(api_key=config.api_key, account_id=owner, base_url=session.base_url or "")
    click.echo(f"Signed in to account {owner}", err=True)


def _store(**values: str) -> None:
    if not values["api_key"]:
        raise InvalidArgument("the API key is empty")
    path = Settings.from_env().home / auth_file.NAME
    kept = {key: value for key, value in auth_file.read(path).items() if key == "base_url"}
    auth_file.write(path, kept | {key: value for key, value in values.items() if value})
    click.echo(f"Stored in {path}", err=True)


@command("whoami")
def whoami() -> None:
    """Show the account and user of the key in use."""
    with current().client() as client:
        account, answer = client.verify()
        known: dict[str, str] = {"account": account}
        known |= {key: answer[key] for key in ("user", "email", "role") if key in answer}
        known["baseUrl"] = client.config.base_url
    if current().json:
        return print_json(known)
    for key, value in known.items():
        click.echo(f"{'Base URL' if key == 'baseUrl' else key.capitalize()}: {value}")


@command("token")
def token() -> None:
    """Print the key in use, for other programs."""
    click.echo(_key())


@command("version")
def version() -> None:
    """Print the version."""
    click.echo(f"sparrel {__version__}")


@command("env")
def env() -> None:
    """Print shell exports for every client: `eval "$(sparrel env)"`."""
    variables = client_variables()
    if current().json:
        return print_json(variables)
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def client_variables() -> dict[str, str]:
    """Return what each client reads: some want the host, others the address of the inference API."""
    host, key, account = current().config().base_url, _key(), _account()
    inference = f"{host}/inference/v1"
    parts = urlsplit(host)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {
        "SPARREL_BASE_URL": host,
        "SPARREL_API_KEY": key,
        "SPARREL_ACCOUNT_ID": account,
        "SPARREL_MODEL": DEMO_MODEL,
        "OPENAI_BASE_URL": inference,
        "OPENAI_API_KEY": key,
        "FIREWORKS_API_BASE": inference,
        "FIREWORKS_API_BASE_URL": host,
        "FIREWORKS_BASE_URL": host,
        "FIREWORKS_GATEWAY_ADDR": f"{parts.hostname}:{port}",
        "FIREWORKS_API_KEY": key,
        "FIREWORKS_ACCOUNT_ID": account,
    }


def _key() -> str:
    key = current().config().api_key
    if not key:
        raise Unauthenticated("no API key is configured")
    return key


def _account() -> str:
    """Return the key's account; a platform that does not run yet has the one of its settings."""
    try:
        with current().client() as client:
            return client.account_id()
    except Unavailable:
        return Settings.from_env().account
