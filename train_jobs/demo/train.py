"""Train the demo model on a CPU: a small Llama, Muon for its matrices, AdamW for the rest."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from train_jobs.demo.corpus import IGNORED, Encoded, Mix, documents


@dataclass(frozen=True)
class Shape:
    """The size of the model; the vocabulary is the tokenizer's."""

    hidden: int = 192
    layers: int = 5
    heads: int = 6
    kv_heads: int = 2
    feed_forward: int = 512


@dataclass(frozen=True)
class Stage:
    """A number of steps with one mix of skills; `copies` is the share of random-token copying.

    The learning rates go linearly from `rate` to `end_rate` times the recipe's.
    """

    steps: int
    mix: Mix
    copies: float = 0.0
    rate: float = 1.0
    end_rate: float = 1.0


@dataclass(frozen=True)
class Recipe:
    """Everything that, with the seed, decides the weights."""

    stages: tuple[Stage, ...]
    shape: Shape = field(default_factory=Shape)
    documents_per_step: int = 64
    muon_rate: float = 0.02
    adam_rate: float = 0.003
    warmup: int = 25

    @property
    def steps(self) -> int:
        return sum(stage.steps for stage in self.stages)


def build_model(tokenizer: PreTrainedTokenizerBase, shape: Shape) -> LlamaForCausalLM:
    """A fresh model; draw on torch's global generator, so seed it first."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.hidden // shape.heads,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = LlamaForCausalLM(config)
    start_alike(model, tokenizer)
    return model


@torch.no_grad()
def start_alike(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase) -> None:
    """Start `word` and ` word` from the same vector plus one shared step, as copying crosses both."""
    vectors = model.model.embed_tokens.weight
    vocab = tokenizer.get_vocab()
    space = torch.randn(vectors.shape[1]) * 0.01
    for token, index in vocab.items():
        if token.startswith("Ġ") and token[1:] in vocab:
            vectors[index] = vectors[vocab[token[1:]]] + space


# --- optimizer --------------------------------------------------------------------------------------


class Muon(torch.optim.Optimizer):
    """Momentum whose update is made orthogonal; float32, as bfloat16 products are slow on many CPUs."""

    def __init__(self, parameters: list[nn.Parameter], lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                by_shape.setdefault(parameter.shape, []).append(parameter)
            for shape, parameters in by_shape.items():
                updates = orthogonal(torch.stack([self.direction(p, group["momentum"]) for p in parameters]))
                scale = group["lr"] * max(1.0, shape[0] / shape[1]) ** 0.5
                for parameter, update in zip(parameters, updates, strict=True):
                    parameter.add_(update, alpha=-scale)

    def direction(self, parameter: nn.Parameter, momentum: float) -> Tensor:
        gradient = parameter.grad
        assert gradient is not None
        average = self.state[parameter].setdefault("average", torch.zeros_like(parameter))
        average.lerp_(gradient, 1 - momentum)
        return gradient.lerp(average, momentum)


def orthogonal(matrices: Tensor, steps: int = 5) -> Tensor:
    """Push all singular values of a (n, rows, columns) stack near one: Newton-Schulz, quintic."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = 3.4445 * x + (-4.775 * gram + 2.0315 * gram @ gram) @ x
    return x.mT if tall else x


def build_optimizers(model: LlamaForCausalLM, recipe: Recipe) -> list[torch.optim.Optimizer]:
    matrices = [p for p in model.model.layers.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    return [
        Muon(matrices, lr=recipe.muon_rate),
        torch.optim.AdamW(others, lr=recipe.adam_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


def learning_rate(stage: Stage, step: int, warmup: int) -> float:
    """The factor on the learning rates at a step of a stage, after a short linear warm-up."""
    factor = stage.rate + (stage.end_rate - stage.rate) * step / stage.steps
    return factor * min(1.0, (step + 1) / warmup)


# --- batches ----------------------------------------------------------------------------------------


def padded(group: list[Encoded], pad: int) -> tuple[Tensor, Tensor]:
    """Right-pad to the longest; causal attention never looks at the padding, the loss ignores it."""
    length = max(len(ids) for ids, _ in group)
    ids = torch.tensor([ids + [pad] * (length - len(ids)) for ids, _ in group])
    labels = torch.tensor([labels + [IGNORED] * (length - len(labels)) for _, labels in group])
    return ids, labels


def by_length(batch: list[Encoded], tokens: int) -> Iterator[list[Encoded]]:
    """Split into groups of similar length, so that next to nothing is padding."""
    group: list[Encoded] = []
    for document in sorted(batch, key=lambda document: len(document[0])):
        if group and (len(group) + 1) * len(document[0]) > tokens:
            yield group
            group = []
        group.append(document)
    yield group


def loss_sum(model: LlamaForCausalLM, ids: Tensor, labels: Tensor) -> Tensor:
    """Summed cross-entropy; the vocabulary projection runs only where a label asks for it."""
    hidden = model.model(input_ids=ids, use_cache=False).last_hidden_state[:, :-1]
    asked = labels[:, 1:] != IGNORED
    return functional.cross_entropy(model.lm_head(hidden[asked]), labels[:, 1:][asked], reduction="sum")


# --- the loop ---------------------------------------------------------------------------------------

Report = Callable[[int, float, LlamaForCausalLM], None]


def train(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerBase, recipe: Recipe, seed: int, report: Report
) -> list[float]:
    """Run the recipe's stages; return the loss per taught token at each step."""
    losses: list[float] = []
    for number, stage in enumerate(recipe.stages):
        optimizers = build_optimizers(model, recipe)
        source = documents(tokenizer, random.Random(f"{seed} {number}"), stage.mix, stage.copies)
        for step in range(stage.steps):
            set_rates(optimizers, recipe, learning_rate(stage, step, recipe.warmup))
            batch = [next(source) for _ in range(recipe.documents_per_step)]
            losses.append(one_step(model, optimizers, batch, tokenizer.pad_token_id))
            report(len(losses), losses[-1], model)
    return losses


def set_rates(optimizers: list[torch.optim.Optimizer], recipe: Recipe, factor: float) -> None:
    for optimizer, rate in zip(optimizers, (recipe.muon_rate, recipe.adam_rate), strict=True):
        for group in optimizer.param_groups:
            group["lr"] = rate * factor


def one_step(
    model: LlamaForCausalLM, optimizers: list[torch.optim.Optimizer], batch: list[Encoded], pad: int
) -> float:
    model.train()
    taught = sum(label != IGNORED for _, labels in batch for label in labels)
    total = 0.0
    for group in by_length(batch, tokens=2048):
        loss = loss_sum(model, *padded(group, pad)) / taught
        loss.backward()
        total += loss.item()
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return total if math.isfinite(total) else float("inf")


class Progress:
    """Print the average loss and the time now and then."""

    def __init__(self, every: int) -> None:
        self.every, self.start, self.recent = every, time.monotonic(), [0.0]

    def __call__(self, step: int, loss: float, model: LlamaForCausalLM) -> None:
        self.recent.append(loss)
        if step % self.every == 0:
            minutes = (time.monotonic() - self.start) / 60
            average = sum(self.recent[-self.every :]) / min(self.every, len(self.recent) - 1)
            print(f"step {step:6d}  loss {average:.4f}  {minutes:.1f} min", flush=True)
