"""The engine under asyncio: streams, aborts, lagging readers, and a typed end when it dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from sparrel.engine import (
    LLM,
    AsyncEngine,
    EngineConfig,
    EngineDead,
    EngineDeadError,
    EngineRequest,
    FinishReason,
    InvalidRequest,
    ModelLoadError,
    OutputDelta,
    PromptTooLong,
    SamplingParams,
)

from .conftest import random_prompts


@pytest.fixture
async def engine(llama: Path) -> AsyncIterator[AsyncEngine]:
    engine = AsyncEngine(EngineConfig(llama))
    await engine.start()
    yield engine
    await engine.shutdown()


def request(request_id: str, prompt: list[int], max_tokens: int | None = 10, **params: Any) -> EngineRequest:
    sampling = SamplingParams(max_tokens=max_tokens, temperature=0.0, ignore_eos=True, **params)
    return EngineRequest(request_id, prompt, sampling)


async def collect(engine: AsyncEngine, wanted: EngineRequest) -> OutputDelta:
    merged: OutputDelta | None = None
    async for delta in engine.generate(wanted):
        assert delta.request_id == wanted.request_id
        if merged is None:
            merged = delta
        else:
            merged.merge(delta)
    assert merged is not None
    return merged


async def until_idle(engine: AsyncEngine) -> None:
    async with asyncio.timeout(10):
        # There is no event for this: the counters are what an operator would watch.
        while (stats := engine.stats()).running or stats.waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)


async def test_streams_equal_the_offline_result(engine: AsyncEngine, llama: Path) -> None:
    prompts = random_prompts(5, 30, 17, 60, 9)
    ends = await asyncio.gather(
        *(collect(engine, request(str(i), prompt)) for i, prompt in enumerate(prompts))
    )
    params = SamplingParams(max_tokens=10, temperature=0.0, ignore_eos=True)
    assert [end.token_ids for end in ends] == [out.token_ids for out in LLM(llama).generate(prompts, params)]
    assert {end.finish_reason for end in ends} == {FinishReason.LENGTH}


async def test_an_error_is_the_final_delta(engine: AsyncEngine) -> None:
    end = await collect(engine, request("long", [5] * 300))
    assert isinstance(end.error, PromptTooLong)
    assert end.finish_reason == FinishReason.ERROR


async def test_leaving_the_loop_aborts_and_frees_the_blocks(engine: AsyncEngine) -> None:
    async with aclosing(engine.generate(request("a", [5, 6, 7], max_tokens=None))) as deltas:
        async for _ in deltas:
            break
    loop = asyncio.get_running_loop()
    started = loop.time()
    await until_idle(engine)
    assert loop.time() - started < 1.0
    stats = engine.stats()
    assert stats.blocks_free + stats.blocks_cached == stats.blocks_total
    assert stats.generated_tokens_total < 240


async def test_cancelling_the_consumer_aborts(engine: AsyncEngine) -> None:
    first = asyncio.Event()

    async def consume() -> None:
        async for _ in engine.generate(request("a", [5, 6, 7], max_tokens=None)):
            first.set()

    task = asyncio.create_task(consume())
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until_idle(engine)


async def test_abort_ends_the_iterator(engine: AsyncEngine) -> None:
    reasons = []
    async for delta in engine.generate(request("a", [5, 6, 7], max_tokens=None)):
        engine.abort("a")
        reasons.append(delta.finish_reason)
    assert reasons[-1] == FinishReason.ABORT
    engine.abort("unknown")


async def test_an_id_can_be_used_again_at_once(engine: AsyncEngine) -> None:
    expected = (await collect(engine, request("other", [5, 6, 7]))).token_ids
    for _ in range(5):
        async with aclosing(engine.generate(request("a", [8, 9], max_tokens=None))) as deltas:
            async for _ in deltas:
                break
        assert (await collect(engine, request("a", [5, 6, 7]))).token_ids == expected


async def test_an_id_in_use_is_refused(engine: AsyncEngine) -> None:
    async with aclosing(engine.generate(request("a", [5], max_tokens=None))) as deltas:
        await anext(deltas)
        with pytest.raises(InvalidRequest):
            await collect(engine, request("a", [6]))


async def test_a_lagging_reader_finds_one_merged_delta(engine: AsyncEngine) -> None:
    # Two of them: the second's end shows that the first's tokens have all been delivered.
    slow = engine.generate(request("slow", [5, 6, 7], max_tokens=20, logprobs=1))
    first = await anext(slow)
    await collect(engine, request("quick", [5, 6, 7], max_tokens=40))
    rest = [delta async for delta in slow]
    assert len(rest) == 1
    assert len(first.token_ids) + len(rest[0].token_ids) == 20
    assert rest[0].logprobs is not None
    assert [entry.token_id for entry in rest[0].logprobs] == rest[0].token_ids


async def test_death_reaches_every_iterator(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("device lost")

    streams = [engine.generate(request(str(i), [5, 6, 7], max_tokens=None)) for i in range(3)]
    for stream in streams:
        await anext(stream)
    monkeypatch.setattr(engine.engine._runner.model, "forward", fail)
    for stream in streams:
        with pytest.raises(EngineDeadError):
            async for _ in stream:
                pass
    with pytest.raises(EngineDead, match="device lost"):
        await collect(engine, request("later", [5]))
    with pytest.raises(EngineDead):
        engine.stats()


async def test_shutdown_ends_what_is_pending(llama: Path) -> None:
    engine = AsyncEngine(EngineConfig(llama))
    await engine.start()
    stream = engine.generate(request("a", [5, 6, 7], max_tokens=None))
    await anext(stream)
    await engine.shutdown()
    with pytest.raises(EngineDead):
        async for _ in stream:
            pass
    await engine.shutdown()


async def test_use_before_start_and_failed_start(llama: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineDead):
        await collect(AsyncEngine(EngineConfig(llama)), request("a", [5]))
    with pytest.raises(ModelLoadError):
        await AsyncEngine(EngineConfig(tmp_path)).start()
