"""
The dense decoder that Llama, Mistral, Qwen2 and Qwen3 share, written for the paged engine.

Tokens of all sequences lie flat, [T, hidden]; only attention knows where one sequence ends. Query,
key and value come from one matrix, so keys and values are written to the cache as they lie.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..attention import CacheGeometry, PagedAttention
from ..loader import Checkpoint
from .layers import Linear, RMSNorm
from .rope import Rope, rotate_


@dataclass(frozen=True)
class DecoderSpec:
    """What distinguishes one member of the family from another."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    norm_eps: float
    tied_embeddings: bool
    qkv_bias: bool
    out_bias: bool
    mlp_bias: bool
    qk_norm: bool
    windows: tuple[int | None, ...]
    """Per layer: how far back attention reaches, None for everything."""


class DecoderLayer:
    def __init__(self, spec: DecoderSpec, index: int, weights: Checkpoint) -> None:
        self.index = index
        self.spec = spec
        self.scale = spec.head_dim**-0.5
        self.window = spec.windows[index]
        prefix = f"model.layers.{index}."
        hidden, q, kv = spec.hidden_size, spec.num_heads * spec.head_dim, spec.num_kv_heads * spec.head_dim

        def linear(name: str, shape: tuple[int, int], bias: bool) -> Linear:
            weight = weights.get(f"{prefix}{name}.weight", shape)
            return Linear(weight, weights.get(f"{prefix}{name}.bias", shape[:1]) if bias else None)

        def norm(name: str, size: int) -> RMSNorm:
            return RMSNorm(weights.get(f"{prefix}{name}.weight", (size,)), spec.norm_eps)

        self.attention_norm = norm("input_layernorm", hidden)
        self.qkv = self._merged_qkv(prefix, (q, kv, kv), weights)
        self.out = linear("self_attn.o_proj", (hidden, q), spec.out_bias)
        self.mlp_norm = norm("post_attention_layernorm", hidden)
        self.gate = linear("mlp.gate_proj", (spec.intermediate_size, hidden), spec.mlp_bias)
        self.up = linear("mlp.up_proj", (spec.intermediate_size, hidden), spec.mlp_bias)
        self.down = linear("mlp.down_proj", (hidden, spec.intermediate_size), spec.mlp_bias)
        self.qk_norm: RMSNorm | None = None
        if spec.qk_norm:
            # One norm over query and key heads: its weight is [H + G, d].
            q_weight = norm("self_attn.q_norm", spec.head_dim).weight.expand(spec.num_heads, -1)
            k_weight = norm("self_attn.k_norm", spec.head_dim).weight.expand(spec.num_kv_heads, -1)
            self.qk_norm = RMSNorm(torch.cat((q_weight, k_weight)), spec.norm_eps)

    def _merged_qkv(self, prefix: str, sizes: tuple[int, int, int], weights: Checkpoint) -> Linear:
        names = [f"{prefix}self_attn.{name}_proj" for name in "qkv"]
        hidden = self.spec.hidden_size
        weight = torch.cat(
            [weights.get(f"{n}.weight", (size, hidden)) for n, size in zip(names, sizes, strict=True)]
        )
        if not self.spec.qkv_bias:
            return Linear(weight)
        return Linear(
            weight,
            torch.cat([weights.get(f"{n}.bias", (size,)) for n, size in zip(names, sizes, strict=True)]),
        )

    def __call__(self, x: Tensor, cos: Tensor, sin: Tensor, num: int, attention: PagedAttention) -> Tensor:
        """x [T, hidden] to the same; rows from `num` on are padding, which attention does not see."""
        spec, num_qk = self.spec, self.spec.num_heads + self.spec.num_kv_heads
        qkv = self.qkv(self.attention_norm(x)).view(x.shape[0], -1, spec.head_dim)
        qk = qkv[:, :num_qk]
        if self.qk_norm is not None:
            qk.copy_(self.qk_norm(qk))
        rotate_(qk, cos, sin)
        q, kv = qkv[:num, : spec.num_heads], qkv[:num, spec.num_heads :]
        mixed = attention.attend(self.index, q, kv, self.scale, self.window)
        if num < x.shape[0]:
            mixed = F.pad(mixed, (0, 0, 0, x.shape[0] - num))
        x = self.out.plus(mixed, x)
        normed = self.mlp_norm(x)
        return self.down.plus(self.up.times(normed, self.gate.silu(normed)), x)


class Decoder:
    """A causal language model over flat tokens; see `CausalModel` for the contract."""

    def __init__(self, spec: DecoderSpec, config: Any, weights: Checkpoint) -> None:
        self.spec = spec
        self.vocab_size = spec.vocab_size
        self.geometry = CacheGeometry(spec.num_layers, spec.num_kv_heads, spec.head_dim)
        self.rope = Rope(config, spec.head_dim, weights.dtype, weights.device)
        table = (spec.vocab_size, spec.hidden_size)
        self.embedding = weights.get("model.embed_tokens.weight", table)
        self.layers = [DecoderLayer(spec, index, weights) for index in range(spec.num_layers)]
        self.norm = RMSNorm(weights.get("model.norm.weight", table[1:]), spec.norm_eps)
        # NOTE: a tied head is packed a second time; reading it twice as fast is worth one table of memory.
        self.head = Linear(self.embedding if spec.tied_embeddings else weights.get("lm_head.weight", table))

    def forward(
        self, input_ids: Tensor, positions: Tensor, max_position: int, attention: PagedAttention
    ) -> Tensor:
        num = len(input_ids)
        missing = max(0, self.head.fast_rows - num)
        x = F.embedding(F.pad(input_ids, (0, missing)), self.embedding)
        cos, sin = self.rope(F.pad(positions, (0, missing)), max_position)
        for layer in self.layers:
            x = layer(x, cos, sin, num, attention)
        return x[:num]

    def logits(self, hidden: Tensor) -> Tensor:
        num = len(hidden)
        hidden = F.pad(hidden, (0, 0, 0, max(0, self.head.fast_rows - num)))
        return self.head(self.norm(hidden))[:num].float()
