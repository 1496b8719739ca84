"""A folder loads, or says in one typed sentence why not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, FalconMambaConfig, Gemma2Config

from sparrel.engine import (
    LLM,
    BadConfig,
    DoesNotFit,
    Engine,
    EngineConfig,
    MissingShard,
    MissingTensor,
    ModelLoadError,
    SamplingParams,
    UnsupportedModel,
)
from sparrel.engine.models.decoder import Decoder
from sparrel.engine.models.hosted import HostedModel

from .conftest import random_prompts


@pytest.fixture
def copy(llama: Path, tmp_path: Path) -> Path:
    return shutil.copytree(llama, tmp_path / "model")


def edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def load(folder: Path, **config: Any) -> Engine:
    return Engine(EngineConfig(folder, **config))


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def test_the_model_is_sharded(llama: Path) -> None:
    assert len(shards(llama)) > 2


def test_a_missing_folder_names_its_config(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"config\.json"):
        load(tmp_path / "nowhere")


def test_a_missing_shard_is_named(copy: Path) -> None:
    victim = shards(copy)[1]
    victim.unlink()
    with pytest.raises(MissingShard, match=victim.name):
        load(copy)


def test_a_shard_cut_short_is_named(copy: Path) -> None:
    victim = shards(copy)[1]
    victim.write_bytes(victim.read_bytes()[:-100])
    with pytest.raises(MissingShard, match=victim.name):
        load(copy)


def test_no_weights_at_all(copy: Path) -> None:
    for path in copy.glob("model*"):
        path.unlink()
    with pytest.raises(MissingShard, match=r"model\.safetensors"):
        load(copy)


def test_a_missing_tensor_is_named(copy: Path) -> None:
    edit(copy / "config.json", num_hidden_layers=4)
    with pytest.raises(MissingTensor, match=r"model\.layers\.3\."):
        load(copy)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"intermediate_size": 96}, "shape"),
        ({"num_key_value_heads": 3}, "multiple"),
        ({"architectures": []}, "architecture"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4}}, "yarn"),
    ],
)
def test_a_config_that_contradicts_itself_or_the_weights(
    changes: dict[str, Any], words: str, copy: Path
) -> None:
    edit(copy / "config.json", **changes)
    with pytest.raises(BadConfig, match=words):
        load(copy)


def test_a_config_that_is_not_json(copy: Path) -> None:
    (copy / "config.json").write_text("{")
    with pytest.raises(BadConfig, match="JSON"):
        load(copy)


def test_an_unknown_architecture(copy: Path) -> None:
    edit(copy / "config.json", architectures=["NovelForCausalLM"], model_type="novel")
    with pytest.raises(ModelLoadError, match="novel"):
        load(copy)


def test_a_quantized_checkpoint_is_refused(copy: Path) -> None:
    edit(copy / "config.json", quantization_config={"quant_method": "gptq", "bits": 4})
    with pytest.raises(UnsupportedModel, match="quantized"):
        load(copy)


@pytest.mark.parametrize(
    "config",
    [
        Gemma2Config(
            vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, head_dim=16,
        ),
        FalconMambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, state_size=8),
    ],
    ids=lambda config: config.model_type,
)  # fmt: skip
def test_what_paged_attention_cannot_express_is_refused(config: Any, tmp_path: Path) -> None:
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    with pytest.raises(UnsupportedModel):
        load(tmp_path, max_model_len=64)


def test_weights_that_do_not_fit(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparrel.engine.loading._available_bytes", lambda device: 1000)
    with pytest.raises(DoesNotFit, match="weights"):
        load(copy)


@pytest.mark.parametrize("size", [{"num_blocks": 10**9}, {"kv_cache_bytes": 10}])
def test_a_cache_that_does_not_fit(size: dict[str, int], llama: Path) -> None:
    with pytest.raises(DoesNotFit, match="cache"):
        load(llama, **size)


def test_the_cache_bounds_the_context_unless_told(llama: Path) -> None:
    assert load(llama).max_model_len == 256
    assert load(llama, num_blocks=4).max_model_len == 64
    assert load(llama, num_blocks=4, max_model_len=100).max_model_len == 100


def test_native_and_hosted_are_chosen_by_architecture(model_folder: Callable[[str], Path]) -> None:
    assert isinstance(load(model_folder("qwen3"))._runner.model, Decoder)
    assert isinstance(load(model_folder("mixtral"))._runner.model, HostedModel)


def test_native_equals_hosted(llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = random_prompts(5, 60, 33)
    params = SamplingParams(max_tokens=20, temperature=0.0)
    native = [result.token_ids for result in LLM(llama).generate(prompts, params)]
    monkeypatch.setattr("sparrel.engine.models.registry.NATIVE", {})
    llm = LLM(llama)
    assert isinstance(llm.engine._runner.model, HostedModel)
    assert [result.token_ids for result in llm.generate(prompts, params)] == native


def test_a_bfloat16_checkpoint_is_widened_on_cpu(llama: Path, tmp_path: Path) -> None:
    AutoModelForCausalLM.from_pretrained(llama, dtype=torch.bfloat16).save_pretrained(tmp_path)
    core = load(tmp_path, device="cpu")
    assert core._runner.attention.cache[0].dtype == torch.float32


def test_bfloat16_runs_when_asked_for(llama: Path) -> None:
    [result] = LLM(llama, dtype="bfloat16").generate(
        random_prompts(20), SamplingParams(max_tokens=5, ignore_eos=True)
    )
    assert len(result.token_ids) == 5


@pytest.mark.parametrize(
    "config", [{"block_size": 0}, {"max_num_seqs": 8, "max_batched_tokens": 4}, {"num_blocks": 0}]
)
def test_a_config_out_of_range_is_refused(config: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(reversed(config))):
        EngineConfig("model", **config)
