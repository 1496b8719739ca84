"""The engine says token by token what `transformers` `generate` says, however it gets there."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from sparrel.engine import LLM, FinishReason, SamplingParams

from .conftest import CONFIGS, random_prompts

NEW = 24
FAMILIES = ("llama", "qwen2", "qwen3", "mistral-window", "mixtral")


def reference(folder: Path, prompt: list[int], max_new: int = NEW, **options: Any) -> list[int]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = torch.tensor([prompt])
    out = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=max_new,
        do_sample=False,
        pad_token_id=0,
        **options,
    )
    return out[0, len(prompt) :].tolist()


def greedy(**options: Any) -> SamplingParams:
    return SamplingParams(**{"max_tokens": NEW, "temperature": 0.0, **options})


def tokens(
    llm: LLM, prompts: list[list[int]], sampling: SamplingParams | list[SamplingParams]
) -> list[list[int]]:
    results = llm.generate(prompts, sampling)
    llm.engine.check_invariants()
    return [result.token_ids for result in results]


@pytest.mark.parametrize("name", CONFIGS)
def test_greedy_equals_generate(name: str, model_folder: Callable[[str], Path]) -> None:
    folder = model_folder(name)
    # The engine runs all three at once, the last over several chunks.
    prompts = random_prompts(5, 17, 28 if name == "dynamic-rope" else 70)
    llm = LLM(folder, max_batched_tokens=32, max_num_seqs=8, max_model_len=128)
    assert tokens(llm, prompts, greedy()) == [reference(folder, prompt) for prompt in prompts]


def test_stops_where_generate_stops(llama: Path, tmp_path: Path) -> None:
    [prompt] = random_prompts(9)
    plain = reference(llama, prompt)
    eos = next(token for index, token in enumerate(plain) if index >= 4 and token not in plain[:index])
    folder = shutil.copytree(llama, tmp_path / "model")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [eos, 3]}))
    [result] = LLM(folder).generate([prompt], greedy())
    assert result.token_ids == reference(folder, prompt) == plain[: plain.index(eos) + 1]
    assert result.finish_reason == FinishReason.STOP
    [ignoring] = LLM(folder).generate([prompt], greedy(ignore_eos=True))
    assert ignoring.token_ids[: len(plain)] == plain
    assert len(ignoring.token_ids) == NEW


def test_repetition_penalty_equals_generate(llama: Path) -> None:
    prompts = random_prompts(6, 30)
    expected = [reference(llama, prompt, repetition_penalty=1.7) for prompt in prompts]
    assert tokens(LLM(llama), prompts, greedy(repetition_penalty=1.7)) == expected
    assert expected != tokens(LLM(llama), prompts, greedy())


@pytest.mark.parametrize("name", FAMILIES)
def test_batched_equals_alone(name: str, model_folder: Callable[[str], Path]) -> None:
    llm = LLM(model_folder(name), prefix_caching=False)
    prompts = random_prompts(3, 40, 11, 90, 5, 23, 64)
    assert tokens(llm, prompts, greedy()) == [tokens(llm, [prompt], greedy())[0] for prompt in prompts]


@pytest.mark.parametrize("name", FAMILIES)
def test_cached_equals_cold(name: str, model_folder: Callable[[str], Path]) -> None:
    llm = LLM(model_folder(name))
    [prefix] = random_prompts(70)
    other = [*prefix[:50], 9, 8, 7]
    cold = [tokens(LLM(model_folder(name)), [prompt], greedy())[0] for prompt in (prefix, other)]
    llm.generate([prefix], greedy())
    results = llm.generate([prefix, other], greedy())
    assert [result.cached_tokens for result in results] == [64, 48]
    assert [result.token_ids for result in results] == cold


@pytest.mark.parametrize("name", FAMILIES)
def test_chunked_equals_whole(name: str, model_folder: Callable[[str], Path]) -> None:
    prompts = random_prompts(100, 33, 7)
    whole = tokens(LLM(model_folder(name)), prompts, greedy())
    chunked = tokens(LLM(model_folder(name), max_batched_tokens=9, max_num_seqs=4), prompts, greedy())
    assert chunked == whole


@pytest.mark.parametrize("sampled", [False, True])
def test_preempted_equals_undisturbed(sampled: bool, llama: Path) -> None:
    prompts = random_prompts(30, 25, 41, 12)
    each = [
        SamplingParams(max_tokens=60, temperature=0.9 if sampled else 0.0, seed=seed, frequency_penalty=0.3)
        for seed in range(len(prompts))
    ]
    cramped = LLM(llama, num_blocks=11, max_batched_tokens=48, max_num_seqs=4)
    assert tokens(cramped, prompts, each) == tokens(LLM(llama), prompts, each)
    assert cramped.engine.stats().preemptions_total > 0


def test_seeded_sampling_does_not_depend_on_the_batch(llama: Path) -> None:
    [prompt] = random_prompts(12)
    kinds: list[dict[str, Any]] = [
        {},
        {"top_p": 0.8},
        {"top_k": 12, "min_p": 0.01},
        {"typical_p": 0.7},
        {"mirostat_target": 5.0},
    ]
    mine = [SamplingParams(max_tokens=NEW, seed=7, temperature=1.2, **kind) for kind in kinds]
    alone = [tokens(LLM(llama), [prompt], params)[0] for params in mine]
    crowd = [
        *mine,
        SamplingParams(max_tokens=9),
        greedy(),
        SamplingParams(max_tokens=20, top_p=0.99, top_k=3),
    ]
    together = tokens(LLM(llama, seed=5), [prompt] * len(mine) + random_prompts(4, 50, 8), crowd)
    assert together[: len(mine)] == alone
    assert len({tuple(out) for out in alone}) > 1


def test_unseeded_sampling_follows_the_engine_seed(llama: Path) -> None:
    prompts = random_prompts(8, 8)
    params = SamplingParams(max_tokens=NEW, temperature=1.5)
    first = tokens(LLM(llama, seed=1), prompts, params)
    assert tokens(LLM(llama, seed=1), prompts, params) == first
    assert tokens(LLM(llama, seed=2), prompts, params) != first


def test_logprobs_are_the_models_own(llama: Path) -> None:
    [prompt] = random_prompts(40)
    params = SamplingParams(
        max_tokens=6, temperature=0.7, seed=3, logit_bias={5: 3.0}, logprobs=3, prompt_logprobs=2
    )
    [result] = LLM(llama, max_batched_tokens=16, max_num_seqs=2).generate([prompt], params)
    model = AutoModelForCausalLM.from_pretrained(llama, dtype=torch.float32)
    with torch.inference_mode():
        expected = model(torch.tensor([prompt + result.token_ids])).logits[0].log_softmax(-1)
    assert result.prompt_logprobs is not None
    assert result.logprobs is not None
    assert result.prompt_logprobs[0] is None
    entries = [*result.prompt_logprobs[1:], *result.logprobs]
    assert len(entries) == len(prompt) - 1 + 6
    for row, entry in zip(expected, entries, strict=False):
        assert entry is not None
        assert entry.logprob == pytest.approx(row[entry.token_id].item(), abs=1e-4)
        best = row.topk(len(entry.top))
        assert [alternative.token_id for alternative in entry.top] == best.indices.tolist()
        assert [alternative.logprob for alternative in entry.top] == pytest.approx(
            best.values.tolist(), abs=1e-4
        )
    assert [entry.token_id for entry in result.logprobs] == result.token_ids


def test_max_tokens_zero_only_reads_the_prompt(llama: Path) -> None:
    [prompt] = random_prompts(20)
    [result] = LLM(llama).generate([prompt], SamplingParams(max_tokens=0, prompt_logprobs=0))
    assert (result.token_ids, result.finish_reason) == ([], FinishReason.LENGTH)
    assert result.prompt_logprobs is not None
    assert len(result.prompt_logprobs) == 20


def test_a_window_reaches_across_blocks_and_groups(model_folder: Callable[[str], Path]) -> None:
    folder = model_folder("mistral-window")
    prompts = random_prompts(1, 200, 120, 2)
    llm = LLM(folder, block_size=4, max_batched_tokens=24, max_num_seqs=4)
    assert tokens(llm, prompts, greedy()) == [reference(folder, prompt) for prompt in prompts]
