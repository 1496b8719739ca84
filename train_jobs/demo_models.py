"""Build the demo chat model that the repository ships.

    python -m train_jobs.demo_models [--out FOLDER] [--seed N] [--steps N] [--debug]

Nothing is downloaded: conversations are generated, a tokenizer is fitted to them, a small Llama is trained
and measured on held-out prompts. `--debug` does the same in seconds with a tiny model that knows nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from train_jobs.demo import evaluate, recipe
from train_jobs.demo.publish import publish
from train_jobs.demo.tokenizer import build_tokenizer
from train_jobs.demo.train import Progress, build_model, train


def main(argv: list[str] | None = None) -> int:
    args = parse(argv)
    chosen = recipe.DEBUG if args.debug else recipe.SHIPPED
    chosen = recipe.scaled(chosen, args.steps) if args.steps else chosen
    per_skill = 1 if args.debug else args.per_skill

    # 1. The tokenizer, from the corpus
    tokenizer = build_tokenizer(args.seed, samples=2_000 if args.debug else 20_000)

    # 2. The model
    torch.manual_seed(args.seed)
    model = build_model(tokenizer, chosen.shape)
    print(
        f"{model.num_parameters():,} parameters, {len(tokenizer):,} tokens, {chosen.steps:,} steps",
        flush=True,
    )

    # 3. The stages
    losses = train(model, tokenizer, chosen, args.seed, Progress(every=10 if args.debug else 50))
    print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f}")

    # 4. Rounded, measured, published
    table = publish(model, tokenizer, args.out, args.seed, per_skill)
    print(evaluate.as_markdown(table))
    return 0 if args.debug or evaluate.passed(table) else 1


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m train_jobs.demo_models", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--out", type=Path, default=evaluate.SHIPPED, help="folder to write (default: the shipped one)"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help="training steps in all, in the recipe's proportions")
    parser.add_argument("--per-skill", type=int, default=100, help="held-out prompts per skill for the card")
    parser.add_argument("--debug", action="store_true", help="a tiny model in seconds, to try the job")
    return parser.parse_args(argv)


if __name__ == "__main__":
    raise SystemExit(main())
