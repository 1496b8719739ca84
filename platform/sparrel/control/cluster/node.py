"""A one-machine Ray node, through the parts of Ray that `ray start` is made of.

Ray has no public way to start a node that listens on loopback only and leaves out what a platform on one
machine does not use (the client server, the cluster autoscaler's monitor, the dashboard: 170 MiB). What is
used here of Ray's insides is pinned by tests/control/cluster/test_private_apis.py.
"""

from __future__ import annotations

import os
from pathlib import Path

from ray._private.node import Node
from ray._private.parameter import RayParams

from sparrel.control.cluster.environment import LOOPBACK

OBJECT_STORE_BYTES = 80_000_000
"""Ray's minimum: nothing large goes through the object store."""


class LocalNode(Node):
    """A head node without the dashboard."""

    def start_api_server(self, *, include_dashboard: bool | None, raise_on_failure: bool) -> None:
        self._webui_url = None


def start_node(folder: Path, agent_port: int) -> LocalNode:
    """Start Ray's processes as children of this one; they end with it, however it ends."""
    parameters = RayParams(
        node_ip_address=LOOPBACK,
        node_name="sparrel",
        gcs_server_port=0,
        num_cpus=os.cpu_count() or 1,
        object_store_memory=OBJECT_STORE_BYTES,
        temp_dir=str(folder),
        include_dashboard=False,
        include_log_monitor=False,  # type: ignore[arg-type]
        no_monitor=True,
        dashboard_agent_listen_port=agent_port,
        metrics_export_port=0,
    )
    return LocalNode(parameters, head=True, shutdown_at_exit=False, spawn_reaper=True)


def first_death(node: LocalNode) -> str:
    """Return which of the node's processes has ended, and how; empty while all live."""
    return ", ".join(f"{kind} ended with {process.returncode}" for kind, process in node.dead_processes())


def stop_node(node: LocalNode) -> None:
    node.kill_all_processes(check_alive=False, allow_graceful=True)
