"""Building blocks of the native decoder, in the form that decodes fastest on CPU and works on GPU."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Fewer rows than this are not faster: oneDNN's kernel for one row keeps too few loads in flight.
_FAST_ROWS = 4
# oneDNN lays the weight out for a range of batch sizes; this hint was best or equal for all of 1 to 512.
_PACK_FOR_BATCH = 8


class Linear:
    """
    `x @ weight.T + bias`, with what follows fused in.

    On CPU the float32 weight is kept only in oneDNN's blocked layout: 1.2 times faster than
    `F.linear` at batch 1 and 2 to 3 times at batch 4 to 16, where a step's cost is reading weights.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        self.out_features, self.in_features = weight.shape
        self.bias = bias
        self.packed = (
            weight.device.type == "cpu"
            and weight.dtype == torch.float32
            and torch.backends.mkldnn.is_available()
        )
        self.weight = (
            torch.ops.mkldnn._reorder_linear_weight(weight, _PACK_FOR_BATCH) if self.packed else weight
        )

    @property
    def fast_rows(self) -> int:
        """Batches below this size gain from being padded up to it."""
        return _FAST_ROWS if self.packed else 1

    def __call__(self, x: Tensor) -> Tensor:
        if self.packed:
            return _packed(x, self.weight, self.bias, "none", [], "")
        return F.linear(x, self.weight, self.bias)

    def silu(self, x: Tensor) -> Tensor:
        if self.packed:
            return _packed(x, self.weight, self.bias, "swish", [], "")
        return F.silu(F.linear(x, self.weight, self.bias))

    def times(self, x: Tensor, other: Tensor) -> Tensor:
        if self.packed:
            return _packed_binary(x, other, self.weight, self.bias, "mul")
        return F.linear(x, self.weight, self.bias).mul_(other)

    def plus(self, x: Tensor, other: Tensor) -> Tensor:
        if self.packed:
            return _packed_binary(x, other, self.weight, self.bias, "add")
        return F.linear(x, self.weight, self.bias).add_(other)


_packed = torch.ops.mkldnn._linear_pointwise.default
_packed_binary = torch.ops.mkldnn._linear_pointwise.binary


class RMSNorm:
    """Scale the last dimension to unit mean square, then by a weight."""

    def __init__(self, weight: Tensor, eps: float) -> None:
        self.weight = weight
        self.eps = eps
        self._scaled = weight * math.sqrt(weight.shape[-1])
        self._floor = torch.tensor(
            math.sqrt(eps * weight.shape[-1]), dtype=torch.float32, device=weight.device
        )

    def __call__(self, x: Tensor) -> Tensor:
        if x.dtype == torch.float32:
            # sqrt(mean(x²) + eps) = hypot(norm(x), sqrt(n * eps)) / sqrt(n): four operations instead of six.
            norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
            return (x / torch.hypot(norm, self._floor)).mul_(self._scaled)
        wide = x.float()
        return self.weight * (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)).to(x.dtype)
