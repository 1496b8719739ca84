"""What a few resources' commands do beyond their declaration: further flags, and steps around the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from sparrel.cli import durations
from sparrel.cli.flags import GoDuration
from sparrel.resources.deployment import AUTO_DELETE_ANNOTATION

if TYPE_CHECKING:
    from sparrel.client import Client

Values = dict[str, Any]


class Special:
    """Defaults: nothing special."""

    waits: bool = False
    """Whether a created one takes time to become ready: offers `--wait`."""

    def create_params(self) -> list[click.Parameter]:
        return []

    def update_params(self) -> list[click.Parameter]:
        return []

    def list_params(self) -> list[click.Parameter]:
        return []

    def change_body(self, body: Values, values: Mapping[str, Any], current: Values) -> None:
        """Put the values of further flags into a create or update body; `current` is what exists already."""

    def needs_current(self, values: Mapping[str, Any]) -> bool:
        """Whether `change_body` wants to see the resource that is updated."""
        return False

    def list_parent(self, account: str, values: Mapping[str, Any]) -> str | None:
        """Return what to list under; None: the account."""
        return None

    def after_create(self, client: Client, document: Values, values: Mapping[str, Any]) -> None:
        """Do what follows a create."""


class Deployments(Special):
    waits = True

    def create_params(self) -> list[click.Parameter]:
        return [
            *self.update_params(),
            click.Option(["--model-id"], help="A model to deploy on it as soon as it exists."),
        ]

    def update_params(self) -> list[click.Parameter]:
        return [
            click.Option(
                ["--unused-auto-delete-duration"],
                type=GoDuration(),
                help="Delete it after so long without a request (default 168h0m0s; 0: never).",
            )
        ]

    def needs_current(self, values: Mapping[str, Any]) -> bool:
        return values.get("unused_auto_delete_duration") is not None

    def change_body(self, body: Values, values: Mapping[str, Any], current: Values) -> None:
        duration = values.get("unused_auto_delete_duration")
        if duration is not None:
            seconds = durations.to_seconds(duration)
            annotations = {**(current.get("annotations") or {}), **body.get("annotations", {})}
            body["annotations"] = annotations | {AUTO_DELETE_ANNOTATION: f"{seconds}s"}

    def after_create(self, client: Client, document: Values, values: Mapping[str, Any]) -> None:
        if values.get("model_id"):
            deployment = document["name"]
            client.deployed_models.create({"model": values["model_id"], "deployment": deployment})


class DeployedModels(Special):
    waits = True


class ApiKeys(Special):
    def create_params(self) -> list[click.Parameter]:
        return [click.Option(["--key-name"], help="Another name of --display-name.")]

    def list_params(self) -> list[click.Parameter]:
        return [
            click.Option(["--all-users"], is_flag=True, help="Show every user's keys (administrators only).")
        ]

    def change_body(self, body: Values, values: Mapping[str, Any], current: Values) -> None:
        if values.get("key_name"):
            body["displayName"] = values["key_name"]

    def after_create(self, client: Client, document: Values, values: Mapping[str, Any]) -> None:
        click.echo("Keep the key: it is not shown again", err=True)

    def list_parent(self, account: str, values: Mapping[str, Any]) -> str | None:
        return f"accounts/{account}/users/-" if values.get("all_users") else None


class Users(Special):
    def update_params(self) -> list[click.Parameter]:
        return [click.Option(["--user", "role_alias"], help="Another name of --role.", metavar="ROLE")]

    def change_body(self, body: Values, values: Mapping[str, Any], current: Values) -> None:
        if values.get("role_alias"):
            body["role"] = values["role_alias"]


_PLAIN = Special()
_SPECIAL: dict[str, Special] = {
    "apiKeys": ApiKeys(),
    "deployedModels": DeployedModels(),
    "deployments": Deployments(),
    "users": Users(),
}


def special_for(collection: str) -> Special:
    return _SPECIAL.get(collection, _PLAIN)
