"""The engine's dials. Few are needed: a model folder is enough, the rest is derived at load."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Device = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class EngineConfig:
    """
    What to load and how much of the machine to use.

        EngineConfig("models/qwen3-0.6b", max_num_seqs=16)
    """

    model: str | Path
    """A Hugging Face folder: config.json and safetensors, sharded or not."""
    dtype: Dtype = "auto"
    """`auto`: float32 on CPU, the checkpoint's own type on a GPU."""
    device: Device = "auto"
    block_size: int = 16
    """Tokens per key/value block; prompts are cached in whole blocks."""
    num_blocks: int | None = None
    """Size of the cache in blocks; wins over `kv_cache_bytes`."""
    kv_cache_bytes: int | None = None
    """Size of the cache in bytes. Neither given: `max_num_seqs` full contexts, within a share of memory."""
    max_num_seqs: int = 64
    """Most sequences in one step."""
    max_batched_tokens: int = 512
    """Most tokens in one step; a longer prompt is prefilled in chunks."""
    target_step_s: float | None = None
    """Shrink prefill chunks so that a step takes about this long: bounds the stall that a long prompt
    causes for others. None: no such bound in `Engine`, a quarter of a second in `AsyncEngine`."""
    max_model_len: int | None = None
    """Longest prompt plus output. None: the model's own limit, or the cache where that is smaller."""
    max_waiting: int | None = None
    """Most requests waiting for a place; one more is refused with QueueFull. None: no limit."""
    prefix_caching: bool = True
    num_threads: int | None = None
    """CPU threads of this process's torch; None leaves them as they are."""
    seed: int = 0
    """Seeds the requests that bring no seed of their own."""

    def __post_init__(self) -> None:
        for name in ("block_size", "max_num_seqs", "max_batched_tokens"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}.")
        for name in ("num_blocks", "kv_cache_bytes", "max_model_len", "num_threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}.")
        if self.max_batched_tokens < self.max_num_seqs:
            # NOTE: a step must be able to advance every running sequence by one token.
            raise ValueError(
                f"max_batched_tokens ({self.max_batched_tokens}) must not be below "
                f"max_num_seqs ({self.max_num_seqs})."
            )
