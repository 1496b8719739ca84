"""The job that builds the demo model, run small."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from train_jobs import demo_models
from train_jobs.demo import evaluate, recipe
from train_jobs.demo.corpus import IGNORED, documents
from train_jobs.demo.skills import Conversation
from train_jobs.demo.tokenizer import build_tokenizer
from train_jobs.demo.train import Stage, build_model, by_length, learning_rate, loss_sum, orthogonal, padded


def test_a_debug_run_lowers_the_loss_and_writes_a_model_that_loads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    assert demo_models.main(["--debug", "--out", str(out)]) == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("loss ")]
    first, last = (float(part) for part in line.removeprefix("loss ").split(" -> "))
    assert last < 0.8 * first
    model, tokenizer = evaluate.load(out)
    assert evaluate.complete(model, tokenizer, ["<|user|>Hi<|end|><|assistant|>"])
    assert {path.name for path in out.iterdir()} >= {"config.json", "model.safetensors", "README.md"}


def test_a_shorter_run_keeps_the_stages() -> None:
    short = recipe.scaled(recipe.SHIPPED, 260)
    assert len(short.stages) == len(recipe.SHIPPED.stages)
    assert abs(short.steps - 260) <= 2


def test_the_rate_warms_up_and_falls() -> None:
    stage = Stage(100, {}, rate=1.0, end_rate=0.0)
    rates = [learning_rate(stage, step, warmup=10) for step in range(100)]
    assert rates[0] < rates[9] > rates[50] > rates[99]


def test_orthogonal_updates_have_singular_values_near_one() -> None:
    torch.manual_seed(0)
    for shape in [(2, 8, 16), (2, 16, 8)]:
        values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
        assert values.min() > 0.3
        assert values.max() < 1.4


def test_padding_and_grouping_do_not_change_the_loss() -> None:
    tokenizer = build_tokenizer(seed=0, samples=500)
    torch.manual_seed(0)
    model = build_model(tokenizer, recipe.DEBUG.shape)
    source = documents(tokenizer, random.Random(0), recipe.DEBUG.stages[0].mix, copies=0.2)
    batch = [next(source) for _ in range(12)]
    alone = sum(loss_sum(model, *padded([document], 0)).item() for document in batch)
    grouped = sum(loss_sum(model, *padded(group, 0)).item() for group in by_length(batch, tokens=400))
    assert grouped == pytest.approx(alone, rel=1e-4)
    assert any(label != IGNORED for _, labels in batch for label in labels)


def test_an_answer_counts_only_when_it_is_exact() -> None:
    conversation = Conversation(
        "echo", "", ({"role": "user", "content": ""}, {"role": "assistant", "content": "a b"})
    )
    assert evaluate.Outcome(conversation, "a b<|end|>", "a b<|end|>").correct
    for wrong in ("a b", "a b c<|end|>", "A b<|end|>", "", "a b<|end|><|end|>"):
        assert not evaluate.Outcome(conversation, "a b<|end|>", wrong).correct


def test_one_weak_skill_fails_the_whole_measurement() -> None:
    assert evaluate.passed({"echo": (95, 100), "json": (100, 100)})
    assert not evaluate.passed({"echo": (94, 100), "json": (100, 100)})
