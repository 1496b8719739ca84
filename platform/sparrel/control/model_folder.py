"""Is this folder of files a model that can be served, and what does it say of itself?

`inspect_base_model` and `inspect_adapter` return the fields of the Model resource that the files decide, or
raise InvalidArgument with the reason. They read headers and JSON only, never the weights themselves.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import jinja2
from jinja2 import meta
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment

from sparrel.control.weights import Tensor, read_header
from sparrel.errors import InvalidArgument

MAX_JSON_BYTES = 64 << 20
INDEX = "model.safetensors.index.json"
TOKENIZERS = ({"tokenizer.json"}, {"tokenizer.model"}, {"vocab.json", "merges.txt"}, {"vocab.txt"})
MIN_RANK, MAX_RANK = 4, 64
ADAPTER_MODULES = {
    *("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj", "gate_proj"),
    *("w1", "w2", "w3", "block_sparse_moe.gate"),
}


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder's files wherever they are stored."""

    sizes: Mapping[str, int]
    opener: Callable[[str], BinaryIO]

    def __contains__(self, name: str) -> bool:
        return name in self.sizes

    def json(self, name: str) -> dict[str, Any]:
        if name not in self:
            raise InvalidArgument(f"{name} is missing")
        try:
            parsed = json.loads(self.text(name))
        except ValueError as error:
            raise InvalidArgument(f"{name} is not valid JSON: {error}") from None
        if not isinstance(parsed, dict):
            raise InvalidArgument(f"{name} must hold a JSON object")
        return parsed

    def text(self, name: str) -> str:
        if self.sizes[name] > MAX_JSON_BYTES:
            raise InvalidArgument(f"{name} is too large ({self.sizes[name]} bytes)")
        with self.opener(name) as file:
            try:
                return file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise InvalidArgument(f"{name} is not UTF-8 text") from None

    def header(self, name: str) -> dict[str, Tensor]:
        with self.opener(name) as file:
            return read_header(file, name, self.sizes[name])


def inspect_base_model(folder: Folder, supported: Collection[str]) -> dict[str, Any]:
    """Check a Hugging Face model folder and return what it decides of the resource."""
    config = folder.json("config.json")
    check_config(config, supported)
    if not any(needed <= folder.sizes.keys() for needed in TOKENIZERS):
        raise InvalidArgument("no tokenizer found: tokenizer.json (or tokenizer.model) is missing")
    tensors = _weights(folder)
    text = _text_config(config)
    _check_shapes(
        text, tensors, tied=bool(config.get("tie_word_embeddings", text.get("tie_word_embeddings")))
    )
    found: dict[str, Any] = {
        "baseModelDetails": {
            "checkpointFormat": "HUGGINGFACE",
            "worldSize": 1,
            "parameterCount": str(sum(tensor.num_elements for tensor in tensors.values())),
            "modelType": str(config.get("model_type", "")),
            "moe": any(text.get(key) for key in ("num_experts", "num_local_experts", "n_routed_experts")),
        },
        "contextLength": _context_length(text),
    }
    if template := _chat_template(folder):
        found["conversationConfig"] = {"style": "jinja", "system": "", "template": template}
        found["supportsTools"] = _handles_tools(template)
    return found


def inspect_adapter(folder: Folder) -> dict[str, Any]:
    """Check a PEFT LoRA folder and return what it decides of the resource."""
    if "adapter_config.json" not in folder and "config.json" in folder:
        raise InvalidArgument(
            "adapter_config.json is missing: this looks like a base model, which is created with kind"
            " HF_BASE_MODEL"
        )
    config = folder.json("adapter_config.json")
    rank, modules = _rank(config), _target_modules(config)
    if "adapter_model.safetensors" in folder:
        _check_adapter_shapes(folder.header("adapter_model.safetensors"), rank)
    elif "adapter_model.bin" not in folder:
        raise InvalidArgument("adapter_model.safetensors (or adapter_model.bin) is missing")
    details = {
        "r": rank,
        "targetModules": modules,
        "baseModel": str(config.get("base_model_name_or_path") or ""),
    }
    found: dict[str, Any] = {"peftDetails": details}
    if "fireworks.json" in folder and (conversation := _conversation(folder.json("fireworks.json"))):
        found["conversationConfig"] = conversation
    return found


def check_config(config: Mapping[str, Any], supported: Collection[str]) -> None:
    """Raise InvalidArgument unless a `config.json` describes a model that the engine runs."""
    if config.get("quantization_config"):
        raise InvalidArgument(
            "config.json has a quantization_config: upload the unquantized weights and quantize here"
        )
    names = config.get("architectures")
    if not isinstance(names, list) or not names:
        raise InvalidArgument("config.json names no architecture (`architectures` is missing or empty)")
    if len(names) > 1 or names[0] not in supported:
        raise InvalidArgument(
            f"architecture {', '.join(map(str, names))} is not supported: the engine runs causal language"
            " models such as LlamaForCausalLM, Qwen3ForCausalLM, MistralForCausalLM"
        )


def check_template(template: str) -> None:
    """Raise InvalidArgument unless a chat template parses."""
    try:
        _jinja().parse(template)
    except jinja2.TemplateError as error:
        raise InvalidArgument(f"the chat template is not valid Jinja: {error}") from None


def _weights(folder: Folder) -> dict[str, Tensor]:
    """Return every tensor by name, having read every shard's header."""
    if INDEX in folder:
        return _indexed_weights(folder)
    shards = sorted(name for name in folder.sizes if name.endswith(".safetensors") and "/" not in name)
    if not shards:
        raise InvalidArgument("no weights found: model.safetensors (or its index and shards) is missing")
    if len(shards) > 1 and "model.safetensors" not in shards:
        raise InvalidArgument(f"{INDEX} is missing: it says which of the {len(shards)} shards holds what")
    return folder.header("model.safetensors" if "model.safetensors" in shards else shards[0])


def _indexed_weights(folder: Folder) -> dict[str, Tensor]:
    weight_map = folder.json(INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise InvalidArgument(f"{INDEX} has no weight_map")
    shards = sorted({str(shard) for shard in weight_map.values()})
    if missing := [shard for shard in shards if shard not in folder]:
        raise InvalidArgument(
            f"missing shard {', '.join(missing)}: {INDEX} lists it, but it was not uploaded"
        )
    headers = {shard: folder.header(shard) for shard in shards}
    tensors = {}
    for name, shard in weight_map.items():
        if name not in headers[shard]:
            raise InvalidArgument(f"{shard} does not hold {name}, which {INDEX} says it does")
        tensors[name] = headers[shard][name]
    return tensors


def _text_config(config: dict[str, Any]) -> dict[str, Any]:
    text = config.get("text_config")
    return text if isinstance(text, dict) else config


def _check_shapes(config: Mapping[str, Any], tensors: Mapping[str, Tensor], *, tied: bool) -> None:
    """Compare the layout that most decoders share with the config; the engine judges other layouts."""
    embedding = tensors.get("model.embed_tokens.weight")
    if embedding is None:
        return
    hidden, vocabulary = config.get("hidden_size"), config.get("vocab_size")
    if hidden and vocabulary and embedding.shape != (vocabulary, hidden):
        raise InvalidArgument(_mismatch("model.embed_tokens.weight", embedding, (vocabulary, hidden)))
    if not tied and "lm_head.weight" not in tensors:
        raise InvalidArgument(
            "the weights have no lm_head.weight, and config.json does not tie it to the embedding"
        )
    _check_layers(config, tensors)


def _check_layers(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    prefix = "model.layers."
    present = {name.removeprefix(prefix).split(".")[0] for name in tensors if name.startswith(prefix)}
    wanted = config.get("num_hidden_layers")
    if isinstance(wanted, int) and (missing := [str(i) for i in range(wanted) if str(i) not in present]):
        raise InvalidArgument(
            f"the weights of layer {', '.join(missing[:5])} are missing ({wanted} layers expected)"
        )
    hidden, heads = config.get("hidden_size"), config.get("num_attention_heads")
    if not (isinstance(hidden, int) and isinstance(heads, int) and heads):
        return
    head = config.get("head_dim") or hidden // heads
    groups = config.get("num_key_value_heads") or heads
    for projection, shape in {
        "q_proj": (heads * head, hidden),
        "k_proj": (groups * head, hidden),
        "v_proj": (groups * head, hidden),
        "o_proj": (hidden, heads * head),
    }.items():
        name = f"{prefix}0.self_attn.{projection}.weight"
        # Some families fold a gate into the projection: only a smaller tensor is certainly wrong.
        if name in tensors and tensors[name].num_elements < shape[0] * shape[1]:
            raise InvalidArgument(_mismatch(name, tensors[name], shape))


def _mismatch(name: str, tensor: Tensor, expected: tuple[int, int]) -> str:
    return f"{name} has shape {list(tensor.shape)}, but config.json means {list(expected)}"


def _context_length(config: Mapping[str, Any]) -> int:
    for key in ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length"):
        if isinstance(config.get(key), int) and config[key] > 0:
            return int(config[key])
    raise InvalidArgument("config.json does not say how long the context is (`max_position_embeddings`)")


def _chat_template(folder: Folder) -> str:
    """Return the chat template from wherever tools save it, or an empty string."""
    template: Any = ""
    if "chat_template.jinja" in folder:
        template = folder.text("chat_template.jinja")
    elif "chat_template.json" in folder:
        template = folder.json("chat_template.json").get("chat_template")
    elif "tokenizer_config.json" in folder:
        template = folder.json("tokenizer_config.json").get("chat_template")
    if isinstance(template, list):
        named = {entry.get("name"): entry.get("template") for entry in template if isinstance(entry, dict)}
        template = named.get("default") or next(iter(named.values()), "")
    if not template:
        return ""
    if not isinstance(template, str):
        raise InvalidArgument("the chat template must be a string")
    check_template(template)
    return template


def _handles_tools(template: str) -> bool:
    return "tools" in meta.find_undeclared_variables(_jinja().parse(template))


def _jinja() -> jinja2.Environment:
    return ImmutableSandboxedEnvironment(extensions=["jinja2.ext.loopcontrols", _GenerationTag])


class _GenerationTag(Extension):
    """`{% generation %}…{% endgeneration %}` marks the assistant's part for training; it renders its body."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Any) -> Any:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _rank(config: Mapping[str, Any]) -> int:
    rank = config.get("r")
    if not isinstance(rank, int) or not MIN_RANK <= rank <= MAX_RANK:
        raise InvalidArgument(
            f"adapter_config.json: r must be between {MIN_RANK} and {MAX_RANK}, not {rank!r}"
        )
    return rank


def _target_modules(config: Mapping[str, Any]) -> list[str]:
    modules = config.get("target_modules")
    if not isinstance(modules, list) or not modules:
        raise InvalidArgument("adapter_config.json: target_modules must be a list of module names")
    if unknown := sorted({str(module) for module in modules} - ADAPTER_MODULES):
        raise InvalidArgument(
            f"adapter_config.json: unsupported target module {', '.join(unknown)};"
            f" supported are {', '.join(sorted(ADAPTER_MODULES))}"
        )
    return sorted(modules)


def _check_adapter_shapes(tensors: Mapping[str, Tensor], rank: int) -> None:
    if not tensors:
        raise InvalidArgument("adapter_model.safetensors holds no tensors")
    for name, tensor in tensors.items():
        axis = 0 if ".lora_A." in name else -1 if ".lora_B." in name else None
        if axis is not None and tensor.shape[axis] != rank:
            raise InvalidArgument(
                f"{name} has shape {list(tensor.shape)}, but adapter_config.json says r = {rank}"
            )


def _conversation(document: Mapping[str, Any]) -> dict[str, str] | None:
    conversation = document.get("conversation_config")
    if not isinstance(conversation, dict):
        return None
    arguments = conversation.get("args")
    if not isinstance(arguments, dict):
        arguments = {}
    style, template = str(conversation.get("style", "")), str(arguments.get("template", ""))
    if style == "jinja":
        check_template(template)
    return {"style": style, "system": str(arguments.get("system", "")), "template": template}
