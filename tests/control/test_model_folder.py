"""What a model folder must be, checked on the files alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sparrel.control.model_folder import Folder, inspect_adapter, inspect_base_model
from sparrel.errors import InvalidArgument
from tests.support import model_folders
from tests.support.model_folders import CHAT_TEMPLATE, CONFIG, PARAMETERS

SUPPORTED = {"LlamaForCausalLM"}
SECOND = "model-00002-of-00002.safetensors"


def opened(path: Path) -> Folder:
    sizes = {file.name: file.stat().st_size for file in path.iterdir()}
    return Folder(sizes, lambda name: (path / name).open("rb"))


def set_config(**values: object) -> Callable[[Path], object]:
    return lambda path: (path / "config.json").write_text(json.dumps({**CONFIG, **values}))


def write(name: str, text: str) -> Callable[[Path], object]:
    return lambda path: (path / name).write_text(text)


def remove(name: str) -> Callable[[Path], object]:
    return lambda path: (path / name).unlink()


def truncate(name: str, num_bytes: int) -> Callable[[Path], object]:
    return lambda path: (path / name).write_bytes((path / name).read_bytes()[:num_bytes])


def test_a_sound_folder_says_what_the_model_is(tmp_path: Path) -> None:
    found = inspect_base_model(opened(model_folders.base_model(tmp_path / "m")), SUPPORTED)
    assert found["baseModelDetails"]["parameterCount"] == str(PARAMETERS)
    assert found["baseModelDetails"]["modelType"] == "llama"
    assert found["contextLength"] == 64
    assert found["conversationConfig"] == {"style": "jinja", "system": "", "template": CHAT_TEMPLATE}
    assert found["supportsTools"] is True


def test_a_template_that_ignores_tools_does_not_support_them(tmp_path: Path) -> None:
    folder = model_folders.base_model(tmp_path / "m")
    write("chat_template.jinja", "{{ messages }}")(folder)
    assert inspect_base_model(opened(folder), SUPPORTED)["supportsTools"] is False


def test_without_a_template_a_model_does_not_chat(tmp_path: Path) -> None:
    folder = model_folders.base_model(tmp_path / "m")
    remove("tokenizer_config.json")(folder)
    assert "conversationConfig" not in inspect_base_model(opened(folder), SUPPORTED)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (remove("config.json"), "config.json is missing"),
        (write("config.json", "{"), "config.json is not valid JSON"),
        (write("config.json", "[]"), "must hold a JSON object"),
        (set_config(architectures=["GPT5ForEverything"]), "GPT5ForEverything is not supported"),
        (set_config(architectures=[]), "names no architecture"),
        (set_config(quantization_config={"bits": 4}), "quantization_config"),
        (set_config(max_position_embeddings=None), "how long the context is"),
        (set_config(hidden_size=16), "has shape [32, 8], but config.json means [32, 16]"),
        (set_config(num_hidden_layers=3), "weights of layer 2 are missing"),
        (set_config(num_attention_heads=8, head_dim=8), "q_proj.weight has shape [8, 8]"),
        (set_config(tie_word_embeddings=False), "no lm_head.weight"),
        (remove(SECOND), f"missing shard {SECOND}"),
        (truncate(SECOND, 500), f"{SECOND}: not a safetensors file"),
        (truncate(SECOND, -1), f"{SECOND}: truncated"),
        (truncate(SECOND, 4), f"{SECOND}: not a safetensors file"),
        (write(SECOND, "version https://git-lfs.github.com/spec/v1"), "not a safetensors file"),
        (remove("model.safetensors.index.json"), "index.json is missing"),
        (write("model.safetensors.index.json", f'{{"weight_map": {{"x": "{SECOND}"}}}}'), "does not hold x"),
        (remove("tokenizer.json"), "no tokenizer found"),
        (write("tokenizer_config.json", '{"chat_template": "{% if %}"}'), "not valid Jinja"),
    ],
)
def test_a_damaged_folder_is_refused_with_the_reason(
    tmp_path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    folder = model_folders.base_model(tmp_path / "m")
    damage(folder)
    with pytest.raises(InvalidArgument) as refusal:
        inspect_base_model(opened(folder), SUPPORTED)
    assert reason in refusal.value.message


def test_the_engines_architectures_are_known_without_importing_transformers() -> None:
    code = (
        "import sys; from sparrel.control.architectures import supported_architectures as s; names = s();"
        "assert {'LlamaForCausalLM', 'Qwen3ForCausalLM', 'MixtralForCausalLM', 'GPT2LMHeadModel'} <= names;"
        "assert not any(name.islower() for name in names) and 'BertModel' not in names;"
        "sys.exit(bool({'transformers', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_an_adapter_says_its_rank_and_modules(tmp_path: Path) -> None:
    found = inspect_adapter(opened(model_folders.adapter(tmp_path / "a", base="accounts/x/models/y")))
    assert found["peftDetails"] == {
        "r": 8,
        "targetModules": ["q_proj", "v_proj"],
        "baseModel": "accounts/x/models/y",
    }


def test_fireworks_json_brings_an_adapters_template(tmp_path: Path) -> None:
    folder = model_folders.adapter(tmp_path / "a")
    conversation = {"style": "jinja", "args": {"template": "{{ messages }}"}}
    write("fireworks.json", json.dumps({"conversation_config": conversation}))(folder)
    assert inspect_adapter(opened(folder))["conversationConfig"]["template"] == "{{ messages }}"


@pytest.mark.parametrize(
    ("arguments", "damage", "reason"),
    [
        ({"rank": 2}, None, "r must be between 4 and 64, not 2"),
        ({"rank": 128}, None, "r must be between 4 and 64, not 128"),
        ({"modules": ["lm_head"]}, None, "unsupported target module lm_head"),
        ({"modules": "all-linear"}, None, "target_modules must be a list"),
        ({}, remove("adapter_config.json"), "adapter_config.json is missing"),
        (
            {},
            remove("adapter_model.safetensors"),
            "adapter_model.safetensors (or adapter_model.bin) is missing",
        ),
        ({}, write("adapter_config.json", '{"r": 16, "target_modules": ["q_proj"]}'), "says r = 16"),
    ],
)
def test_a_damaged_adapter_is_refused(
    tmp_path: Path, arguments: dict[str, object], damage: Callable[[Path], object] | None, reason: str
) -> None:
    folder = model_folders.adapter(tmp_path / "a", **arguments)  # type: ignore[arg-type]
    if damage is not None:
        damage(folder)
    with pytest.raises(InvalidArgument) as refusal:
        inspect_adapter(opened(folder))
    assert reason in refusal.value.message


def test_a_base_model_uploaded_as_an_adapter_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="created with kind HF_BASE_MODEL"):
        inspect_adapter(opened(model_folders.base_model(tmp_path / "m")))
