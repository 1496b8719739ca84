"""Run an ASGI app on a socket inside a process that has other work, such as a Serve replica."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from sparrel.inference.descriptors import raise_limit

KEEP_ALIVE_S = 75
"""Longer than the gateway keeps idle connections, so that the server is never the one to close first."""


@dataclass(slots=True)
class RunningServer:
    """A server that accepts connections; `stop` lets running requests finish first."""

    address: str
    """Base URL, e.g. `http://127.0.0.1:41873`."""
    _server: uvicorn.Server
    _task: asyncio.Task[None]

    async def stop(self, grace_s: float = 30.0) -> None:
        """Stop accepting; answer what runs, for at most `grace_s`."""
        self._server.config.timeout_graceful_shutdown = max(1, round(grace_s))
        self._server.should_exit = True
        await self._task

    async def wait(self) -> None:
        """Return when the server has stopped."""
        await asyncio.shield(self._task)


async def serve(app: ASGIApp, host: str, port: int = 0, *, backlog: int = 4096) -> RunningServer:
    """Serve `app` on the running event loop; port 0 takes a free one. Returns once it accepts."""
    raise_limit()
    bound = socket.create_server((host, port), backlog=backlog, reuse_port=False)
    config = uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        backlog=backlog,
    )
    server = _EmbeddedServer(config)
    task = asyncio.create_task(server.serve(sockets=[bound]), name="http-server")
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0.005)
    return RunningServer(f"http://{host}:{bound.getsockname()[1]}", server, task)


class _EmbeddedServer(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Signals belong to the process that embeds this server."""
