"""Write a trained demo model as the folder that the repository ships: rounded weights and a card."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import torch
from transformers import GenerationConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from train_jobs.demo import evaluate
from train_jobs.demo.corpus import held_out_set

CARD = """\
---
license: apache-2.0
pipeline_tag: text-generation
---

# Sparrel demo chat

A Llama of {millions:.1f} million parameters that the repository trains itself, from conversations that it
generates itself, so that every path of the platform runs on real weights without a download. It knows
what the table lists and little else; do not use it for anything but trying the platform.

Exact match of the whole answer (reasoning, tool call and end token included) on held-out prompts, greedy,
with the weights as shipped (bfloat16, computed in float32):

{table}

Rebuild it with `python -m train_jobs.demo_models --seed {seed}` and measure it with
`python -m train_jobs.demo.evaluate --per-skill {per_skill}`. How it is made: `docs/demo-model.md`.
{note}"""


def publish(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    out: Path,
    seed: int,
    per_skill: int,
    note: str = "",
) -> dict[str, tuple[int, int]]:
    """Write the folder, measure what was written, put the measurement on its card and return it."""
    folder = out.with_name(out.name + ".partial")
    shutil.rmtree(folder, ignore_errors=True)
    write_weights(model, tokenizer, folder)
    reloaded, reloaded_tokenizer = evaluate.load(folder)
    table = evaluate.by_skill(evaluate.measure(reloaded, reloaded_tokenizer, held_out_set(per_skill)))
    card = CARD.format(
        millions=model.num_parameters() / 1e6,
        table=evaluate.as_markdown(table),
        seed=seed,
        per_skill=per_skill,
        note=f"\n{note}\n" if note else "",
    )
    (folder / "README.md").write_text(card)
    # Readers see the old folder or the new one, never a half-written one.
    shutil.rmtree(out, ignore_errors=True)
    folder.rename(out)
    return table


def write_weights(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    rounded = LlamaForCausalLM(copy.deepcopy(model.config))
    rounded.load_state_dict(model.state_dict())
    rounded.bfloat16()
    rounded.config.dtype = torch.bfloat16
    rounded.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=True,
        temperature=0.6,
        top_p=0.95,
    )
    rounded.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
