"""The ingress: the only Serve application with a route; HAProxy passes all requests to its replicas."""

from __future__ import annotations

from typing import Any

from ray import serve

from sparrel.control.cluster.layout import Layout
from sparrel.control.cluster.serve_internals import confine_replica
from sparrel.settings import Settings

MAX_OPEN_REQUESTS = 20_000
"""Far above the gateway's own limit, which answers in the API's words."""
DRAIN_S = 60.0
ON_HEAD = {"node:__internal_head__": 0.001}
"""The head node is where a store in a file is, and where HAProxy listens."""


def build(replicas: int) -> Any:
    """Return the Serve deployment of the ingress, to be bound."""

    @serve.deployment(
        name="ingress",
        num_replicas=replicas,
        max_ongoing_requests=MAX_OPEN_REQUESTS,
        ray_actor_options={"num_cpus": 0, "resources": ON_HEAD},
        health_check_period_s=5,
        graceful_shutdown_timeout_s=DRAIN_S,
    )
    @serve.ingress(_app)
    class Ingress:
        """Serve's replica around the ASGI app."""

    return Ingress


def _app() -> Any:
    """Make the app inside the replica, where the platform's environment is."""
    # The supervisor imports this module to deploy it, and has no use for the app's libraries.
    from sparrel.control.ingress import IngressApp

    confine_replica()
    settings = Settings.from_env()
    return IngressApp(settings, Layout(settings).secret.read_text())
