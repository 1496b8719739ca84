"""The choice of a replica: same key, same replica, within bounds; least load otherwise."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparrel.inference.gateway import Replica
from sparrel.inference.gateway.affinity import affinity_key
from sparrel.inference.gateway.balancer import BOUND, Balancer


def replicas(*loads: int, capacity: int = 8) -> list[Replica]:
    return [Replica(f"r{i}", f"http://r{i}", running=load, capacity=capacity) for i, load in enumerate(loads)]


def test_without_a_key_the_least_loaded_is_chosen() -> None:
    assert Balancer().choose(replicas(3, 1, 2), None).id == "r1"


def test_load_is_relative_to_capacity() -> None:
    small = Replica("small", "", running=2, capacity=4)
    large = Replica("large", "", running=4, capacity=32)
    assert Balancer().choose([small, large], None) is large


def test_own_requests_count_before_the_next_report() -> None:
    balancer, pool = Balancer(), replicas(0, 0, 0)
    with ExitStack() as open_requests:
        for _ in range(6):
            open_requests.enter_context(balancer.lease(balancer.choose(pool, None)))
        assert [balancer.own(replica.id) for replica in pool] == [2, 2, 2]
    assert [balancer.own(replica.id) for replica in pool] == [0, 0, 0]


def test_a_report_of_our_own_requests_does_not_count_them_twice() -> None:
    balancer = Balancer()
    (replica,) = replicas(0)
    with balancer.lease(replica), balancer.lease(replica):
        (reported,) = replicas(3)
        balancer.choose([reported], None)
        assert balancer.load(reported) == 3


@given(key=st.binary(min_size=1), order=st.permutations(range(5)))
def test_a_key_always_leads_to_the_same_replica_while_it_is_idle(key: bytes, order: list[int]) -> None:
    pool = replicas(0, 0, 0, 0, 0)
    assert Balancer().choose([pool[i] for i in order], key) is Balancer().choose(pool, key)


@given(key=st.binary(min_size=1), gone=st.integers(0, 4))
def test_losing_another_replica_moves_no_key(key: bytes, gone: int) -> None:
    pool = replicas(0, 0, 0, 0, 0)
    chosen = Balancer().choose(pool, key)
    left = [replica for i, replica in enumerate(pool) if i != gone]
    assert chosen not in left or Balancer().choose(left, key) is chosen


@given(keys=st.lists(st.binary(max_size=2), min_size=1, max_size=60))
def test_no_replica_gets_more_than_its_bounded_share(keys: list[bytes]) -> None:
    balancer, pool = Balancer(), replicas(0, 0, 0, capacity=4)
    with ExitStack() as open_requests:
        for number, key in enumerate(keys, 1):
            open_requests.enter_context(balancer.lease(balancer.choose(pool, key)))
            assert max(balancer.own(replica.id) for replica in pool) <= BOUND * number / 3 + 1


def test_keys_spread_over_the_replicas() -> None:
    balancer, pool = Balancer(), replicas(0, 0, 0, 0)
    chosen = [balancer.choose(pool, str(key).encode()).id for key in range(400)]
    assert all(60 < chosen.count(replica.id) < 140 for replica in pool)


def scope(**headers: str) -> dict[str, object]:
    return {"headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]}


LONG = "word " * 200


@pytest.mark.parametrize(
    ("headers", "document", "affinity", "key"),
    [
        ({"x_session_affinity": "s"}, {"prompt": LONG}, False, b"session:s"),
        ({}, {"prompt_cache_key": "c", "user": "u"}, True, b"session:c"),
        ({}, {"user": "u", "prompt": "hi"}, True, b"session:u"),
        ({}, {"user": "u", "prompt": "hi"}, False, None),
        ({}, {"prompt": "hi"}, False, None),
        ({}, {"prompt": 5}, False, None),
        ({}, {"messages": []}, False, None),
        ({}, {"messages": "text"}, False, None),
    ],
)
def test_the_session_is_the_key_else_a_long_prompts_beginning(
    headers: dict[str, str], document: dict[str, object], affinity: bool, key: bytes | None
) -> None:
    assert affinity_key(scope(**headers), document, session_affinity=affinity) == key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"prompt": LONG + LONG + "a"}, {"prompt": LONG + LONG + "b"}),
        ({"prompt": [7] * 2000}, {"prompt": [7] * 1999 + [8]}),
        (
            {
                "messages": [
                    {"role": "system", "content": LONG},
                    {"role": "user", "content": "a"},
                    {"role": "user"},
                ]
            },
            {"messages": [{"role": "system", "content": LONG}, {"role": "user", "content": "a"}]},
        ),
    ],
)
def test_prompts_with_the_same_beginning_share_a_key(
    one: dict[str, object], other: dict[str, object]
) -> None:
    key = affinity_key(scope(), one, session_affinity=False)
    assert key is not None
    assert key == affinity_key(scope(), other, session_affinity=False)
