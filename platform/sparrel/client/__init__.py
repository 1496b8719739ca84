"""Sparrel from Python: `Client` blocks, `AsyncClient` is awaited; both offer every resource of the catalog.

    from sparrel.client import Client

    with Client() as client:
        deployment = client.deployments.create({"baseModel": "my-model"}, wait=True)
        for model in client.models.list(filter='state="READY"'):
            print(model["name"])

Without arguments they use `SPARREL_*`, then what `sparrel set-api-key` stored, then the platform that
`sparrel up` started on this machine. Failures are the classes of `sparrel.errors`.
"""

from sparrel.client.aio import AsyncClient
from sparrel.client.blocking import Client
from sparrel.client.config import ClientConfig

__all__ = ["AsyncClient", "Client", "ClientConfig"]
