"""The autoscaling policy: load targets, and windows that must pass before anything changes."""

from __future__ import annotations

import pytest

from sparrel.control.controller.autoscaler import Load, Memory, Policy, step, wake, wanted

POLICY = Policy(min_replicas=0, max_replicas=8)


class Deployment:
    """Replays the policy over time, as the controller does at each tick."""

    def __init__(self, policy: Policy, replicas: int = 1) -> None:
        self.policy, self.replicas, self.now = policy, replicas, 1000.0
        self.memory = Memory()

    def live(self, seconds: float, load: Load, tick_s: float = 1.0) -> int:
        """Let time pass under one load; a memory that goes through JSON at each tick loses nothing."""
        for _ in range(round(seconds / tick_s)):
            self.replicas, self.memory = step(self.policy, self.replicas, load, self.memory, self.now)
            self.memory = Memory.of(self.memory.stored())
            self.now += tick_s
        return self.replicas


BUSY = Load(running=16, waiting=14, capacity=16)
IDLE = Load(capacity=16)


@pytest.mark.parametrize(
    ("load", "replicas"),
    [
        (Load(running=0, capacity=10), 0),
        (Load(running=1, capacity=10), 1),
        (Load(running=8, capacity=10), 1),
        (Load(running=9, capacity=10), 2),
        (Load(running=10, waiting=6, capacity=10), 2),
        (Load(running=10, waiting=7, capacity=10), 3),
    ],
)
def test_the_default_target_is_a_share_of_what_the_engines_run_at_once(load: Load, replicas: int) -> None:
    assert wanted(POLICY, load) == replicas


def test_of_several_targets_the_largest_answer_wins() -> None:
    policy = Policy(load_targets={"default": 0.8, "tokens_generated_per_second": 100})
    assert wanted(policy, Load(running=1, capacity=10, tokens_per_s=250)) == 3
    assert wanted(policy, Load(running=30, capacity=10, tokens_per_s=250)) == 4


def test_load_must_stay_high_for_the_scale_up_window() -> None:
    deployment = Deployment(POLICY)
    assert deployment.live(30, BUSY) == 1
    assert deployment.live(1, BUSY) == 3


def test_a_dip_starts_the_window_again() -> None:
    deployment = Deployment(POLICY)
    deployment.live(29, BUSY)
    deployment.live(1, Load(running=1, capacity=16))
    assert deployment.live(30, BUSY) == 1


def test_a_peak_within_the_window_does_not_decide() -> None:
    deployment = Deployment(POLICY)
    deployment.live(15, Load(running=16, waiting=80, capacity=16))
    assert deployment.live(16, BUSY) == 3


def test_load_must_stay_low_for_the_scale_down_window_and_the_highest_load_in_it_decides() -> None:
    deployment = Deployment(POLICY, replicas=4)
    deployment.live(300, BUSY)
    assert deployment.live(300, Load(running=1, capacity=16)) == 4
    assert deployment.live(1, Load(running=1, capacity=16)) == 3


def test_the_last_replica_stops_after_the_scale_to_zero_window() -> None:
    deployment = Deployment(POLICY)
    assert deployment.live(3600, IDLE) == 1
    assert deployment.live(1, IDLE) == 0


def test_a_request_between_two_looks_counts_as_use() -> None:
    deployment = Deployment(POLICY)
    deployment.live(3590, IDLE)
    deployment.live(1, Load(capacity=16, active=True))
    assert deployment.live(3589, IDLE) == 1


def test_a_minimum_above_zero_keeps_it_awake() -> None:
    assert Deployment(Policy(min_replicas=1, max_replicas=2)).live(10_000, IDLE, tick_s=10) == 1


def test_new_bounds_hold_at_once() -> None:
    assert Deployment(Policy(min_replicas=2, max_replicas=4)).live(1, IDLE) == 2
    assert Deployment(Policy(min_replicas=0, max_replicas=1), replicas=3).live(1, BUSY) == 1
    assert Deployment(Policy(min_replicas=0, max_replicas=0)).live(1, BUSY) == 0


def test_sleepers_stay_asleep_until_somebody_asks() -> None:
    deployment = Deployment(POLICY, replicas=0)
    assert deployment.live(100, IDLE) == 0
    assert wake(POLICY, Memory(), now=5.0) == (1, Memory(last_active=5.0))
    assert wake(Policy(min_replicas=0, max_replicas=0), Memory(), now=5.0)[0] == 0


def test_a_deployment_document_is_read_with_the_contracts_defaults() -> None:
    assert Policy.of({"minReplicaCount": 2}) == Policy(min_replicas=2, max_replicas=2)
    policy = Policy.of(
        {
            "maxReplicaCount": 3,
            "autoscalingPolicy": {"scaleUpWindow": "1.5s", "loadTargets": {"default": 0.5}},
        }
    )
    assert policy == Policy(0, 3, scale_up_window_s=1.5, load_targets={"default": 0.5})
