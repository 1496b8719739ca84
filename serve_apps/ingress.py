"""The ingress: the whole of the platform's HTTP in one ASGI app, the only Serve app with a route.

    /inference/v1/… and its aliases   the gateway, which passes requests on to model replicas
    /healthz                          whether this replica can answer
    everything else                   the control plane

`build` is what the platform deploys; `IngressApp` is the app without Serve, for tests and benchmarks.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from ray import serve
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from sparrel.control.app import create_app
from sparrel.control.auth import StoreAuthenticator
from sparrel.control.cluster.layout import Layout
from sparrel.control.cluster.serve_internals import confine_replica
from sparrel.control.directory import StoreDirectory
from sparrel.control.store import Store
from sparrel.inference.gateway import Gateway, create_gateway
from sparrel.settings import Settings

MAX_OPEN_REQUESTS = 20_000
"""Far above the gateway's own limit, which answers in the API's words."""
DRAIN_S = 60.0


class IngressApp:
    """Opens its parts at ASGI startup and closes them at shutdown."""

    def __init__(self, settings: Settings, secret: str) -> None:
        self._settings = settings
        self._secret = secret
        self._store: Store | None = None

    async def start(self) -> None:
        self._store = store = await Store.open(self._settings.database)
        authenticator = StoreAuthenticator(store)
        self._gateway: Gateway = create_gateway(StoreDirectory(store), authenticator, self._secret)
        self._control = create_app(store, self._settings, authenticator=authenticator)

    async def stop(self) -> None:
        if self._store is not None:
            await self._gateway.aclose()
            await self._store.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"] == "/healthz":
            await (await self._health())(scope, receive, send)
        elif scope["type"] == "http" and self._gateway.matches(scope["path"]):
            await self._gateway(scope, receive, send)
        else:
            await self._control(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:
            logging.getLogger(__name__).exception("The ingress cannot start.")
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _health(self) -> JSONResponse:
        assert self._store is not None
        await self._store.get(f"accounts/{self._settings.account}")
        return JSONResponse({"status": "ok"})


def _app() -> IngressApp:
    """Make the app inside the replica, where the platform's environment is."""
    confine_replica()
    settings = Settings.from_env()
    return IngressApp(settings, Path(Layout(settings).secret).read_text())


def build(replicas: int) -> Any:
    """Return the Serve deployment of the ingress, to be bound."""

    @serve.deployment(
        name="ingress",
        num_replicas=replicas,
        max_ongoing_requests=MAX_OPEN_REQUESTS,
        ray_actor_options={"num_cpus": 0, "resources": {"node:__internal_head__": 0.001}},
        health_check_period_s=5,
        graceful_shutdown_timeout_s=DRAIN_S,
    )
    @serve.ingress(_app)
    class Ingress:
        """Serve's replica around the ASGI app."""

    return Ingress
