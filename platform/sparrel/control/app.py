"""The control plane as one ASGI application: every resource, and `/verifyApiKey`."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import pkgutil
import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from sparrel import __version__
from sparrel.control.auth import StoreAuthenticator
from sparrel.control.files import file_routes
from sparrel.control.store import Store
from sparrel.errors import Internal, InvalidArgument, MethodNotAllowed, NotFound, SparrelError
from sparrel.inference.gateway.directory import Authenticator
from sparrel.kernel import wire
from sparrel.kernel.openapi import openapi_document
from sparrel.kernel.routes import ResourceRoute, api_key
from sparrel.settings import Settings

RULES_PACKAGE = "sparrel.control.rules"
log = logging.getLogger(__name__)


def create_app(store: Store, settings: Settings, *, authenticator: Authenticator | None = None) -> FastAPI:
    """Return the control plane over an open store; other parts may include their routers in it."""
    load_rules()
    authenticator = authenticator or StoreAuthenticator(store)
    app = FastAPI(title="Sparrel", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.router.routes.append(ResourceRoute(store, settings, authenticator.authenticate))
    app.router.routes.extend(file_routes(store, settings))
    app.router.redirect_slashes = False
    _add_verify(app, authenticator)
    _add_openapi(app)
    _add_error_bodies(app)
    app.add_middleware(SinglePathSlashes)
    return app


def load_rules() -> None:
    """Import every module of `control/rules`: each registers the rules of its resource."""
    package = importlib.import_module(RULES_PACKAGE)
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{RULES_PACKAGE}.{module.name}")


def _add_verify(app: FastAPI, authenticator: Authenticator) -> None:
    @app.get("/verifyApiKey", include_in_schema=False)
    async def verify(request: Request) -> Response:
        principal = await authenticator.authenticate(api_key(request.scope["headers"]))
        known = {"user": principal.user, "email": principal.email, "role": principal.role}
        return _json(200, known, {"x-fireworks-account-id": principal.account})


def _add_openapi(app: FastAPI) -> None:
    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        if app.openapi_schema is None:
            app.openapi_schema = openapi_document()
        return _json(200, app.openapi_schema)


def _add_error_bodies(app: FastAPI) -> None:
    """Render what routes and the framework raise as bare google.rpc.Status."""

    @app.exception_handler(SparrelError)
    async def ours(request: Request, error: SparrelError) -> Response:
        return _json(error.http_status, error.status_body(), error.headers())

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return await ours(request, NotFound(f'path "{request.url.path}" not found'))
        if error.status_code == 405:
            return await ours(request, MethodNotAllowed(f"{request.method} is not supported here"))
        fault = InvalidArgument(str(error.detail)) if error.status_code < 500 else Internal(str(error.detail))
        return _json(error.status_code, fault.status_body(), error.headers)

    @app.exception_handler(RequestValidationError)
    async def validation(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"][1:])
        return await ours(request, InvalidArgument(f"{path}: {first['msg']}", param=path))

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        log.error("%s %s failed", request.method, request.url.path, exc_info=error)
        return await ours(request, Internal("the platform failed to answer; its log says why"))


def _json(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(wire.dump(body), status, dict(headers or {}), media_type="application/json")


class SinglePathSlashes:
    """Tolerate `//` from naive joining of a base URL and a path.

    Not after `/accounts/`: there it stands for an empty id, which deserves its own error.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "//" in scope["path"]:
            head, accounts, tail = scope["path"].partition("/accounts/")
            path = re.sub("/{2,}", "/", head + accounts) + tail
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
