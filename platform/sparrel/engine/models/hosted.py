"""
Any other architecture: the model code of `transformers`, with our paged attention plugged in.

The attention modules call `_attend` through the attention interface; it finds the step's
`PagedAttention` in a binding that every attention module of this model shares. A trial pass at load
records what each layer would store, and proves that the head applied to chosen rows equals the
model's own logits; whatever does not work this way is refused there, not answered wrongly later.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AutoModelForCausalLM

from ..attention import CacheGeometry, PagedAttention
from ..errors import MissingTensor, ModelLoadError, UnsupportedModel
from ..loader import Checkpoint

_NAME = "sparrel_paged"
_UNSUPPORTED_OPTIONS = ("softcap", "s_aux", "position_bias")


class _Binding:
    """Where the attention modules of one model meet the step at hand."""

    def __init__(self) -> None:
        self.attention: PagedAttention | None = None
        self.recorded: dict[int, tuple[int, int, int]] = {}


def _attend(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *_: Any, **options: Any
) -> tuple[Tensor, None]:
    """query [1, H, T, d], key and value [1, G, T, d] to [1, T, H, d]."""
    binding: _Binding = module.sparrel_binding  # type: ignore[assignment]
    layer: int = module.layer_idx  # type: ignore[assignment]
    num_tokens, head_dim = query.shape[2], value.shape[-1]
    if binding.attention is None:
        _refuse_options(module, options)
        binding.recorded[layer] = (key.shape[1], key.shape[-1], head_dim)
        return query.transpose(1, 2)[..., :head_dim], None
    q, kv = query[0].transpose(0, 1), torch.cat((key[0], value[0])).transpose(0, 1)
    scale = options.get("scaling") or query.shape[-1] ** -0.5
    out = binding.attention.attend(layer, q, kv, scale, options.get("sliding_window"))
    return out.view(1, num_tokens, -1, head_dim), None


def _refuse_options(module: nn.Module, options: dict[str, Any]) -> None:
    used = [name for name in _UNSUPPORTED_OPTIONS if options.get(name) is not None]
    if used or not getattr(module, "is_causal", True):
        raise UnsupportedModel(
            f"{type(module).__name__} needs {', '.join(used) or 'attention to later tokens'}."
        )


AttentionInterface.register(_NAME, _attend)


class HostedModel:
    """A `transformers` causal language model over flat tokens; see `CausalModel` for the contract."""

    def __init__(self, config: Any, architecture: str, weights: Checkpoint) -> None:
        self.model = _load(config, architecture, weights)
        self.base = self.model.base_model
        self.head = self.model.get_output_embeddings()
        self.vocab_size = int(config.vocab_size)
        self._binding = _Binding()
        for module in self.model.modules():
            if hasattr(module, "layer_idx"):
                module.sparrel_binding = self._binding
        self.geometry = self._probe(architecture, config.num_hidden_layers)

    def forward(
        self, input_ids: Tensor, positions: Tensor, max_position: int, attention: PagedAttention
    ) -> Tensor:
        self._binding.attention = attention
        return self._hidden(input_ids, positions)

    def logits(self, hidden: Tensor) -> Tensor:
        return self.head(hidden).float()  # type: ignore[no-any-return]

    def _hidden(self, input_ids: Tensor, positions: Tensor) -> Tensor:
        out = self.base(input_ids=input_ids[None], position_ids=positions[None], use_cache=False)
        return out.last_hidden_state[0]  # type: ignore[no-any-return]

    @torch.inference_mode()
    def _probe(self, architecture: str, num_layers: int) -> CacheGeometry:
        """Run one token without a cache; learn the shapes and check the split into body and head."""
        token = torch.zeros(1, dtype=torch.long, device=self.model.device)
        try:
            logits = self.logits(self._hidden(token, token))
            whole = (
                self.model(input_ids=token[None], position_ids=token[None], use_cache=False).logits[0].float()
            )
        except ModelLoadError:
            raise
        except Exception as error:
            raise UnsupportedModel(f"{architecture} does not run with paged attention: {error!r}") from error
        shapes = set(self._binding.recorded.values())
        if sorted(self._binding.recorded) != list(range(num_layers)) or len(shapes) != 1:
            raise UnsupportedModel(f"{architecture} has layers whose state is not an equal key/value cache.")
        num_kv_heads, key_dim, value_dim = shapes.pop()
        if key_dim != value_dim or not torch.equal(logits, whole):
            raise UnsupportedModel(
                f"{architecture} changes its logits after the head, or its values differ in size."
            )
        return CacheGeometry(num_layers, num_kv_heads, key_dim)


def _load(config: Any, architecture: str, weights: Checkpoint) -> Any:
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            weights.folder,
            config=config,
            dtype=weights.dtype,
            attn_implementation=_NAME,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:
        raise UnsupportedModel(f"{architecture} cannot be loaded with paged attention: {error}") from error
    model, info = loaded
    if not getattr(model, "_supports_attention_backend", False):
        raise UnsupportedModel(f"{architecture} does not use the attention interface of transformers.")
    if info["missing_keys"]:
        raise MissingTensor(
            f"{weights.folder}: no weight file holds {', '.join(sorted(info['missing_keys'])[:5])}."
        )
    return model.to(weights.device).eval()
