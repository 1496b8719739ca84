"""The ingress as a Serve application: the only one with a route."""

from __future__ import annotations

import importlib

from ray import serve

from sparrel import __version__
from sparrel.control.cluster.serve_internals import versioned

INGRESS = "ingress"
BUILDER = "serve_apps.ingress:build"


def deploy_ingress(replicas: int = 1) -> None:
    """Create or update the ingress; replicas of the current build are left alone."""
    module, _, name = BUILDER.partition(":")
    deployment = getattr(importlib.import_module(module), name)(replicas)
    application = versioned(deployment, __version__).bind()
    target = serve.RunTarget(target=application, name=INGRESS, route_prefix="/")
    serve.run_many([target], wait_for_applications_running=False)
