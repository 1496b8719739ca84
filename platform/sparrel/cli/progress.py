"""What a person sees while a command waits or moves files; all of it on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click


@contextmanager
def waiting(name: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Show a resource's state while it is polled: one live line on a terminal, else a line per change."""
    if not sys.stderr.isatty():
        yield _state_lines(name)
        return
    from rich.console import Console

    with Console(stderr=True, highlight=False).status(f"{name}: waiting") as spinner:
        yield lambda document: spinner.update(_state_text(name, document))


@contextmanager
def transfers(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each file; without a terminal a line per finished file."""
    if quiet:
        yield lambda name, done, size: None
        return
    if not sys.stderr.isatty():
        yield _finished_lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        tasks: dict[str, Any] = {}

        def update(name: str, done: int, size: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=size)
            bars.update(tasks[name], completed=done)

        yield update


def _state_lines(name: str) -> Callable[[Mapping[str, Any]], None]:
    last = ""

    def show(document: Mapping[str, Any]) -> None:
        nonlocal last
        text = _state_text(name, document)
        if text != last:
            click.echo(text, err=True)
        last = text

    return show


def _state_text(name: str, document: Mapping[str, Any]) -> str:
    text = f"{name}: {document.get('state', '')}"
    if "replicaCount" in document:
        text += f", {document['replicaCount']} of {document.get('desiredReplicaCount', 0)} replicas"
    message = (document.get("status") or {}).get("message")
    return f"{text}: {message}" if message else text


def _finished_lines() -> Callable[[str, int, int], None]:
    def show(name: str, done: int, size: int) -> None:
        if done == size:
            click.echo(f"{name}: {size} bytes", err=True)

    return show
