"""Small Hugging Face folders, written byte by byte: no torch, and every part can be damaged."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HIDDEN, VOCABULARY, LAYERS = 8, 32, 2
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['content'] }}{% endfor %}{% if tools %}{{ tools }}{% endif %}"
)

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": 16,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 64,
    "tie_word_embeddings": True,
}


def safetensors(tensors: Mapping[str, tuple[int, ...]]) -> bytes:
    """Return a file of zeros in float32."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in tensors.items():
        start, end = end, end + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(end)


def layer(index: int) -> dict[str, tuple[int, ...]]:
    prefix = f"model.layers.{index}."
    return {
        f"{prefix}self_attn.q_proj.weight": (8, HIDDEN),
        f"{prefix}self_attn.k_proj.weight": (4, HIDDEN),
        f"{prefix}self_attn.v_proj.weight": (4, HIDDEN),
        f"{prefix}self_attn.o_proj.weight": (HIDDEN, 8),
        f"{prefix}mlp.gate_proj.weight": (16, HIDDEN),
        f"{prefix}input_layernorm.weight": (HIDDEN,),
    }


SHARDS = {
    "model-00001-of-00002.safetensors": {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), **layer(0)},
    "model-00002-of-00002.safetensors": {**layer(1), "model.norm.weight": (HIDDEN,)},
}
PARAMETERS = sum(math.prod(shape) for shard in SHARDS.values() for shape in shard.values())


def base_model(folder: Path, *, config: Mapping[str, Any] | None = None) -> Path:
    """Write a model of two shards that passes every check."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **(config or {})}))
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", "model": {"type": "BPE"}}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": CHAT_TEMPLATE}))
    index: dict[str, str] = {}
    for shard, tensors in SHARDS.items():
        (folder / shard).write_bytes(safetensors(tensors))
        index |= dict.fromkeys(tensors, shard)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return folder


def adapter(folder: Path, *, rank: int = 8, base: str = "", modules: Any = ("q_proj", "v_proj")) -> Path:
    """Write a LoRA adapter."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"r": rank, "target_modules": modules, "base_model_name_or_path": base, "lora_alpha": 16}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    prefix = "base_model.model.model.layers.0.self_attn.q_proj"
    shapes = {f"{prefix}.lora_A.weight": (rank, HIDDEN), f"{prefix}.lora_B.weight": (8, rank)}
    (folder / "adapter_model.safetensors").write_bytes(safetensors(shapes))
    return folder
