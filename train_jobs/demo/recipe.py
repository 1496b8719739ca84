"""The staged recipes: what is taught when, for the shipped model and for a run of seconds."""

from __future__ import annotations

from dataclasses import replace

from train_jobs.demo.skills import TAUGHT
from train_jobs.demo.train import Recipe, Shape, Stage

# Copying first: nearly everything else (JSON values, tool arguments, the digits of a sum) needs it.
COPYING = {"echo": 3, "recall": 3, "json": 2, "tool call": 2, "small talk": 1, "memory": 1}
EVERYTHING = {
    "small talk": 6, "capitals": 7, "unknown": 4, "echo": 9, "recall": 8, "memory": 3,
    "addition": 11, "subtraction": 11, "comparison": 8, "json": 14, "tool call": 11,
    "tool result": 9, "tool unneeded": 5,
}  # fmt: skip
# The falling rate is where the model becomes exact; the hardest skills get a little more of it.
POLISH = {
    "small talk": 5, "capitals": 7, "unknown": 4, "echo": 7, "recall": 10, "memory": 2,
    "addition": 10, "subtraction": 10, "comparison": 9, "json": 16, "tool call": 10,
    "tool result": 8, "tool unneeded": 6,
}  # fmt: skip

# A last, gentle pass on what was still under the bar.
LAST = {
    "small talk": 6, "capitals": 7, "unknown": 4, "echo": 6, "recall": 1, "memory": 1, "addition": 5,
    "subtraction": 5, "comparison": 14, "json": 24, "tool call": 16, "tool result": 7, "tool unneeded": 11,
}  # fmt: skip

SHIPPED = Recipe(
    stages=(
        Stage(300, COPYING, copies=0.4),
        Stage(1300, EVERYTHING, copies=0.05),
        Stage(1450, POLISH, copies=0.03, rate=0.5, end_rate=0.005),
        Stage(900, LAST, copies=0.03, rate=0.28, end_rate=0.003),
    )
)
DEBUG = Recipe(
    stages=(Stage(40, dict.fromkeys(TAUGHT, 1.0), copies=0.1),),
    shape=Shape(hidden=32, layers=2, heads=2, kv_heads=1, feed_forward=64),
    documents_per_step=16,
    warmup=5,
)


def scaled(recipe: Recipe, steps: int) -> Recipe:
    """The same stages in the same proportions, `steps` in all."""
    factor = steps / recipe.steps
    stages = (replace(stage, steps=max(1, round(stage.steps * factor))) for stage in recipe.stages)
    return replace(recipe, stages=tuple(stages))
