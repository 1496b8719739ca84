"""The whole of the platform's HTTP in one ASGI app, without Ray: for Serve, tests and benchmarks.

/inference/v1/… and its aliases   the gateway, which passes requests on to model replicas
/healthz                          whether this process can answer
everything else                   the control plane
"""

from __future__ import annotations

import logging

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from sparrel.control.app import create_app
from sparrel.control.auth import StoreAuthenticator
from sparrel.control.directory import StoreDirectory
from sparrel.control.store import Store
from sparrel.inference.gateway import Gateway, create_gateway
from sparrel.settings import Settings


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
