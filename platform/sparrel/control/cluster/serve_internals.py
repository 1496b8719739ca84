"""What the runtime uses of Ray Serve's insides, all of it here.

Serve's public API restarts every replica when an application is deployed again, because it gives each
deployment a random version; a version of our own (the spec's fingerprint) makes a change of anything else
happen in place. Counts are set through the external scaler's call, which leaves healthy replicas alone.
Both are pinned by tests/control/cluster/test_private_apis.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray
import ray.serve._private.replica as serve_replica
from ray import serve
from ray._common import tls_utils
from ray.serve._private.common import DeploymentID
from ray.serve.context import _get_global_client

CALL_TIMEOUT_S = 20.0


class ServeNotRunning(RuntimeError):
    """Serve has not been started on this cluster yet."""


@dataclass(frozen=True, slots=True)
class AppView:
    """One Serve application with a single deployment, as Serve's controller sees it."""

    name: str
    status: str
    """ApplicationStatus: DEPLOYING, RUNNING, DEPLOY_FAILED, UNHEALTHY, DELETING."""
    message: str
    version: str
    target_replicas: int
    replica_states: Mapping[str, int]


def versioned(deployment: Any, version: str) -> Any:
    """Return the deployment with a version of our choice."""
    return deployment.options(version=version, _internal=True)


def deploy(application: Any, name: str) -> None:
    """Create or update an application without waiting for it (0.2 s); blocks, so call it in a thread."""
    _controller()
    target = serve.RunTarget(target=application, name=name, route_prefix=None, external_scaler_enabled=True)
    serve.run_many([target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False)


async def scale(app: str, deployment: str, replicas: int) -> None:
    identifier = DeploymentID(name=deployment, app_name=app)
    await _call(_controller().update_deployment_replicas.remote(identifier, replicas))


async def delete(app: str) -> None:
    await _call(_controller().delete_apps.remote([app]))


async def applications(prefix: str) -> dict[str, AppView]:
    """Return the applications whose name begins with `prefix`."""
    controller = _controller()
    details, infos = await asyncio.gather(
        _call(controller.get_serve_instance_details.remote()),
        _call(controller.list_deployments_internal.remote()),
    )
    versions = {identifier.app_name: info.version for identifier, (info, _) in infos.items()}
    views = {}
    for name, app in details["applications"].items():
        if name.startswith(prefix):
            views[name] = _view(name, app, versions.get(name) or "")
    return views


def confine_replica() -> None:
    """Make this Serve replica's own gRPC server, which takes pickled calls, listen on loopback only.

    Called in the replica's constructor, before Serve starts that server. Only for a node whose address is
    loopback: on a cluster the replicas of other nodes call it.
    """

    def add_port(server: Any, address: str) -> int:
        return tls_utils.add_port_to_grpc_server(server, address.replace("[::]", "127.0.0.1"))

    if ray.util.get_node_ip_address() == "127.0.0.1":
        serve_replica.add_port_to_grpc_server = add_port


def _view(name: str, app: Mapping[str, Any], version: str) -> AppView:
    deployments = list(app.get("deployments", {}).values())
    states: dict[str, int] = {}
    for replica in deployments[0].get("replicas", []) if deployments else []:
        states[replica["state"]] = states.get(replica["state"], 0) + 1
    return AppView(
        name=name,
        status=app["status"],
        message=app.get("message") or (deployments[0].get("message", "") if deployments else ""),
        version=version,
        target_replicas=deployments[0].get("target_num_replicas", 0) if deployments else 0,
        replica_states=states,
    )


def _controller() -> Any:
    client = _get_global_client(raise_if_no_controller_running=False)
    if client is None:
        raise ServeNotRunning("Serve is not running yet.")
    return client._controller


async def _call(reference: Any) -> Any:
    return await asyncio.wait_for(_result(reference), CALL_TIMEOUT_S)


async def _result(reference: Any) -> Any:
    return await reference
