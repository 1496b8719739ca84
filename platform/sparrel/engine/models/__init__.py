"""Model code: the native decoder for hot families, `transformers` for the rest, one contract for both."""

from typing import Protocol

from torch import Tensor

from ..attention import CacheGeometry, PagedAttention

__all__ = ["CausalModel"]


class CausalModel(Protocol):
    """A language model that keeps its keys and values in the engine's paged cache."""

    vocab_size: int
    geometry: CacheGeometry

    def forward(
        self, input_ids: Tensor, positions: Tensor, max_position: int, attention: PagedAttention
    ) -> Tensor:
        """
        [T] token ids and positions to [T, hidden], before the final norm or after it, as `logits` expects.

        Calls `attention.attend` once per layer; `attention` has been told about the step.
        """
        ...

    def logits(self, hidden: Tensor) -> Tensor:
        """[R, hidden] rows of `forward`'s result to [R, vocab] in float32."""
        ...
