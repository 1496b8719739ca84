"""The engine says token by token what `transformers` `generate` says, however it gets there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from sparrel.engine import LLM, SamplingParams

from .conftest import CONFIGS, VOCAB

NEW = 24


def prompts(*lengths: int, seed: int = 0) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(3, VOCAB, (length,), generator=generator).tolist() for length in lengths]


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


@pytest.mark.parametrize("name", CONFIGS)
def test_greedy_equals_generate(name: str, model_folder: Callable[[str], Path]) -> None:
    folder = model_folder(name)
    # The engine runs all three at once, the last over several chunks.
    lengths = (5, 17, 28) if name == "dynamic-rope" else (5, 17, 70)
    batch = prompts(*lengths)
    llm = LLM(folder, max_batched_tokens=32, max_num_seqs=8, max_model_len=128)
    results = llm.generate(batch, greedy())
    assert [result.token_ids for result in results] == [reference(folder, prompt) for prompt in batch]
