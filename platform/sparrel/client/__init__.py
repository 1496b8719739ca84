"""Sparrel from Python: `Client` blocks, `AsyncClient` is awaited; both offer every resource of the catalog.

    from sparrel.client import Client

    with Client() as client:
        deployment = client.deployments.create({"baseModel": "my-model"}, wait=True)
        for model in client.models.list(filter='state="READY"'):
            print(model["name"])

Without arguments they use `SPARREL_*`, then what `sparrel set-api-key` stored, then the platform that
`sparrel up` started on this machine. Failures are the classes of `sparrel.errors`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sparrel.client.aio import AsyncClient
    from sparrel.client.blocking import Client
    from sparrel.client.config import ClientConfig

__all__ = ["AsyncClient", "Client", "ClientConfig"]

_HOMES = {"AsyncClient": "aio", "Client": "blocking", "ClientConfig": "config"}


def __getattr__(name: str) -> Any:
    """Import a class when it is first used: the command line wants the small parts without the large ones."""
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
