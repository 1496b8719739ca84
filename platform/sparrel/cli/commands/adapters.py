"""Adapters on live deployments: `load-lora`, `unload-lora`."""

from __future__ import annotations

from typing import Any

import click

from sparrel.cli.command import command
from sparrel.cli.echo import print_json
from sparrel.cli.output import print_document
from sparrel.cli.progress import waiting
from sparrel.cli.session import current
from sparrel.errors import FailedPrecondition, NotFound
from sparrel.kernel.catalog import resource

MODEL = click.Argument(["model"], metavar="MODEL")
DEPLOYMENT = click.Option(
    ["--deployment"], help="The deployment (default: the platform's own of the base model)."
)


@command(
    "load-lora",
    MODEL,
    DEPLOYMENT,
    click.Option(["--public/--no-public"], default=None, help="Whether every account may use it."),
    click.Option(["--wait"], is_flag=True, help="Wait until it is loaded; fail when it cannot be."),
)
def load_lora(model: str, deployment: str | None, public: bool | None, wait: bool) -> None:
    """Load an adapter onto a deployment."""
    body = {"model": model, "deployment": deployment, "public": public}
    with current().client() as client:
        loaded = client.deployed_models.create(
            {key: value for key, value in body.items() if value is not None}
        )
        if wait:
            with waiting(loaded["name"]) as progress:
                loaded = client.deployed_models.wait(loaded["name"], progress=progress)
    print_json(loaded) if current().json else print_document(resource("deployedModels"), loaded)


@command(
    "unload-lora", MODEL, DEPLOYMENT, click.Option(["--wait"], is_flag=True, help="Wait until it is gone.")
)
def unload_lora(model: str, deployment: str | None, wait: bool) -> None:
    """Unload an adapter from a deployment."""
    with current().client() as client:
        found = _find(client, model, deployment)
        client.deployed_models.delete(found["name"])
        if wait:
            client.deployed_models.wait_gone(found["name"])
    if current().json:
        return print_json({})
    click.echo(f"Unloaded {found['model']} from {found['deployment']}", err=True)


def _find(client: Any, model: str, deployment: str | None) -> dict[str, Any]:
    account = client.account_id()
    terms = [f'model="{_full(model, "models", account)}"']
    if deployment:
        terms.append(f'deployment="{_full(deployment, "deployments", account)}"')
    found = list(client.deployed_models.list(filter=" AND ".join(terms)))
    if not found:
        raise NotFound(f"model {model!r} is not loaded" + (f" on {deployment!r}" if deployment else ""))
    if len(found) > 1:
        places = ", ".join(entry["deployment"] for entry in found)
        raise FailedPrecondition(f"model {model!r} is loaded on {places}: name one with --deployment")
    return dict(found[0])


def _full(value: str, collection: str, account: str) -> str:
    return value if "/" in value else f"accounts/{account}/{collection}/{value}"
