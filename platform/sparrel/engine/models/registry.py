"""From a model folder to model code: which architectures run natively, and as which decoder."""

from typing import Any

from ..errors import BadConfig, UnsupportedModel
from ..loader import Checkpoint
from . import CausalModel, rope
from .decoder import Decoder, DecoderSpec
from .hosted import HostedModel

# Per architecture: biases of query/key/value, of attention's output, of the MLP, and norms of query and key.
NATIVE: dict[str, tuple[bool | str, bool | str, bool | str, bool]] = {
    "LlamaForCausalLM": ("attention_bias", "attention_bias", "mlp_bias", False),
    "MistralForCausalLM": (False, False, False, False),
    "Qwen2ForCausalLM": (True, False, False, False),
    "Qwen3ForCausalLM": ("attention_bias", "attention_bias", False, True),
}


def build_model(config: Any, weights: Checkpoint) -> CausalModel:
    """Build the model that `config` describes; raises a ModelLoadError that says what is wrong."""
    architecture = _architecture(config)
    if getattr(config, "quantization_config", None) is not None:
        raise UnsupportedModel(f"{weights.folder}: quantized checkpoints are not supported.")
    if architecture in NATIVE and _is_plain(config):
        return Decoder(_spec(config, architecture), config, weights)
    return HostedModel(config, architecture, weights)


def _architecture(config: Any) -> str:
    names = getattr(config, "architectures", None) or []
    if len(names) != 1 or not isinstance(names[0], str):
        raise BadConfig(f"config.json must name exactly one architecture, not {names!r}.")
    return str(names[0])


def _is_plain(config: Any) -> bool:
    """Whether the native decoder covers the options of this config."""
    parameters = getattr(config, "rope_parameters", None) or {}
    partial = parameters.get("partial_rotary_factor", 1.0)
    return config.hidden_act == "silu" and parameters.get("rope_type") in rope.SUPPORTED and partial == 1.0


def _spec(config: Any, architecture: str) -> DecoderSpec:
    def flag(value: bool | str) -> bool:
        return bool(getattr(config, value)) if isinstance(value, str) else value

    heads, kv_heads = config.num_attention_heads, config.num_key_value_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    if heads % kv_heads:
        raise BadConfig(
            f"num_attention_heads ({heads}) is not a multiple of num_key_value_heads ({kv_heads})."
        )
    if head_dim % 2:
        raise BadConfig(f"head_dim ({head_dim}) must be even.")
    qkv_bias, out_bias, mlp_bias, qk_norm = NATIVE[architecture]
    return DecoderSpec(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        intermediate_size=config.intermediate_size,
        num_layers=config.num_hidden_layers,
        num_heads=heads,
        num_kv_heads=kv_heads,
        head_dim=head_dim,
        norm_eps=config.rms_norm_eps,
        tied_embeddings=bool(config.tie_word_embeddings),
        qkv_bias=flag(qkv_bias),
        out_bias=flag(out_bias),
        mlp_bias=flag(mlp_bias),
        qk_norm=qk_norm,
        windows=_windows(config),
    )


def _windows(config: Any) -> tuple[int | None, ...]:
    window = getattr(config, "sliding_window", None)
    kinds = getattr(config, "layer_types", None)
    if kinds is None:
        kinds = ["sliding_attention"] * config.num_hidden_layers
    return tuple(window if kind == "sliding_attention" else None for kind in kinds)
