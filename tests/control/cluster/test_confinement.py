"""HAProxy's configuration, ports and process marks: nothing open, nothing shared, nothing else ended."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sparrel.control.cluster import haproxy, processes
from sparrel.control.cluster.layout import Layout, Record
from sparrel.control.cluster.ports import NAMED, choose_ports, is_free
from sparrel.settings import Settings

SERVES = """defaults
    errorfile 503 /serve/500.http
frontend prometheus
    bind :9101
frontend http_frontend
    bind 127.0.0.1:8000
listen stats
  bind *:8404
"""


@pytest.mark.parametrize(
    ("host", "bound"),
    [
        ("127.0.0.1", "127.0.0.1:8000"),
        ("0.0.0.0", "*:8000"),
        ("::1", "[::1]:8000"),
        ("10.0.0.5", "10.0.0.5:8000"),
    ],
)
def test_only_the_platforms_port_is_open_and_only_where_it_says(host: str, bound: str) -> None:
    lines = haproxy.confine(SERVES, host, "8000", "/ours.http").splitlines()
    binds = [line.split()[1] for line in lines if line.strip().startswith("bind")]
    assert binds == ["127.0.0.1:9101", bound, "127.0.0.1:8404"]
    assert "    errorfile 503 /ours.http" in lines


def test_every_bind_of_serves_own_template_is_confined() -> None:
    from ray.serve._private.haproxy_templates import HAPROXY_CONFIG_TEMPLATE

    filled = HAPROXY_CONFIG_TEMPLATE
    for variable, value in {
        "config.metrics_port": "9101",
        "config.stats_port": "8404",
        "config.frontend_port": "8000",
        "config.frontend_host": "127.0.0.1",
        "config.grpc_frontend_host": "127.0.0.1",
        "config.grpc_frontend_port": "9000",
    }.items():
        filled = filled.replace("{{ " + variable + " }}", value)
    confined = haproxy.confine(filled, "127.0.0.1", "8000")
    binds = [line.split()[1] for line in confined.splitlines() if line.strip().startswith("bind ")]
    assert len(binds) == 4
    assert all(bind.startswith("127.0.0.1:") for bind in binds)


def test_the_answer_in_an_outage_is_whole() -> None:
    head, body = haproxy.UNAVAILABLE.split(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head


def test_two_homes_take_different_ports_and_a_taken_block_is_passed_over(tmp_path: Path) -> None:
    first = choose_ports(tmp_path)
    with socket.create_server(("127.0.0.1", first.agent)):
        assert not is_free("127.0.0.1", first.agent)
        second = choose_ports(tmp_path)
    assert abs(second.haproxy_metrics - first.haproxy_metrics) >= NAMED
    assert first.replicas_last - first.replicas_first > 400


def test_a_mark_finds_descendants_and_nothing_else() -> None:
    mark = processes.new_mark()
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()']).wait()"
    environment = {**os.environ, processes.MARK: mark}
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdin=pipe) as ours:
        stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=pipe)
        found = processes.marked(mark)
        while len(found) < 2 and ours.poll() is None:
            found = processes.marked(mark)
        assert ours.pid in {process.pid for process in found}
        assert stranger.pid not in {process.pid for process in found}
        assert processes.end(found, grace_s=5) == []
        assert processes.marked(mark) == []
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()


def test_an_id_that_was_given_away_is_not_touched() -> None:
    """A record from before a reboot names a process id that is another program's now."""
    record = Record(mark=processes.new_mark(), pid=os.getpid(), started=0, base_url="")
    assert processes.marked(record.mark) == []
    assert psutil.pid_exists(record.pid)


def test_a_long_home_gets_short_sockets_and_keeps_its_files(tmp_path: Path) -> None:
    layout = Layout(Settings(home=tmp_path / ("long" * 20)))
    layout.prepare()
    root = layout.socket_root()
    assert len(str(root)) < 30
    (root / "file").write_text("x")
    assert (layout.run / "file").read_text() == "x"
    layout.forget_record()
    assert not root.exists()
