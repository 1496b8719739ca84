"""A deployment's life: created, asked, scaled in place, asleep, woken, deleted; and failing honestly."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.running import BROKEN_MODEL, Platform, eventually, stream

pytestmark = pytest.mark.ray


def test_a_chat_is_streamed(platform: Platform, deployment: str) -> None:
    events = list(stream(platform, deployment, max_tokens=12))
    text = "".join(c["delta"].get("content") or "" for e in events for c in e["choices"])
    assert text
    assert [c["finish_reason"] for c in events[-1]["choices"]] in ([], ["length"])


def test_scaling_leaves_the_healthy_replica_alone(platform: Platform, deploy: Callable[..., str]) -> None:
    deployment = deploy(minReplicaCount=1, maxReplicaCount=2)
    [first] = replica_pids(platform, deployment)
    platform.patch(deployment, ":scale", replicaCount=2)
    platform.until(deployment, replicaCount=2, state="READY")
    assert first in replica_pids(platform, deployment)
    platform.patch(deployment, ":scale", replicaCount=1)
    platform.until(deployment, replicaCount=1, state="READY")
    eventually(lambda: len(replica_pids(platform, deployment)) == 1, what="one replica")
    assert platform.chat(deployment).status_code == 200


def test_any_number_of_waiting_requests_wake_a_sleeper_once(platform: Platform, deployment: str) -> None:
    platform.patch(deployment, ":scale", replicaCount=0)
    platform.until(deployment, replicaCount=0, state="READY")
    eventually(lambda: not replica_pids(platform, deployment), what="sleep")
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: platform.chat(deployment), range(20)))
    assert [answer.status_code for answer in answers] == [200] * 20
    assert platform.get(deployment)["desiredReplicaCount"] == 1
    assert len(replica_pids(platform, deployment)) == 1


def test_load_on_the_engine_adds_a_replica(platform: Platform, deploy: Callable[..., str]) -> None:
    policy = {"scaleUpWindow": "1s", "scaleDownWindow": "3s"}
    deployment = deploy(minReplicaCount=1, maxReplicaCount=2, maxBatchSize=2, autoscalingPolicy=policy)
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(platform.chat, deployment, 1500) for _ in range(4)]
        platform.until(deployment, desiredReplicaCount=2)
        assert [answer.result().status_code for answer in answers] == [200] * 4
    platform.until(deployment, desiredReplicaCount=1, replicaCount=1)


def test_a_deleted_deployment_is_gone_with_its_replicas(platform: Platform) -> None:
    name = platform.deploy("gone")
    platform.until(name, state="READY")
    platform.delete(name)
    platform.until(name, state=404)
    eventually(lambda: not replica_pids(platform, name), what="no replica")
    assert platform.chat(name).status_code == 404


def test_a_model_that_cannot_load_fails_with_the_reason_and_is_left_alone(platform: Platform) -> None:
    name = platform.deploy("broken", BROKEN_MODEL)
    failed = platform.until(name, state="FAILED")
    assert failed["status"]["code"] == "FAILED_PRECONDITION"
    assert "safetensors" in failed["status"]["message"]
    eventually(lambda: not replica_pids(platform, name), what="no replica")
    answer = platform.chat(name)
    assert answer.status_code == 503
    assert "safetensors" in answer.json()["error"]["message"]
    assert platform.get(name)["state"] == "FAILED"
    platform.delete(name)


def test_what_the_machine_does_not_have_is_said(platform: Platform) -> None:
    name = platform.deploy("gpu", acceleratorType="NVIDIA_H100_80GB", acceleratorCount=1)
    failed = platform.until(name, state="FAILED", within_s=60)
    assert failed["status"]["code"] == "RESOURCE_EXHAUSTED"
    assert "GPU" in failed["status"]["message"]
    platform.delete(name)


def replica_pids(platform: Platform, deployment: str) -> list[int]:
    return [process.pid for process in platform.processes_titled(f"ServeReplica:dep:{deployment}:")]
