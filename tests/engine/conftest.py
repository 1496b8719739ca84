"""Small random models of each family, built once; every test runs on one thread in float32."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    MistralConfig,
    MixtralConfig,
    Qwen2Config,
    Qwen3Config,
)

VOCAB = 160
EOS = 2

_BASE = {
    "vocab_size": VOCAB,
    "hidden_size": 64,
    "intermediate_size": 112,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "bos_token_id": 1,
    "eos_token_id": EOS,
    "initializer_range": 0.2,
}
_ORIGINAL = 64

CONFIGS: dict[str, Callable[[], Any]] = {
    "llama": lambda: LlamaConfig(**_BASE, tie_word_embeddings=False),
    "llama-tied-mha": lambda: LlamaConfig(**{**_BASE, "num_key_value_heads": 4}, tie_word_embeddings=True),
    "llama-biased": lambda: LlamaConfig(**_BASE, attention_bias=True, mlp_bias=True, head_dim=24),
    "llama3-rope": lambda: LlamaConfig(
        **_BASE,
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 500000.0,
            "factor": 4.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": _ORIGINAL,
        },
    ),
    "linear-rope": lambda: LlamaConfig(
        **_BASE, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}
    ),
    "dynamic-rope": lambda: LlamaConfig(
        **{**_BASE, "max_position_embeddings": 32},
        rope_parameters={"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0},
    ),
    "yarn-rope": lambda: Qwen2Config(
        **_BASE,
        rope_parameters={
            "rope_type": "yarn",
            "rope_theta": 10000.0,
            "factor": 4.0,
            "original_max_position_embeddings": _ORIGINAL,
        },
    ),
    "qwen2": lambda: Qwen2Config(**_BASE, tie_word_embeddings=True),
    "qwen2-window": lambda: Qwen2Config(
        **_BASE, use_sliding_window=True, sliding_window=12, max_window_layers=1
    ),
    "qwen3": lambda: Qwen3Config(**_BASE, head_dim=32),
    "mistral": lambda: MistralConfig(**_BASE, sliding_window=None),
    "mistral-window": lambda: MistralConfig(**_BASE, sliding_window=10),
    "mixtral": lambda: MixtralConfig(
        **_BASE, num_local_experts=4, num_experts_per_tok=2, sliding_window=None
    ),
}


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Build the named random model on first use and return its folder."""
    root = tmp_path_factory.mktemp("models")

    def build(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            torch.manual_seed(sum(name.encode()))
            model = AutoModelForCausalLM.from_config(CONFIGS[name](), dtype=torch.float32)
            for parameter in model.parameters():
                # Norm weights of exactly 1 and biases of 0 would hide a mistake with either.
                if parameter.dim() == 1:
                    torch.nn.init.uniform_(parameter, 0.5, 1.5)
            model.save_pretrained(folder, max_shard_size="200KB")
        return folder

    return build


@pytest.fixture(scope="session")
def llama(model_folder: Callable[[str], Path]) -> Path:
    return model_folder("llama")


def random_prompts(*lengths: int, seed: int = 0) -> list[list[int]]:
    """Prompts of the given lengths, free of special tokens; the same for the same arguments."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(3, VOCAB, (length,), generator=generator).tolist() for length in lengths]
