"""
Rotary position embedding as tables over positions.

Frequencies come from `transformers`, so every scaling rule means here what it means there. Under
`dynamic` scaling `transformers` rescales with the length of the pass at hand, which would make a key
depend on how its prompt was cut; here position p always uses the frequencies for length p + 1. The
two agree up to the model's original context and for every decoded token.
"""

from typing import Any

import torch
from torch import Tensor
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from ..errors import BadConfig, UnsupportedModel

SUPPORTED = ("default", "linear", "dynamic", "yarn", "llama3")


class Rope:
    """Cosine and signed sine for each position; the table grows with the longest context seen."""

    def __init__(self, config: Any, head_dim: int, dtype: torch.dtype, device: torch.device) -> None:
        self.config = config
        self.head_dim = head_dim
        self.dtype = dtype
        self.device = device
        self.kind = str(config.rope_parameters["rope_type"])
        if self.kind not in SUPPORTED:
            raise UnsupportedModel(
                f"Rope scaling {self.kind!r} is not implemented; there are {', '.join(SUPPORTED)}."
            )
        self._table = torch.empty((0, 2, head_dim), dtype=dtype, device=device)
        self._grow(256)

    def __call__(self, positions: Tensor, max_position: int) -> tuple[Tensor, Tensor]:
        """[T] positions to cosine and sine, each [T, 1, d]."""
        if max_position >= self._table.shape[0]:
            self._grow(2 * max_position)
        cos, sin = self._table.index_select(0, positions).unbind(1)
        return cos.unsqueeze(1), sin.unsqueeze(1)

    def _grow(self, length: int) -> None:
        positions = torch.arange(length, device=self.device).float()[:, None]
        inv_freq, scale = self._frequencies(length)
        angles = positions * inv_freq
        cos, sin = angles.cos() * scale, angles.sin() * scale
        # The sign of rotate_half is folded into the sine: out = x * cos + swap_halves(x) * sin.
        table = torch.stack((torch.cat((cos, cos), -1), torch.cat((-sin, sin), -1)), dim=1)
        self._table = table.to(self.dtype)

    def _frequencies(self, length: int) -> tuple[Tensor, float]:
        """[d / 2], or [length, d / 2] where they depend on the position."""
        parameters = self.config.rope_parameters
        try:
            if self.kind == "default":
                exponents = torch.arange(0, self.head_dim, 2, dtype=torch.float) / self.head_dim
                return (1.0 / parameters["rope_theta"] ** exponents).to(self.device), 1.0
            init = ROPE_INIT_FUNCTIONS[self.kind]
            inv_freq, scale = init(self.config, self.device)
            if self.kind != "dynamic":
                return inv_freq, scale
            original = self.config.max_position_embeddings
            rows = inv_freq.expand(min(length, original), -1)
            beyond = [
                init(self.config, self.device, seq_len=position + 1)[0]
                for position in range(original, length)
            ]
            return torch.cat((rows, torch.stack(beyond))) if beyond else rows, scale
        except (KeyError, TypeError, ZeroDivisionError) as error:
            raise BadConfig(
                f"rope_parameters are incomplete for {self.kind!r} scaling: {error!r}."
            ) from error


def rotate_(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate x [T, heads, d] in place."""
    half = x.shape[-1] // 2
    swapped = torch.cat((x[..., half:], x[..., :half]), dim=-1)
    return x.mul_(cos).addcmul_(swapped, sin)
