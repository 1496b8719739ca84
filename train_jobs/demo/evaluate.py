"""Measure the demo model: the share of held-out prompts per skill that it answers exactly as taught.

    python -m train_jobs.demo.evaluate [--model FOLDER] [--per-skill N] [--json]

Greedy decoding; every prompt is a held-out one. Exits with status 1 when any skill is under 95 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from train_jobs.demo.corpus import held_out_set
from train_jobs.demo.skills import Conversation, Message

SHIPPED = Path(__file__).parents[2] / "configs" / "models" / "demo-chat"
THRESHOLD = 0.95
NEW_TOKENS = 112  # the longest taught answer is about 100 tokens


@dataclass(frozen=True)
class Outcome:
    """One held-out prompt with what was expected and what came."""

    conversation: Conversation
    expected: str
    given: str

    @property
    def correct(self) -> bool:
        return self.given == self.expected


def expected_text(tokenizer: PreTrainedTokenizerBase, answer: Message) -> str:
    """The exact text of an answer, reasoning, tool calls and end token included, as rendered."""
    rendered = tokenizer.apply_chat_template([{"role": "user", "content": ""}, answer], tokenize=False)
    return str(rendered).split("<|assistant|>", 1)[1]


def prompt_text(tokenizer: PreTrainedTokenizerBase, conversation: Conversation) -> str:
    return str(
        tokenizer.apply_chat_template(
            conversation.prompt,
            tools=list(conversation.tools) or None,
            tokenize=False,
            add_generation_prompt=True,
        )
    )


@torch.inference_mode()
def complete(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, prompts: list[str]) -> list[str]:
    """Continue a batch of prompts greedily, up to and including the end token."""
    encoded = tokenizer(
        prompts, return_tensors="pt", padding=True, padding_side="left", add_special_tokens=False
    )
    generate: Any = model.generate
    generated = generate(
        input_ids=encoded["input_ids"],
        attention_mask=encoded["attention_mask"],
        max_new_tokens=NEW_TOKENS,
        do_sample=False,
        temperature=None,
        top_p=None,
        top_k=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    texts = tokenizer.batch_decode(generated[:, encoded["input_ids"].shape[1] :])
    return [text.replace("<|pad|>", "") for text in texts]


def measure(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: list[Conversation],
    batch: int = 64,
) -> list[Outcome]:
    """Answer all conversations; similar lengths share a batch."""
    prompts = {id(c): prompt_text(tokenizer, c) for c in conversations}
    expected = {id(c): expected_text(tokenizer, c.answer) for c in conversations}
    order = sorted(conversations, key=lambda c: (len(expected[id(c)]), len(prompts[id(c)])))
    outcomes = []
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        answers = complete(model, tokenizer, [prompts[id(c)] for c in part])
        outcomes += [Outcome(c, expected[id(c)], given) for c, given in zip(part, answers, strict=True)]
    return outcomes


def by_skill(outcomes: list[Outcome]) -> dict[str, tuple[int, int]]:
    """Skill to (correct, asked)."""
    table: dict[str, tuple[int, int]] = {}
    for outcome in outcomes:
        correct, asked = table.get(outcome.conversation.skill, (0, 0))
        table[outcome.conversation.skill] = (correct + outcome.correct, asked + 1)
    return dict(sorted(table.items()))


def overall(table: dict[str, tuple[int, int]]) -> tuple[int, int]:
    return sum(correct for correct, _ in table.values()), sum(asked for _, asked in table.values())


def passed(table: dict[str, tuple[int, int]]) -> bool:
    return all(correct >= THRESHOLD * asked for correct, asked in table.values())


def as_markdown(table: dict[str, tuple[int, int]]) -> str:
    """The table of the model card."""
    rows = [*table.items(), ("**all**", overall(table))]
    lines = ["| skill | correct | held-out prompts | share |", "|---|---|---|---|"]
    lines += [f"| {skill} | {right} | {asked} | {right / asked:.1%} |" for skill, (right, asked) in rows]
    return "\n".join(lines)


def load(folder: str | Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a model folder in float32."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.eval(), AutoTokenizer.from_pretrained(folder)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m train_jobs.demo.evaluate", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--model", default=SHIPPED, help="model folder (default: the shipped demo model)")
    parser.add_argument("--per-skill", type=int, default=40, help="held-out prompts per skill (default: 40)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--failures", action="store_true", help="show what went wrong on standard error")
    args = parser.parse_args(argv)

    model, tokenizer = load(args.model)
    outcomes = measure(model, tokenizer, held_out_set(args.per_skill))
    table = by_skill(outcomes)

    if args.failures:
        show_failures(tokenizer, outcomes)
    if args.json:
        print(json.dumps({skill: {"correct": c, "asked": n} for skill, (c, n) in table.items()}, indent=2))
    else:
        print(as_markdown(table))
    return 0 if passed(table) else 1


def show_failures(tokenizer: PreTrainedTokenizerBase, outcomes: list[Outcome]) -> None:
    for outcome in (outcome for outcome in outcomes if not outcome.correct):
        print(f"--- {outcome.conversation.skill}", file=sys.stderr)
        print(prompt_text(tokenizer, outcome.conversation), file=sys.stderr)
        print(f"expected {outcome.expected}\ngiven    {outcome.given}", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
