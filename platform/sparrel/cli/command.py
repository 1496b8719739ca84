"""Click's command and group, with what all of ours have: global options, `--flag=false`, our error texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

import click

from sparrel.cli.failures import reported
from sparrel.cli.session import global_options

HELP: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
_VALUED_FLAG = re.compile(r"--([a-z][a-z0-9-]*)=(true|false|1|0)", re.IGNORECASE)


class Command(click.Command):
    """A command that also takes the global options."""

    def __init__(
        self, name: str, callback: Callable[..., Any], params: Iterable[click.Parameter] = (), **more: Any
    ):
        super().__init__(
            name, callback=callback, params=[*params, *global_options()], context_settings=HELP, **more
        )

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Let a switch be written `--public=false`, as well as `--no-public`."""
        switches = {
            option.removeprefix("--")
            for parameter in self.params
            if isinstance(parameter, click.Option) and parameter.secondary_opts
            for option in parameter.opts
        }
        return super().parse_args(context, [_plain_switch(argument, switches) for argument in args])

    def invoke(self, context: click.Context) -> Any:
        with reported():
            return super().invoke(context)


def command(name: str, *params: click.Parameter, **more: Any) -> Callable[[Callable[..., Any]], Command]:
    """Turn the decorated function into a Command; its docstring is the help."""

    def decorate(function: Callable[..., Any]) -> Command:
        return Command(name, function, params, help=more.pop("help", function.__doc__), **more)

    return decorate


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is used."""

    def __init__(self, *args: Any, lazy: Mapping[str, str], **more: Any) -> None:
        super().__init__(*args, context_settings=HELP, **more)
        self._lazy = lazy

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted({*super().list_commands(context), *self._lazy})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name in self._lazy:
            module, _, attribute = self._lazy[name].partition(":")
            found = getattr(import_module(module), attribute)
            return found if isinstance(found, click.Command) else None
        return super().get_command(context, name)


def _plain_switch(argument: str, switches: set[str]) -> str:
    match = _VALUED_FLAG.fullmatch(argument)
    if match is None or match[1] not in switches:
        return argument
    return f"--{match[1]}" if match[2].lower() in ("true", "1") else f"--no-{match[1]}"
