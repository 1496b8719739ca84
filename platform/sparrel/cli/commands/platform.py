"""A platform on this machine: `up`, `down`, `status`, `logs`. The only commands that know how one is run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sparrel.cli.command import command
from sparrel.cli.echo import print_json
from sparrel.cli.session import current
from sparrel.settings import DEMO_MODEL, Settings

if TYPE_CHECKING:
    from sparrel.control.cluster.local import Started

CURL = """\
curl {base_url}/inference/v1/chat/completions \\
  -H "Authorization: Bearer {api_key}" -H "Content-Type: application/json" \\
  -d '{{"model": "{model}", "messages": [{{"role": "user", "content": "Hello! Who are you?"}}]}}'"""


@command(
    "up",
    click.Option(
        ["--timeout", "timeout_s"], type=float, default=180.0, show_default=True, help="Seconds to wait."
    ),
)
def up(timeout_s: float) -> None:
    """Start the platform on this machine.

    Returns once it answers; one that runs already is left alone.
    """
    from sparrel.control.cluster import local

    with _steps() as say:
        started = _plainly(lambda: local.up(Settings.from_env(), say, timeout_s=timeout_s))
    print_json(asdict(started)) if current().json else _welcome(started)


@command("down")
def down() -> None:
    """Stop exactly what `up` started."""
    from sparrel.control.cluster import local

    with _steps() as say:
        stopped = _plainly(lambda: local.down(Settings.from_env(), say))
    if current().json:
        return print_json({"stopped": stopped})
    click.echo("Stopped" if stopped else "Nothing was running", err=True)


@command("status")
def status() -> None:
    """Say what runs here.

    The exit status is 0 when the platform answers and 3 when it does not.
    """
    from sparrel.control.cluster import local

    found = local.status(Settings.from_env())
    if current().json:
        print_json({**asdict(found), "log": str(found.log)})
    else:
        state = "running" if found.answering else "starting or stuck" if found.running else "not running"
        click.echo(f"State: {state}\nBase URL: {found.base_url}\nLog: {found.log}")
        if found.running:
            click.echo(f"Processes: {found.processes}\nMemory: {found.memory_bytes / 2**20:.0f} MiB")
    if not found.answering:
        sys.exit(3)


@command(
    "logs",
    click.Argument(["part"], required=False, metavar="[PART]"),
    click.Option(
        ["-n", "--lines"], type=click.IntRange(min=1), default=100, show_default=True, help="Lines of each."
    ),
)
def logs(part: str | None, lines: int) -> None:
    """Print the ends of the platform's logs.

    With PART only those whose name contains it.
    """
    from sparrel.control.cluster import local

    previous = None
    for name, line in local.logs(Settings.from_env(), lines=lines):
        if part is not None and part not in name:
            continue
        if name != previous:
            click.echo(f"==> {name} <==", err=True)
        previous = name
        click.echo(line)
    if previous is None:
        parts = ", ".join(local.log_files(Settings.from_env()))
        click.echo(f"No lines to show; there are logs of: {parts}", err=True)


def _welcome(started: Started) -> None:
    click.echo("The platform runs already" if started.already_running else "The platform is up", err=True)
    click.echo(f"Base URL: {started.base_url}")
    click.echo(f"API Key: {started.api_key}")
    click.echo()
    click.echo(CURL.format(base_url=started.base_url, api_key=started.api_key, model=DEMO_MODEL))
    click.echo('\nFor any client: eval "$(sparrel env)"', err=True)


@contextmanager
def _steps() -> Iterator[Callable[[str], None]]:
    """Show each step as it begins: on a terminal with a sign of life, else as a line."""
    if not sys.stderr.isatty():
        yield lambda step: click.echo(step, err=True)
        return
    from rich.console import Console

    with Console(stderr=True, highlight=False).status("") as spinner:
        yield lambda step: spinner.update(step)


def _plainly(work: Callable[[], Any]) -> Any:
    """Run what starts or stops processes; what it raises is written for the reader as it is."""
    from sparrel.control.cluster.local import StartFailed
    from sparrel.control.cluster.ports import PortInUse

    try:
        return work()
    except (StartFailed, PortInUse) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or 'the platform'}: {error.strerror or error}"
        ) from error
