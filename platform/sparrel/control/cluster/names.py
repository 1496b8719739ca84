"""How the platform's actors are found on the cluster."""

from __future__ import annotations

from typing import Any

import ray

NAMESPACE = "sparrel"
CONTROLLER = "controller"


def find_controller() -> Any:
    """Return a handle of the controller; it stays good when the controller is restarted."""
    return ray.get_actor(CONTROLLER, namespace=NAMESPACE)
