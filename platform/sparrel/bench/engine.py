"""
The engine against `transformers` `generate`: same model, same prompts, alternating in one process.

    python -m sparrel.bench.engine --model small m2 --batch 1 4 8 16

Tokens per CPU-second tolerate a busy machine; wall time does not, and is shown beside it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import AutoModelForCausalLM, LlamaConfig

from sparrel.bench.report import Row, Section, at_least, at_most
from sparrel.engine import LLM, SamplingParams

MODELS: dict[str, dict[str, Any]] = {
    "small": {"hidden_size": 256, "intermediate_size": 1984, "num_hidden_layers": 6, "num_attention_heads": 4,
              "num_key_value_heads": 4, "vocab_size": 8192},
    "m2": {"hidden_size": 768, "intermediate_size": 2736, "num_hidden_layers": 12, "num_attention_heads": 12,
           "num_key_value_heads": 12, "vocab_size": 32000},
}  # fmt: skip
DECODE_TARGETS = {1: 1.2, 8: 1.5}
PROMPT_TOKENS = 16
NEW_TOKENS = 48
PREFIX_TOKENS = 512


@dataclass(frozen=True)
class Speed:
    """Medians over the rounds; ratios pair runs that were next to each other."""

    model: str
    batch: int
    engine_per_cpu_s: float
    generate_per_cpu_s: float
    engine_per_s: float
    generate_per_s: float
    cpu_ratio: float
    wall_ratio: float


@dataclass(frozen=True)
class Ttft:
    """CPU milliseconds from adding a request to its first token."""

    model: str
    cold_ms: float
    cached_ms: float

    @property
    def ratio(self) -> float:
        return self.cached_ms / self.cold_ms


@dataclass(frozen=True)
class _Cost:
    cpu_s: float
    wall_s: float


def build_model(name: str, folder: Path) -> Path:
    """Write a random Llama of the named size."""
    torch.manual_seed(0)
    config = LlamaConfig(**MODELS[name], max_position_embeddings=2048, eos_token_id=None, bos_token_id=None)
    AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    return folder


def measure_decode(model: str, folder: Path, batches: Sequence[int], rounds: int = 3) -> list[Speed]:
    """Decode `NEW_TOKENS` per sequence, engine and `generate` in turn."""
    llm = LLM(folder, prefix_caching=False, max_num_seqs=max(batches))
    reference = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return [_compare(model, llm, reference, batch, rounds) for batch in batches]


def _compare(model: str, llm: LLM, reference: Any, batch: int, rounds: int) -> Speed:
    vocab = MODELS[model]["vocab_size"]
    prompts = torch.randint(0, vocab, (batch, PROMPT_TOKENS), generator=torch.Generator().manual_seed(batch))
    greedy = SamplingParams(max_tokens=NEW_TOKENS, temperature=0.0)
    tokens: dict[str, list[list[int]]] = {}

    def engine() -> None:
        tokens["engine"] = [result.token_ids for result in llm.generate(prompts.tolist(), greedy)]

    def generate() -> None:
        out = reference.generate(
            prompts,
            attention_mask=torch.ones_like(prompts),
            max_new_tokens=NEW_TOKENS,
            do_sample=False,
            pad_token_id=0,
        )
        tokens["generate"] = out[:, PROMPT_TOKENS:].tolist()

    _cost(engine), _cost(generate)
    if tokens["engine"] != tokens["generate"]:
        raise AssertionError("The engine and generate disagree; the comparison would mean nothing.")
    pairs = [(_cost(engine), _cost(generate)) for _ in range(rounds)]
    total = batch * NEW_TOKENS
    return Speed(
        model=model,
        batch=batch,
        engine_per_cpu_s=total / median(ours.cpu_s for ours, _ in pairs),
        generate_per_cpu_s=total / median(theirs.cpu_s for _, theirs in pairs),
        engine_per_s=total / median(ours.wall_s for ours, _ in pairs),
        generate_per_s=total / median(theirs.wall_s for _, theirs in pairs),
        cpu_ratio=median(theirs.cpu_s / ours.cpu_s for ours, theirs in pairs),
        wall_ratio=median(theirs.wall_s / ours.wall_s for ours, theirs in pairs),
    )


def measure_ttft(model: str, folder: Path, rounds: int = 5) -> Ttft:
    """First token after a prefix of `PREFIX_TOKENS`, unknown and known to the prefix cache."""
    llm = LLM(folder)
    vocab = MODELS[model]["vocab_size"]
    one = SamplingParams(max_tokens=1, temperature=0.0)

    def first_token(prompt: list[int]) -> _Cost:
        return _cost(lambda: llm.generate([prompt], one))

    pairs = []
    for turn in range(rounds + 1):
        generator = torch.Generator().manual_seed(turn)
        prefix = torch.randint(0, vocab, (PREFIX_TOKENS,), generator=generator).tolist()
        pairs.append((first_token([*prefix, 1, 2, 3]), first_token([*prefix, 4, 5, 6])))
    # The first turn warms up.
    cold, cached = zip(*pairs[1:], strict=True)
    return Ttft(model, 1e3 * median(c.cpu_s for c in cold), 1e3 * median(c.cpu_s for c in cached))


def _cost(run: Callable[[], object]) -> _Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return _Cost(time.process_time() - cpu, time.perf_counter() - wall)


def measure(models: Sequence[str] = tuple(MODELS), batches: Sequence[int] = (1, 4, 8, 16)) -> Section:
    """The section of the benchmark report, on one thread: both sides then leave the same core idle."""
    torch.set_num_threads(1)
    rows: list[Row] = []
    for model in models:
        with tempfile.TemporaryDirectory() as folder:
            build_model(model, Path(folder))
            rows += [_speed_row(speed) for speed in measure_decode(model, Path(folder), batches)]
            rows.append(_ttft_row(measure_ttft(model, Path(folder))))
    note = (
        f"Random Llama models in float32, one thread, prompt {PROMPT_TOKENS}, "
        f"{NEW_TOKENS} new tokens, greedy, equal output checked. Medians of 3, alternating."
    )
    return Section("Engine against transformers generate", note, rows)


def _speed_row(speed: Speed) -> Row:
    bound = DECODE_TARGETS.get(speed.batch)
    return Row(
        what=f"decode, {speed.model}, batch {speed.batch}",
        ours=f"{speed.engine_per_cpu_s:.1f} tok/CPU-s ({speed.engine_per_s:.1f} tok/s)",
        baseline=f"{speed.generate_per_cpu_s:.1f} tok/CPU-s ({speed.generate_per_s:.1f} tok/s)",
        figure=speed.cpu_ratio,
        target=None if bound is None else at_least(bound),
    )


def _ttft_row(ttft: Ttft) -> Row:
    return Row(
        what=f"TTFT after a {PREFIX_TOKENS}-token prefix, {ttft.model}, cached / cold",
        ours=f"{ttft.cached_ms:.1f} ms",
        baseline=f"{ttft.cold_ms:.1f} ms",
        figure=ttft.ratio,
        target=at_most(0.10),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 4, 8, 16])
    options = parser.parse_args()
    section = measure(options.model, options.batch)
    print(section.note)
    for row in section.rows:
        print(f"{row.what:55} {row.ours:35} {row.baseline:35} {row.figure:6.3f}  {row.verdict}")


if __name__ == "__main__":
    main()
