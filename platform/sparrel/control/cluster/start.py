"""Turn a Ray cluster into a platform: the controller, Serve with its HAProxy, and the ingress."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable

import ray
from ray import serve

from sparrel import __version__
from sparrel.control.cluster.actor import start_controller
from sparrel.control.cluster.environment import LOOPBACK
from sparrel.control.cluster.serve_internals import versioned
from sparrel.settings import Settings

INGRESS = "ingress"
INGRESS_BUILDER = "serve_apps.ingress:build"
CONTROLLER_TIMEOUT_S = 60.0


def start_platform(settings: Settings, say: Callable[[str], None]) -> None:
    """Start the parts on the cluster this process is connected to; current ones are left as they are."""
    say("Starting the controller")
    controller = start_controller()
    say("Starting Serve")
    # HAProxy itself listens where the settings say (haproxy.py); this is for Serve's inner servers.
    # It waits a minute for HAProxy; whoever called us waits for the ingress itself, and longer.
    with contextlib.suppress(TimeoutError):
        serve.start(proxy_location="HeadOnly", http_options={"host": LOOPBACK, "port": settings.port})
    say("Starting the ingress")
    deploy_ingress()
    trouble = ray.get(controller.started.remote(CONTROLLER_TIMEOUT_S), timeout=CONTROLLER_TIMEOUT_S + 30)
    if trouble:
        raise RuntimeError(trouble)


def deploy_ingress(replicas: int = 1) -> None:
    """Create or update the ingress, the only application with a route."""
    module, _, name = INGRESS_BUILDER.partition(":")
    deployment = getattr(importlib.import_module(module), name)(replicas)
    application = versioned(deployment, __version__).bind()
    target = serve.RunTarget(target=application, name=INGRESS, route_prefix="/")
    serve.run_many([target], wait_for_applications_running=False)
