"""What a safetensors file says of itself: names, types and shapes, read from its header alone."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from sparrel.errors import InvalidArgument

MAX_HEADER_BYTES = 100_000_000
_BITS = {
    **dict.fromkeys(("BOOL", "U8", "I8", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"), 8),
    **dict.fromkeys(("I16", "U16", "F16", "BF16"), 16),
    **dict.fromkeys(("I32", "U32", "F32"), 32),
    **dict.fromkeys(("I64", "U64", "F64", "C64"), 64),
}


@dataclass(frozen=True, slots=True)
class Tensor:
    dtype: str
    shape: tuple[int, ...]

    @property
    def num_elements(self) -> int:
        return math.prod(self.shape)


def read_header(file: BinaryIO, name: str, file_bytes: int) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file; raise InvalidArgument, naming it, when it is damaged."""
    length_bytes = file.read(8)
    length = struct.unpack("<Q", length_bytes)[0] if len(length_bytes) == 8 else 0
    if not 2 <= length <= min(MAX_HEADER_BYTES, file_bytes - 8):
        raise InvalidArgument(f"{name}: not a safetensors file (its header is damaged)")
    try:
        header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        tensors = {key: _tensor(entry) for key, entry in header.items()}
        expected = max((entry["data_offsets"][1] for entry in header.values()), default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise InvalidArgument(f"{name}: not a safetensors file (its header is damaged)") from None
    if expected != file_bytes - 8 - length:
        raise InvalidArgument(
            f"{name}: truncated or damaged: its header describes {expected + 8 + length} bytes,"
            f" the file has {file_bytes}"
        )
    return tensors


def _tensor(entry: dict[str, Any]) -> Tensor:
    tensor = Tensor(entry["dtype"], tuple(int(size) for size in entry["shape"]))
    start, end = entry["data_offsets"]
    bits = _BITS.get(tensor.dtype)
    if bits is not None and (end - start) * 8 != tensor.num_elements * bits:
        raise ValueError("offsets do not fit the shape")
    return tensor
