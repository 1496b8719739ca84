"""Requests and their answers: one typed end each, and memory that always adds up."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import sparrel.engine
from sparrel.engine import (
    CacheTooSmall,
    Engine,
    EngineConfig,
    EngineDead,
    EngineRequest,
    FinishReason,
    InvalidRequest,
    NumericalError,
    OutputDelta,
    PromptTooLong,
    QueueFull,
    SamplingParams,
)

from .conftest import VOCAB, random_prompts

POISON = 3


def engine(folder: Path, **config: Any) -> Engine:
    return Engine(EngineConfig(folder, **config))


def request(request_id: str, prompt: list[int], **params: Any) -> EngineRequest:
    fields = {
        name: params.pop(name) for name in ("cache_salt", "cache_max_len", "priority") if name in params
    }
    return EngineRequest(
        request_id, prompt, SamplingParams(**{"max_tokens": 8, "temperature": 0.0, **params}), **fields
    )


def drain(core: Engine) -> dict[str, OutputDelta]:
    """Step until idle; the merged deltas by request, each checked to end exactly once."""
    merged: dict[str, OutputDelta] = {}
    while core.has_work:
        for delta in core.step():
            if delta.request_id in merged:
                assert merged[delta.request_id].finish_reason is None, "news after the end"
                merged[delta.request_id].merge(delta)
            else:
                merged[delta.request_id] = delta
        core.check_invariants()
    assert all(delta.finish_reason is not None for delta in merged.values())
    assert all((delta.error is not None) == (delta.finish_reason == "error") for delta in merged.values())
    return merged


def answer(core: Engine, prompt: list[int], **params: Any) -> OutputDelta:
    core.add(request("only", prompt, **params))
    return drain(core)["only"]


# --- limits ------------------------------------------------------------------------------------


def test_a_prompt_that_leaves_no_room_names_both_numbers(llama: Path) -> None:
    error = answer(engine(llama, max_model_len=32), random_prompts(32)[0]).error
    assert isinstance(error, PromptTooLong)
    assert "32" in str(error)
    assert "31" in str(error)


def test_max_tokens_is_lowered_to_what_fits(llama: Path) -> None:
    for max_tokens in (100, None):
        delta = answer(
            engine(llama, max_model_len=32), random_prompts(25)[0], max_tokens=max_tokens, ignore_eos=True
        )
        assert (len(delta.token_ids), delta.finish_reason) == (7, FinishReason.LENGTH)


def test_a_prompt_larger_than_the_cache_is_refused(llama: Path) -> None:
    error = answer(engine(llama, num_blocks=2, max_model_len=100), random_prompts(33)[0]).error
    assert isinstance(error, CacheTooSmall)


def test_a_request_may_fill_the_whole_cache(llama: Path) -> None:
    delta = answer(
        engine(llama, num_blocks=2, max_model_len=100),
        random_prompts(20)[0],
        max_tokens=None,
        ignore_eos=True,
    )
    assert (len(delta.token_ids), delta.finish_reason) == (13, FinishReason.LENGTH)


@pytest.mark.parametrize(
    ("prompt", "params"),
    [
        ([], {}),
        ([VOCAB], {}),
        ([-1], {}),
        ([5], {"logit_bias": {VOCAB: 1.0}}),
        ([5], {"stop_token_ids": (-2,)}),
    ],
)
def test_requests_that_make_no_sense_get_an_error(
    prompt: list[int], params: dict[str, Any], llama: Path
) -> None:
    assert isinstance(answer(engine(llama), prompt, **params).error, InvalidRequest)


def test_a_full_queue_refuses_and_the_others_go_on(llama: Path) -> None:
    core = engine(llama, max_waiting=2)
    for index in range(4):
        core.add(request(str(index), [5, 6, 7]))
    ends = drain(core)
    assert [type(ends[str(index)].error) for index in range(4)] == [
        type(None),
        type(None),
        QueueFull,
        QueueFull,
    ]


def test_an_id_in_use_is_refused_to_the_caller(llama: Path) -> None:
    core = engine(llama)
    core.add(request("a", [5]))
    with pytest.raises(InvalidRequest, match="'a'"):
        core.add(request("a", [6]))
    assert set(drain(core)) == {"a"}


# --- ends --------------------------------------------------------------------------------------


def test_a_stop_token_ends_the_request_and_is_included(llama: Path) -> None:
    prompt = random_prompts(9)[0]
    plain = answer(engine(llama), prompt).token_ids
    delta = answer(engine(llama), prompt, stop_token_ids=(plain[3],), ignore_eos=True)
    assert delta.finish_reason == FinishReason.STOP
    assert delta.token_ids == plain[: plain.index(plain[3]) + 1]


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_abort_frees_everything_at_once_in_each_phase(steps: int, llama: Path) -> None:
    # Queued, after the first of two prefill chunks, after prefill, and while decoding.
    core = engine(llama, max_batched_tokens=32, max_num_seqs=4, prefix_caching=False)
    core.add(request("a", random_prompts(50)[0], max_tokens=40, ignore_eos=True))
    deltas = [delta for _ in range(steps) for delta in core.step()]
    core.abort("a")
    core.check_invariants()
    assert core.stats().blocks_free == core.stats().blocks_total
    [final] = core.step()
    assert final.finish_reason == FinishReason.ABORT
    assert all(delta.finish_reason is None for delta in deltas)
    assert not core.has_work
    core.abort("a")
    assert core.step() == []


def test_timings_go_forward(llama: Path) -> None:
    timings = answer(engine(llama), random_prompts(9)[0]).timings
    stations = [timings.queued, timings.prefill_start, timings.first_token, timings.last_token]
    assert None not in stations
    assert stations == sorted(stations)  # type: ignore[type-var]


def test_higher_priority_starts_first(llama: Path) -> None:
    core = engine(llama, max_num_seqs=1)
    for request_id, priority in (("low", -1), ("first", 0), ("second", 0), ("high", 5)):
        core.add(request(request_id, [5, 6], priority=priority, max_tokens=2))
    order = []
    while core.has_work:
        order += [delta.request_id for delta in core.step() if delta.finish_reason]
    assert order == ["high", "first", "second", "low"]


def test_totals_count_tokens(llama: Path) -> None:
    core = engine(llama)
    prompt = random_prompts(40)[0]
    for _ in range(2):
        answer(core, prompt, ignore_eos=True)
    stats = core.stats()
    assert (stats.prompt_tokens_total, stats.generated_tokens_total, stats.cached_tokens_total) == (
        80,
        16,
        32,
    )
    assert (stats.running, stats.waiting) == (0, 0)
    assert stats.step_time_ewma_s > 0


def test_a_short_step_target_cuts_prefill_into_small_chunks(llama: Path) -> None:
    core = engine(llama, target_step_s=1e-9, prefix_caching=False)
    prompt = random_prompts(200)[0]
    expected = answer(engine(llama), prompt).token_ids
    answer(core, prompt)
    core.add(request("again", prompt, max_tokens=1))
    steps = 0
    while core.has_work:
        core.step()
        steps += 1
    assert steps == 7
    assert answer(core, prompt).token_ids == expected


def test_an_interrupted_step_loses_nothing(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    core, prompts = engine(llama), random_prompts(40, 9)
    expected = [answer(engine(llama), prompt).token_ids for prompt in prompts]
    attend = core._runner.attention.attend

    def interrupting(layer: int, *arguments: Any) -> torch.Tensor:
        core.set_interrupt(layer == 1)
        return attend(layer, *arguments)

    monkeypatch.setattr(core._runner.attention, "attend", interrupting)
    for index, prompt in enumerate(prompts):
        core.add(request(str(index), prompt))
    assert core.step() == []
    core.check_invariants()
    assert not any(cache.any() for cache in core._runner.attention.cache)
    ends = drain(core)
    assert [ends[str(index)].token_ids for index in range(2)] == expected


# --- the prefix cache --------------------------------------------------------------------------


def cached(core: Engine, prompt: list[int], **params: Any) -> int:
    return answer(core, prompt, max_tokens=1, **params).cached_tokens


def test_only_whole_blocks_before_the_last_token_are_reused(llama: Path) -> None:
    core = engine(llama)
    prompt = random_prompts(64)[0]
    assert [cached(core, prompt), cached(core, prompt), cached(core, [*prompt, 9])] == [0, 48, 64]


def test_salts_do_not_share(llama: Path) -> None:
    core = engine(llama)
    prompt = random_prompts(40)[0]
    assert [cached(core, prompt, cache_salt=salt) for salt in ("a", "b", "", "a", "b", "")] == [
        0,
        0,
        0,
        32,
        32,
        32,
    ]


def test_the_cacheable_length_limits_reading_and_writing(llama: Path) -> None:
    core = engine(llama)
    prompt = random_prompts(70)[0]
    assert cached(core, prompt, cache_max_len=0) == 0
    assert cached(core, prompt, cache_max_len=40) == 0
    assert cached(core, prompt) == 32
    assert cached(core, prompt, cache_max_len=50) == 48
    assert cached(core, prompt, cache_max_len=0) == 0


def test_generated_tokens_are_reused_by_the_next_turn(llama: Path) -> None:
    core = engine(llama)
    prompt = random_prompts(20)[0]
    output = answer(core, prompt, max_tokens=40, ignore_eos=True).token_ids
    # The last token's keys were never computed.
    assert cached(core, [*prompt, *output, 9]) == 48


def test_the_least_recently_used_prefix_is_evicted_first(llama: Path) -> None:
    core = engine(llama, num_blocks=5, max_model_len=100)
    first, second, third = random_prompts(33, 33, 33)
    cached(core, first), cached(core, second)
    assert cached(core, first) == 32
    cached(core, third)
    assert cached(core, first) == 32
    assert cached(core, second) < 32


def test_without_prefix_caching_nothing_is_kept(llama: Path) -> None:
    core = engine(llama, prefix_caching=False)
    prompt = random_prompts(40)[0]
    assert [cached(core, prompt), cached(core, prompt)] == [0, 0]
    assert core.stats().blocks_cached == 0


# --- faults ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory: pytest.TempPathFactory, llama: Path) -> Path:
    """The model with NaN as the embedding of one token."""
    folder = tmp_path_factory.mktemp("poisoned")
    for path in llama.iterdir():
        if path.suffix != ".safetensors":
            (folder / path.name).write_bytes(path.read_bytes())
            continue
        tensors = load_file(path)
        if "model.embed_tokens.weight" in tensors:
            tensors["model.embed_tokens.weight"][POISON] = torch.nan
        save_file(tensors, folder / path.name)
    return folder


@pytest.mark.parametrize("where", [2, 30, 58])
def test_poison_ends_its_own_request_only(where: int, poisoned: Path, llama: Path) -> None:
    prompts = [
        [token if token != POISON else 4 for token in prompt] for prompt in random_prompts(3, 5, 7, 60)
    ]
    config: dict[str, Any] = {"num_blocks": 12, "max_batched_tokens": 24, "max_num_seqs": 4}
    bias = {"logit_bias": {POISON: -100.0}, "ignore_eos": True}
    core = engine(poisoned, **config)
    bad = prompts.pop()
    bad[where] = POISON
    # The others inherit its blocks, fill only a part of them, and decode together under a mask.
    core.add(request("bad", bad))
    for index, prompt in enumerate(prompts):
        core.add(request(str(index), prompt, **bias))
    ends = drain(core)
    assert isinstance(ends["bad"].error, NumericalError)
    healthy = engine(llama, **config)
    for index, prompt in enumerate(prompts):
        assert ends[str(index)].token_ids == answer(healthy, prompt, **bias).token_ids


def test_a_fault_ends_the_engine_with_a_typed_error(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    core = engine(llama)

    def fail(*_: object) -> None:
        raise RuntimeError("device lost")

    monkeypatch.setattr(core._runner.model, "forward", fail)
    core.add(request("a", [5, 6]))
    for _ in range(2):
        with pytest.raises(EngineDead) as caught:
            core.step()
        assert "device lost" in repr(caught.value.__cause__)


# --- the package -------------------------------------------------------------------------------


def test_exports_are_pinned_and_sorted() -> None:
    assert sparrel.engine.__all__ == [
        "LLM", "AsyncEngine", "BadConfig", "CacheTooSmall", "Completion", "DoesNotFit", "Engine",
        "EngineConfig", "EngineDead", "EngineDeadError", "EngineError", "EngineRequest", "EngineStats",
        "FinishReason", "InvalidRequest", "InvalidSampling", "LogitsProcessor", "Logprob",
        "MissingShard", "MissingTensor", "ModelLoadError", "NumericalError", "OutputDelta",
        "ProcessorFailed", "PromptTooLong", "QueueFull", "RequestError", "RequestTimings",
        "SamplingParams", "TokenLogprobs", "UnsupportedModel",
    ]  # fmt: skip
    assert all(hasattr(sparrel.engine, name) for name in sparrel.engine.__all__)


def test_the_engine_stands_alone() -> None:
    script = (
        "import sys, sparrel.engine\n"
        "own = {name for name in sys.modules if name.startswith('sparrel.')}\n"
        "print(sorted(name for name in own if not name.startswith('sparrel.engine')))\n"
        "print(sorted({'ray', 'fastapi', 'starlette', 'tokenizers'} & set(sys.modules)))\n"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[0] == "[]"
    assert not {"ray", "fastapi", "starlette"} & set(out.splitlines()[1])
