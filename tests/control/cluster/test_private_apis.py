"""What the cluster adapter uses of Ray's insides is as it was when it was written."""

from __future__ import annotations

import inspect

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")

ray = pytest.importorskip("ray")


def test_ray_is_the_version_that_was_read() -> None:
    assert ray.__version__ == "2.60.0"


def test_a_node_can_be_started_without_the_dashboard() -> None:
    from ray._private.node import Node
    from ray._private.parameter import RayParams

    assert list(inspect.signature(Node.start_api_server).parameters) == [
        "self",
        "include_dashboard",
        "raise_on_failure",
    ]
    assert {"head", "shutdown_at_exit", "spawn_reaper"} <= set(inspect.signature(Node.__init__).parameters)
    used = {"node_ip_address", "gcs_server_port", "object_store_memory", "temp_dir", "no_monitor"}
    used |= {"include_log_monitor", "dashboard_agent_listen_port", "metrics_export_port"}
    assert used <= set(inspect.signature(RayParams.__init__).parameters)
    assert callable(Node.kill_all_processes)
    assert callable(Node.dead_processes)


def test_a_deployment_takes_a_version_of_ours() -> None:
    from ray import serve

    from sparrel.control.cluster.serve_internals import versioned

    @serve.deployment
    class Some:
        pass

    assert versioned(Some, "abc")._version == "abc"


def test_serves_controller_has_the_calls() -> None:
    from ray.serve._private.controller import ServeController

    def parameters(name: str) -> list[str]:
        return list(inspect.signature(getattr(ServeController, name)).parameters)

    assert parameters("update_deployment_replicas") == ["self", "deployment_id", "target_num_replicas"]
    assert parameters("delete_apps") == ["self", "names"]
    assert parameters("list_deployments_internal") == ["self"]
    assert parameters("get_serve_instance_details") == ["self", "source"]


def test_a_replica_opens_its_grpc_port_through_the_name_that_is_replaced() -> None:
    import ray.serve._private.replica as replica

    source = inspect.getsource(replica)
    assert 'add_port_to_grpc_server(self._server, "[::]:0")' in source
    assert source.count("add_port_to_grpc_server(") == 1


def test_ray_binds_to_loopback_when_told_that_there_is_one_machine() -> None:
    from ray._private import ray_constants

    assert ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR == "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


def test_serve_starts_haproxy_from_the_path_it_is_given() -> None:
    from ray.serve._private import constants, haproxy

    for name in ("BINARY_PATH", "CONFIG_FILE_LOC", "SOCKET_PATH", "METRICS_PORT", "STATS_PORT", "RETRIES"):
        assert hasattr(constants, f"RAY_SERVE_HAPROXY_{name}")
    assert '"-f", self.config_file_path' in inspect.getsource(haproxy.HAProxyApi)
