"""What is killed comes back by itself, and what the client sees meanwhile is an answer or an honest error."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.support.running import Platform, eventually, stream

pytestmark = pytest.mark.ray


def kill(process: psutil.Process) -> None:
    process.kill()
    process.wait(timeout=10)


def test_the_controller_comes_back_and_adopts_what_runs(platform: Platform, deployment: str) -> None:
    replica = platform.process(f"ServeReplica:dep:{deployment}:")
    kill(platform.process("ray::ControllerActor"))
    assert platform.chat(deployment).status_code == 200
    eventually(lambda: platform.processes_titled("ray::ControllerActor"), what="a new controller")
    platform.patch(deployment, "", minReplicaCount=1, maxReplicaCount=2)
    platform.patch(deployment, ":scale", replicaCount=2)
    platform.until(deployment, replicaCount=2, state="READY")
    assert replica.is_running()


def test_a_replica_killed_in_a_stream_ends_it_with_an_error_and_comes_back(
    platform: Platform, deployment: str
) -> None:
    events = stream(platform, deployment, max_tokens=1500)
    next(events)
    replica = platform.process(f"ServeReplica:dep:{deployment}:")
    kill(replica)
    rest = list(read(events))
    assert "error" in rest[-1]
    assert platform.chat(deployment).status_code == 200
    platform.until(deployment, replicaCount=1, state="READY")


def test_an_ingress_killed_in_a_stream_comes_back(platform: Platform, deployment: str) -> None:
    events = stream(platform, deployment, max_tokens=1500)
    next(events)
    kill(platform.process("ServeReplica:ingress:"))
    with pytest.raises(httpx.HTTPError):
        list(events)
    eventually(lambda: answers(platform, deployment), within_s=60, what="an answer")


def test_haproxys_manager_comes_back_with_the_port(platform: Platform, deployment: str) -> None:
    kill(platform.process("ray::HAProxyManager"))
    eventually(lambda: answers(platform, deployment), within_s=60, what="an answer")


def answers(platform: Platform, deployment: str) -> bool:
    try:
        return platform.chat(deployment).status_code == 200
    except httpx.HTTPError:
        return False


def read(events: Iterator[dict[str, object]]) -> Iterator[dict[str, object]]:
    """Read to the end, even a broken one."""
    try:
        yield from events
    except httpx.HTTPError:
        return
