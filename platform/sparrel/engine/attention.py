"""
Attention over the paged key/value cache.

Shape letters: T tokens in the step, D decoding sequences of a group, L slots of the longest of them,
C context length of one sequence, N new tokens of one chunk, H query heads, G key/value heads,
d head dimension.

One cache tensor per layer, [num_blocks, block_size, 2G, d]: a slot holds the G keys and then the G
values of one token, so that one copy writes and one gather reads both.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

# Sequences whose context differs by more than this factor do not share a padded group.
MAX_PADDING = 2.0


# Block ids to gather, or a run of neighbours that can be read where it lies.
Blocks = Tensor | slice


@dataclass(frozen=True)
class CacheGeometry:
    """What one token costs in the cache."""

    num_layers: int
    num_kv_heads: int
    head_dim: int

    def block_bytes(self, block_size: int, dtype: torch.dtype) -> int:
        return self.num_layers * block_size * 2 * self.num_kv_heads * self.head_dim * dtype.itemsize


@dataclass(slots=True)
class DecodeGroup:
    """Rows `start:end` of the step, each the single new token of a sequence of similar length."""

    start: int
    end: int
    blocks: Blocks
    """[D * L / block_size] block tables, padded to the longest."""
    lengths: Tensor
    """[D] context lengths."""
    max_length: int
    masks: dict[int | None, Tensor | None] = field(default_factory=dict)


@dataclass(slots=True)
class PrefillSegment:
    """Rows `start:end` of the step: consecutive tokens of one sequence, the last of its context."""

    start: int
    end: int
    blocks: Blocks
    context: int
    masks: dict[int | None, Tensor | None] = field(default_factory=dict)


@dataclass(slots=True)
class AttentionPlan:
    """One step as the attention sees it; built once, used by every layer."""

    slots: Tensor
    """[T] where each token's keys and values go."""
    decodes: list[DecodeGroup]
    prefills: list[PrefillSegment]


class StepInterrupted(Exception):
    """The step was given up between two layers. Nothing is lost: its tokens count as not computed."""


class PagedAttention:
    """
    Owns the cache tensors. `begin` a step, then call `attend` once per layer, in any order.

    Every layer of every model passes here, so here a long step can be interrupted from another thread.
    """

    def __init__(
        self,
        geometry: CacheGeometry,
        num_blocks: int,
        block_size: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.block_size = block_size
        self.heads = geometry.num_kv_heads
        self.head_dim = geometry.head_dim
        shape = (num_blocks, block_size, 2 * self.heads, self.head_dim)
        self.cache = [_zeros(shape, dtype, device) for _ in range(geometry.num_layers)]
        self._workspace = torch.empty((0, *shape[1:]), dtype=dtype, device=device)
        self._plan: AttentionPlan | None = None
        self.interrupt = False
        self.interruptible = True

    def begin(self, plan: AttentionPlan) -> None:
        self._plan = plan
        tables = [group.blocks for group in plan.decodes] + [segment.blocks for segment in plan.prefills]
        largest = max((table.numel() for table in tables if isinstance(table, Tensor)), default=0)
        if largest > self._workspace.shape[0]:
            # Allocated in strides: a fresh large buffer costs page faults on every growth.
            self._workspace = self._workspace.new_empty(
                (max(largest, 2 * self._workspace.shape[0]), *self._workspace.shape[1:])
            )

    def attend(self, layer: int, q: Tensor, kv: Tensor, scale: float, window: int | None = None) -> Tensor:
        """
        Store the step's keys and values, then attend.

        q [T, H, d]; kv [T, 2G, d], keys then values; returns [T, H * d]. `window` limits how far a
        token looks back, itself included. Raises StepInterrupted if `interrupt` was set meanwhile.
        """
        assert self._plan is not None
        if self.interrupt and self.interruptible:
            raise StepInterrupted
        cache = self.cache[layer]
        cache.view(-1, 2 * self.heads, self.head_dim).index_copy_(0, self._plan.slots, kv)
        parts = [self._decode(cache, group, q, scale, window) for group in self._plan.decodes]
        parts += [self._prefill(cache, segment, q, scale, window) for segment in self._plan.prefills]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def forget(self, plan: AttentionPlan) -> None:
        """Overwrite what an interrupted step wrote: nobody has checked it for NaN."""
        for cache in self.cache:
            cache.view(-1, 2 * self.heads, self.head_dim).index_fill_(0, plan.slots, 0.0)

    @torch.inference_mode()
    def clear(self, blocks: list[int]) -> None:
        """Overwrite blocks that may hold NaN, before anybody else gets them."""
        index = torch.tensor(blocks, device=self._workspace.device)
        for cache in self.cache:
            cache.index_fill_(0, index, 0.0)

    def _decode(
        self, cache: Tensor, group: DecodeGroup, q: Tensor, scale: float, window: int | None
    ) -> Tensor:
        num = group.end - group.start
        kv = self._gather(cache, group.blocks).view(num, -1, 2 * self.heads, self.head_dim)
        # A group of query heads shares a key head: with one query token they can pose as query positions.
        query = q[group.start : group.end].view(num, self.heads, -1, self.head_dim)
        mask = self._decode_mask(group, window)
        if mask is None:
            kv = kv[:, : group.max_length]
        k, v = kv.transpose(1, 2).split(self.heads, dim=1)
        return F.scaled_dot_product_attention(query, k, v, attn_mask=mask, scale=scale).reshape(num, -1)

    def _prefill(
        self, cache: Tensor, segment: PrefillSegment, q: Tensor, scale: float, window: int | None
    ) -> Tensor:
        num = segment.end - segment.start
        kv = self._gather(cache, segment.blocks).view(1, -1, 2 * self.heads, self.head_dim)[
            :, : segment.context
        ]
        query = q[segment.start : segment.end].transpose(0, 1).unsqueeze(0)
        k, v = kv.transpose(1, 2).split(self.heads, dim=1)
        mask = self._prefill_mask(segment, window)
        out = F.scaled_dot_product_attention(
            query,
            k,
            v,
            mask,
            is_causal=mask is None and num > 1,
            scale=scale,
            enable_gqa=query.shape[1] > self.heads,
        )
        return out[0].transpose(0, 1).reshape(num, -1)

    def _gather(self, cache: Tensor, blocks: Blocks) -> Tensor:
        """[len(blocks), block_size, 2G, d], valid until the next call."""
        if isinstance(blocks, slice):
            return cache[blocks]
        return torch.index_select(cache, 0, blocks, out=self._workspace[: blocks.numel()])

    def _decode_mask(self, group: DecodeGroup, window: int | None) -> Tensor | None:
        """[D, 1, 1, L] additive; None where one sequence sees its whole context."""
        if window is not None and window >= group.max_length:
            window = None
        if window not in group.masks:
            group.masks[window] = self._build_decode_mask(group, window)
        return group.masks[window]

    def _build_decode_mask(self, group: DecodeGroup, window: int | None) -> Tensor | None:
        if window is None and group.end - group.start == 1:
            return None
        width = -(-group.max_length // self.block_size) * self.block_size
        slots = torch.arange(width, device=group.lengths.device)
        lengths = group.lengths[:, None]
        hidden = slots >= lengths
        if window is not None:
            hidden |= slots < lengths - window
        mask = torch.zeros(hidden.shape, dtype=self._workspace.dtype, device=hidden.device)
        return mask.masked_fill_(hidden, -math.inf)[:, None, None, :]

    def _prefill_mask(self, segment: PrefillSegment, window: int | None) -> Tensor | None:
        """[N, C] of what is visible; None where plain causality from position 0 says it all."""
        if window is not None and window >= segment.context:
            window = None
        if window not in segment.masks:
            segment.masks[window] = self._build_prefill_mask(segment, window)
        return segment.masks[window]

    def _build_prefill_mask(self, segment: PrefillSegment, window: int | None) -> Tensor | None:
        num = segment.end - segment.start
        if window is None and (num == segment.context or num == 1):
            return None
        device = self._workspace.device
        row = torch.arange(segment.context - num, segment.context, device=device)[:, None]
        column = torch.arange(segment.context, device=device)
        visible = column <= row
        return visible if window is None else visible & (column > row - window)


def _zeros(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    """Zeros, because a masked slot still takes part in 0 * value: it must be finite."""
    if device.type != "cpu":
        return torch.zeros(shape, dtype=dtype, device=device)
    # NOTE: numpy's zeros occupy memory only once they are written to; torch's do so at once.
    return torch.from_numpy(np.zeros(math.prod(shape) * dtype.itemsize, np.uint8)).view(dtype).view(shape)


def group_by_length(lengths: list[int], max_padding: float = MAX_PADDING) -> list[tuple[int, int]]:
    """
    Cut an ascending list of context lengths into ranges that are padded together.

    group_by_length([10, 12, 100]) == [(0, 2), (2, 3)]
    """
    ranges: list[tuple[int, int]] = []
    start = 0
    for index, length in enumerate(lengths):
        if length > max_padding * lengths[start] + 64:
            ranges.append((start, index))
            start = index
    if lengths:
        ranges.append((start, len(lengths)))
    return ranges
