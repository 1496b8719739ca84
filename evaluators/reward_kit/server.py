"""
Serving a reward function over HTTP.

    POST /evaluate (or /reward)  {"messages": [...], "ground_truth": ..., "kwargs": {...}}  ->  EvaluateResult
    GET  /health                 {"status": "ok"}

With RK_ENDPOINT_API_KEY set, callers must present it as `X-Api-Key` or as a bearer token.
"""

import asyncio
import hmac
import os
from collections.abc import Callable
from typing import Any

from ._loading import load_function
from ._running import as_reward_function, score_row
from .errors import MissingDependencyError

try:
    from fastapi import FastAPI, HTTPException, Request
except ImportError as _error:
    raise MissingDependencyError("fastapi", "reward_kit.server", "server") from _error

__all__ = ["RewardServer", "create_app", "run_server", "serve"]


def create_app(reward: Callable[..., Any]) -> FastAPI:
    """Make the web application that answers with a reward function's results."""
    function = as_reward_function(reward)
    app = FastAPI(title=f"reward: {getattr(function, '__name__', 'function')}")

    async def evaluate(request: Request) -> dict[str, Any]:
        _authorize(request)
        return (await asyncio.to_thread(score_row, function, await _body(request))).model_dump()

    for path in ("/evaluate", "/reward"):
        app.add_api_route(path, evaluate, methods=["POST"])

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def run_server(func_path: str | Callable[..., Any], host: str = "127.0.0.1", port: int = 8000) -> None:
    """
    Serve a reward function until interrupted.

        run_server("my_rewards:clarity", port=8000)
    """
    try:
        import uvicorn
    except ImportError as error:
        raise MissingDependencyError("uvicorn", "run_server", "server") from error
    function = load_function(func_path) if isinstance(func_path, str) else func_path
    uvicorn.run(create_app(function), host=host, port=port)


serve = run_server


class RewardServer:
    """A reward function with the address it is served at."""

    def __init__(
        self, func_path: str | Callable[..., Any], host: str = "127.0.0.1", port: int = 8000
    ) -> None:
        self.function = load_function(func_path) if isinstance(func_path, str) else func_path
        self.host = host
        self.port = port
        self.app = create_app(self.function)

    def run(self) -> None:
        """Serve until interrupted."""
        run_server(self.function, self.host, self.port)


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError as error:
        raise HTTPException(400, f"the body is not JSON: {error}") from error
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        raise HTTPException(422, "the body must be an object with a list `messages`")
    extra = body.pop("kwargs", None) or {}
    return {**extra, **{name: value for name, value in body.items() if value is not None}}


def _authorize(request: Request) -> None:
    expected = os.environ.get("RK_ENDPOINT_API_KEY")
    if not expected:
        return
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    given = request.headers.get("x-api-key") or bearer
    if not given:
        raise HTTPException(401, "an API key is required")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise HTTPException(403, "wrong API key")
