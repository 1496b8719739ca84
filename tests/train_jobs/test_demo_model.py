"""The shipped demo model answers what its card says, measured here on held-out prompts."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from train_jobs.demo import evaluate
from train_jobs.demo.corpus import held_out_set
from train_jobs.demo.evaluate import SHIPPED
from train_jobs.demo.skills import SKILLS

Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]


@pytest.fixture(scope="module")
def shipped() -> Loaded:
    return evaluate.load(SHIPPED)


@pytest.fixture(scope="module")
def table(shipped: Loaded) -> dict[str, tuple[int, int]]:
    return evaluate.by_skill(evaluate.measure(*shipped, held_out_set(30, seed=2)))


def test_the_model_answers_held_out_prompts(table: dict[str, tuple[int, int]]) -> None:
    correct, asked = evaluate.overall(table)
    assert asked >= 300
    assert correct >= 0.95 * asked, table


@pytest.mark.parametrize("skill", list(SKILLS))
def test_each_skill_holds(table: dict[str, tuple[int, int]], skill: str) -> None:
    correct, asked = table[skill]
    assert correct >= 0.95 * asked, table


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in Path(SHIPPED).iterdir()) <= 12 * 1024 * 1024
