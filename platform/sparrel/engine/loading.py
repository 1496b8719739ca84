"""From a configuration to a ready runner: device, weights, and a cache of the size that fits."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .attention import CacheGeometry, PagedAttention
from .config import EngineConfig
from .errors import BadConfig, DoesNotFit
from .kv_cache import BlockManager
from .loader import Checkpoint, load_config, load_eos_ids, weight_bytes
from .models.registry import build_model
from .runner import Runner
from .sampler import Sampler

# Without an explicit size the cache takes at most this share of the memory left after the weights.
_CACHE_SHARE = {"cpu": 0.3, "cuda": 0.85}


@dataclass(frozen=True)
class Loaded:
    runner: Runner
    blocks: BlockManager
    max_model_len: int
    vocab_size: int
    eos_ids: frozenset[int]


def load(config: EngineConfig) -> Loaded:
    """Load everything; raises a ModelLoadError that says what is wrong."""
    folder = Path(config.model)
    if config.num_threads is not None:
        torch.set_num_threads(config.num_threads)
    model_config = load_config(folder)
    device = _device(config)
    dtype = _dtype(config, model_config, device)
    _check_weights_fit(folder, model_config, dtype, device)
    with torch.inference_mode():
        model = build_model(model_config, Checkpoint(folder, dtype, device))
        context = _context(config, model_config)
        num_blocks = _num_blocks(config, model.geometry, context, dtype, device)
        attention = PagedAttention(model.geometry, num_blocks, config.block_size, dtype, device)
    if config.max_model_len is None:
        context = min(context, num_blocks * config.block_size)
    eos_ids = load_eos_ids(folder, model_config)
    runner = Runner(model, attention, Sampler(eos_ids), device)
    blocks = BlockManager(num_blocks, config.block_size, config.prefix_caching)
    return Loaded(runner, blocks, context, model.vocab_size, eos_ids)


def _device(config: EngineConfig) -> torch.device:
    if config.device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if config.device == "cuda" and not torch.cuda.is_available():
        raise DoesNotFit("device is 'cuda', but torch sees no GPU.")
    return torch.device(config.device)


def _dtype(config: EngineConfig, model_config: Any, device: torch.device) -> torch.dtype:
    if config.dtype != "auto":
        return getattr(torch, config.dtype)  # type: ignore[no-any-return]
    # NOTE: on most CPUs a bfloat16 matrix product is 10 to 70 times slower than a float32 one.
    return torch.float32 if device.type == "cpu" else (model_config.dtype or torch.bfloat16)


def _context(config: EngineConfig, model_config: Any) -> int:
    limit: int | None = getattr(model_config, "max_position_embeddings", None)
    if config.max_model_len is not None:
        return config.max_model_len
    if limit is None:
        raise BadConfig("config.json has no max_position_embeddings; give max_model_len.")
    return limit


def _num_blocks(
    config: EngineConfig, geometry: CacheGeometry, context: int, dtype: torch.dtype, device: torch.device
) -> int:
    block_bytes = geometry.block_bytes(config.block_size, dtype)
    available = _available_bytes(device)
    if config.num_blocks is not None:
        num_blocks = config.num_blocks
    elif config.kv_cache_bytes is not None:
        num_blocks = config.kv_cache_bytes // block_bytes
    else:
        wanted = config.max_num_seqs * -(-context // config.block_size)
        num_blocks = min(wanted, int(available * _CACHE_SHARE[device.type]) // block_bytes)
    if num_blocks < 1:
        raise DoesNotFit(f"The key/value cache has no room for one block of {block_bytes:,} bytes.")
    if num_blocks * block_bytes > available:
        raise DoesNotFit(
            f"A cache of {num_blocks} blocks needs {num_blocks * block_bytes:,} bytes of {available:,}."
        )
    return num_blocks


def _check_weights_fit(folder: Path, model_config: Any, dtype: torch.dtype, device: torch.device) -> None:
    stored = (model_config.dtype or torch.float32).itemsize
    needed, available = weight_bytes(folder) * dtype.itemsize // stored, _available_bytes(device)
    if needed > available:
        raise DoesNotFit(f"The weights need {needed:,} bytes as {dtype}; {available:,} are available.")


def _available_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") + _page_cache_bytes()


def _page_cache_bytes() -> int:
    """Memory that Linux would give back on demand; 0 where that is unknown."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(("Cached:", "Buffers:")))
