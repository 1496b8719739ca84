"""How a failure reads in a terminal: `Error: <CODE>: <message>`, and a line that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from sparrel import errors
from sparrel.settings import SettingsError


class Failure(click.ClickException):
    def __init__(self, error: errors.SparrelError) -> None:
        super().__init__(error.message)
        self.error = error

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"Error: {self.error.code}: {self.error.message}", err=True)
        if hint := hint_for(self.error):
            click.echo(f"\nHint: {hint}", err=True)


@contextmanager
def reported() -> Iterator[None]:
    """Turn what a command raises into what a person reads; the exit status is 1."""
    try:
        yield
    except errors.SparrelError as error:
        raise Failure(error) from error
    except SettingsError as error:
        raise Failure(errors.InvalidArgument(str(error))) from error
    except TimeoutError:
        raise Failure(errors.DeadlineExceeded("gave up waiting")) from None


def hint_for(error: errors.SparrelError) -> str:
    """Return what the reader can do about an error; empty when its message says it already."""
    text = error.message
    if "id must be at least 1 character" in text:
        return "run `sparrel whoami` to see the account in use, and `sparrel signin` to change it"
    if isinstance(error, errors.Unauthenticated) and "no API key" in text:
        return "`sparrel up` starts a platform here; for another one run `sparrel set-api-key KEY`"
    if isinstance(error, errors.Unauthenticated):
        return "check SPARREL_API_KEY, or store another key with `sparrel set-api-key KEY`"
    if "no connection to" in text:
        return "`sparrel status` says whether a platform runs here; SPARREL_BASE_URL names another one"
    return _HINTS.get(type(error), "")


_HINTS: dict[type[errors.SparrelError], str] = {
    errors.NotFound: "check the name with `sparrel list`; a bare id means one of your own account",
    errors.AlreadyExists: "choose another id, or delete the existing one first",
    errors.PermissionDenied: "ask an administrator of the account, or use another key with --api-key",
    errors.Aborted: "somebody else changed it at the same moment: try again",
    errors.ResourceExhausted: "wait a moment and try again",
    errors.Internal: "`sparrel logs` shows what went wrong",
}
