"""Database failures as the platform's errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError, TimeoutError

from sparrel.errors import Aborted, AlreadyExists, SparrelError, StorageFull, Unavailable

FULL = "the platform's disk is full; nothing was stored"
BUSY = "the platform's database is busy; try again"
GONE = "the platform's database cannot be reached; try again"
CONFLICT = "another change got in first; read the resource again and retry"

_BY_SQLSTATE = {
    "53100": lambda: StorageFull(FULL),
    "40001": lambda: Aborted(CONFLICT),
    "40P01": lambda: Aborted(CONFLICT),
    "55P03": lambda: Aborted(CONFLICT),
}


@contextmanager
def translated(name: str = "") -> Iterator[None]:
    """Raise a SparrelError for what the database raises inside; `name` is the resource being written."""
    try:
        yield
    except IntegrityError as error:
        raise AlreadyExists(f'"{name}" already exists' if name else "it already exists") from error
    except DBAPIError as error:
        raise _translate(error) from error
    except TimeoutError as error:
        raise Unavailable(BUSY, retry_after_s=1) from error
    except (ConnectionError, OSError) as error:
        raise Unavailable(GONE, retry_after_s=1) from error


def _translate(error: DBAPIError) -> Exception:
    """Return the error that fits; one that is our own mistake stays what it is."""
    text = str(error.orig).lower()
    by_state = _BY_SQLSTATE.get(getattr(error.orig, "sqlstate", None) or "")
    if by_state is not None:
        return by_state()
    if "disk is full" in text or "no space left" in text:
        return StorageFull(FULL)
    if "locked" in text or "busy" in text:
        return Unavailable(BUSY, retry_after_s=1)
    if error.connection_invalidated or isinstance(error, InterfaceError | OperationalError):
        return _operational(text)
    return error


def _operational(text: str) -> SparrelError:
    if "disk i/o error" in text or "readonly" in text or "unable to open" in text:
        return Unavailable(f"the platform's database cannot be written: {text}", retry_after_s=5)
    return Unavailable(GONE, retry_after_s=1)
