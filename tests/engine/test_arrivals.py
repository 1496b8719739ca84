"""Whatever arrives in whatever order: blocks add up, nobody starves, everybody gets one typed end."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparrel.engine import (
    CacheTooSmall,
    Engine,
    EngineConfig,
    EngineRequest,
    FinishReason,
    InvalidRequest,
    OutputDelta,
    PromptTooLong,
    QueueFull,
    SamplingParams,
)

BLOCK, BLOCKS, CONTEXT = 4, 14, 72
CAPACITY = BLOCK * BLOCKS


@dataclass(frozen=True)
class Arrival:
    """A request: `shared` tokens of a common prefix, then its own; aborted `abort_after` steps later."""

    wait: int
    shared: int
    own: int
    max_tokens: int
    salt: str
    cache_max_len: int | None
    priority: int
    abort_after: int | None
    temperature: float

    def prompt(self, index: int) -> list[int]:
        return [3 + i % 40 for i in range(self.shared)] + [50 + (7 * index + i) % 90 for i in range(self.own)]


arrivals = st.lists(
    st.builds(
        Arrival,
        wait=st.integers(0, 3),
        shared=st.integers(0, 40),
        own=st.integers(0, 40),
        max_tokens=st.integers(0, 30),
        salt=st.sampled_from(["", "", "a"]),
        cache_max_len=st.sampled_from([None, None, 0, 10]),
        priority=st.sampled_from([0, 0, 0, 1]),
        abort_after=st.one_of(st.none(), st.none(), st.integers(0, 12)),
        temperature=st.sampled_from([0.0, 1.0]),
    ),
    min_size=1,
    max_size=10,
)


@pytest.fixture(scope="module")
def build(llama: Path) -> Callable[[bool], Engine]:
    """A fresh engine over the same loaded weights would cost a load per example; one per setting is kept."""
    engines: dict[bool, Engine] = {}

    def get(prefix_caching: bool) -> Engine:
        if prefix_caching not in engines:
            config = EngineConfig(
                llama,
                block_size=BLOCK,
                num_blocks=BLOCKS,
                max_model_len=CONTEXT,
                max_num_seqs=4,
                max_batched_tokens=20,
                max_waiting=5,
                prefix_caching=prefix_caching,
            )
            engines[prefix_caching] = Engine(config)
        return engines[prefix_caching]

    return get


def play(engine: Engine, plan: list[Arrival]) -> dict[str, list[OutputDelta]]:
    """Add and abort as planned, checking the books after every move."""
    deltas: dict[str, list[OutputDelta]] = {}
    aborts: dict[int, list[str]] = {}
    step = 0

    def advance() -> None:
        nonlocal step
        for delta in engine.step():
            deltas.setdefault(delta.request_id, []).append(delta)
        engine.check_invariants()
        step += 1
        for request_id in aborts.pop(step, []):
            engine.abort(request_id)
            engine.check_invariants()

    for index, arrival in enumerate(plan):
        for _ in range(arrival.wait):
            advance()
        sampling = SamplingParams(max_tokens=arrival.max_tokens, temperature=arrival.temperature, seed=index)
        engine.add(
            EngineRequest(
                str(index),
                arrival.prompt(index),
                sampling,
                cache_salt=arrival.salt,
                cache_max_len=arrival.cache_max_len,
                priority=arrival.priority,
            )
        )
        if arrival.abort_after is not None:
            aborts.setdefault(step + 1 + arrival.abort_after, []).append(str(index))
    bound = step + 40 * sum(len(arrival.prompt(0)) + arrival.max_tokens + 2 for arrival in plan)
    while engine.has_work:
        assert step < bound, "somebody starves"
        advance()
    return deltas


def check_end(arrival: Arrival, length: int, deltas: list[OutputDelta]) -> None:
    assert [delta.finish_reason is not None for delta in deltas] == [False] * (len(deltas) - 1) + [True]
    final, tokens = deltas[-1], [token for delta in deltas for token in delta.token_ids]
    if length == 0:
        expected: type = InvalidRequest
    elif length > CONTEXT - 1:
        expected = PromptTooLong
    elif length > CAPACITY:
        expected = CacheTooSmall
    else:
        assert final.error is None or isinstance(final.error, QueueFull)
        limit = min(arrival.max_tokens, CONTEXT - length, CAPACITY - length + 1)
        assert len(tokens) <= limit
        if final.finish_reason == FinishReason.LENGTH:
            assert len(tokens) == limit
        if final.finish_reason == FinishReason.ABORT:
            assert arrival.abort_after is not None
        return
    assert isinstance(final.error, expected)
    assert tokens == []


@pytest.mark.parametrize("prefix_caching", [True, False])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=arrivals)
def test_any_arrival_order(
    prefix_caching: bool, plan: list[Arrival], build: Callable[[bool], Engine]
) -> None:
    engine = build(prefix_caching)
    deltas = play(engine, plan)
    assert set(deltas) == {str(index) for index in range(len(plan))}
    for index, arrival in enumerate(plan):
        check_end(arrival, len(arrival.prompt(index)), deltas[str(index)])
    stats = engine.stats()
    assert (stats.running, stats.waiting) == (0, 0)
    assert stats.blocks_free + stats.blocks_cached == stats.blocks_total
    if not prefix_caching:
        assert stats.blocks_cached == 0
