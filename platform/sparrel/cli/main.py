"""The `sparrel` command. What a command needs is imported when it is used, so that starting is quick."""

from __future__ import annotations

import click

from sparrel.cli.command import LazyGroup
from sparrel.cli.session import Session, global_options

_RESOURCES = "sparrel.cli.resources"
_ACCOUNT = "sparrel.cli.commands.account"
_PLATFORM = "sparrel.cli.commands.platform"
_MODELS = "sparrel.cli.commands.models"
_ADAPTERS = "sparrel.cli.commands.adapters"

COMMANDS = {
    "up": f"{_PLATFORM}:up",
    "down": f"{_PLATFORM}:down",
    "status": f"{_PLATFORM}:status",
    "logs": f"{_PLATFORM}:logs",
    "env": f"{_ACCOUNT}:env",
    "signin": f"{_ACCOUNT}:signin",
    "set-api-key": f"{_ACCOUNT}:set_api_key",
    "whoami": f"{_ACCOUNT}:whoami",
    "token": f"{_ACCOUNT}:token",
    "version": f"{_ACCOUNT}:version",
    "get": f"{_RESOURCES}:get",
    "list": f"{_RESOURCES}:list_",
    "create": f"{_RESOURCES}:create",
    "update": f"{_RESOURCES}:update",
    "delete": f"{_RESOURCES}:delete",
    "download": f"{_MODELS}:download",
    "load-lora": f"{_ADAPTERS}:load_lora",
    "unload-lora": f"{_ADAPTERS}:unload_lora",
}


class Root(LazyGroup):
    """The commands above, and a group for each verb that resources declare themselves."""

    def list_commands(self, context: click.Context) -> list[str]:
        from sparrel.cli.resources import verb_names

        return sorted({*super().list_commands(context), *verb_names()})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        found = super().get_command(context, name)
        if found is not None:
            return found
        from sparrel.cli.resources import verb_group

        return verb_group(name)


@click.pass_context
def _start(context: click.Context) -> None:
    context.ensure_object(Session)


main = Root(
    "sparrel",
    callback=_start,
    params=global_options(),
    lazy=COMMANDS,
    help="Run and use a Sparrel platform: models, deployments, keys and users.",
)

if __name__ == "__main__":
    main()
