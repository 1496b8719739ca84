"""A platform on a machine: what it listens on, its neighbours, its end."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import psutil
import pytest

from sparrel.control.cluster import local
from sparrel.control.cluster.layout import Layout
from sparrel.control.cluster.ports import PortInUse
from sparrel.settings import Settings
from tests.support.running import Platform, eventually, start

pytestmark = pytest.mark.ray


def test_nothing_listens_beyond_loopback(platform: Platform, deployment: str) -> None:
    assert deployment
    sockets = [c for p in platform.processes() for c in p.net_connections() if c.status == psutil.CONN_LISTEN]
    assert (("127.0.0.1", platform.settings.port)) in {c.laddr for c in sockets}
    outside = {c.laddr for c in sockets} - {c.laddr for c in sockets if c.laddr.ip in LOOPBACK}
    assert outside == set()


def test_what_lies_on_disk_is_private(platform: Platform) -> None:
    layout = Layout(platform.settings)
    assert stat.S_IMODE(layout.run.stat().st_mode) == 0o700
    for file in (layout.secret, layout.ray_token, layout.record, layout.run / "api_key"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_up_again_finds_it_running(platform: Platform) -> None:
    before = {p.pid for p in platform.processes()}
    again = local.up(platform.settings)
    assert again.already_running
    assert again.base_url == platform.settings.base_url
    assert before & {p.pid for p in platform.processes()}


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=str(port)):
            local.up(Settings(home=tmp_path / "home", port=port))


def test_two_live_side_by_side_and_down_ends_only_its_own(platform: Platform, tmp_path: Path) -> None:
    other = start(tmp_path / "a-home-folder-with-a-name-too-long-for-sockets" / "home")
    try:
        mine, theirs = pids(platform), pids(other)
        assert not mine & theirs
        assert other.get("accounts/default")["state"] == "READY"
    finally:
        local.down(other.settings)
    assert not any(psutil.pid_exists(pid) for pid in theirs)
    assert pids(platform) >= mine
    assert platform.get("accounts/default")["state"] == "READY"
    assert not [p for p in Path("/tmp").glob(".sparrel-*") if os.readlink(p) == str(other.settings.run_dir)]
    assert not local.down(other.settings)


def test_up_after_a_crash_clears_away_and_keeps_the_data(tmp_path: Path) -> None:
    first = start(tmp_path / "home")
    try:
        supervisor = first.process("sparrel.control.cluster.head")
        supervisor.kill()
        supervisor.wait(timeout=10)
        second = local.up(first.settings)
        assert not second.already_running
        assert second.api_key == first.api_key
        eventually(lambda: first.get("accounts/default")["state"] == "READY", what="the account")
    finally:
        local.down(first.settings)
    assert first.processes() == []


LOOPBACK = ("127.0.0.1", "::1", "::ffff:127.0.0.1")


def pids(platform: Platform) -> set[int]:
    return {process.pid for process in platform.processes()}
