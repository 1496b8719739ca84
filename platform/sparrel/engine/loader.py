"""Reading a Hugging Face model folder: configuration, end-of-sequence ids, and tensors one at a time."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers import AutoConfig

from .errors import BadConfig, MissingShard, MissingTensor

_INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"


class Checkpoint:
    """
    The tensors of a folder by name, converted to one dtype and device as they are asked for.

    Files are mapped, not read: at most one tensor beyond the model itself is in memory.
    """

    def __init__(self, folder: Path, dtype: torch.dtype, device: torch.device) -> None:
        self.folder = folder
        self.dtype = dtype
        self.device = device
        self._file_of: dict[str, Any] = {}
        for path in _weight_files(folder):
            handle = _open(path)
            self._file_of.update(dict.fromkeys(handle.keys(), handle))

    def get(self, name: str, shape: Sequence[int]) -> Tensor:
        """The tensor, whose shape must be as the configuration implies."""
        if name not in self._file_of:
            raise MissingTensor(f"{self.folder}: no weight file holds {name!r}.")
        tensor: Tensor = self._file_of[name].get_tensor(name)
        if tuple(tensor.shape) != tuple(shape):
            raise BadConfig(f"{name!r} has shape {tuple(tensor.shape)}; config.json implies {tuple(shape)}.")
        return tensor.to(device=self.device, dtype=self.dtype)


def load_config(folder: Path) -> Any:
    """The folder's `transformers` configuration object."""
    _read_json(folder / "config.json")
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        # `transformers` raises anything from KeyError to its own validation errors here.
        raise BadConfig(f"{folder / 'config.json'}: {error}") from error
    if getattr(config, "vocab_size", None) is None or getattr(config, "num_hidden_layers", None) is None:
        raise BadConfig(f"{folder / 'config.json'} does not describe a language model.")
    return config


def load_eos_ids(folder: Path, config: Any) -> frozenset[int]:
    """End-of-sequence ids, from generation_config.json where it has them, else from config.json."""
    path = folder / "generation_config.json"
    ids = _read_json(path).get("eos_token_id") if path.is_file() else None
    if ids is None:
        ids = getattr(config, "eos_token_id", None)
    if ids is None:
        return frozenset()
    return frozenset([ids] if isinstance(ids, int) else ids)


def weight_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in _weight_files(folder))


def _weight_files(folder: Path) -> list[Path]:
    if not (folder / _INDEX).is_file():
        if not (folder / _SINGLE).is_file():
            raise MissingShard(f"{folder}: no {_SINGLE} and no {_INDEX}.")
        return [folder / _SINGLE]
    weight_map = _read_json(folder / _INDEX).get("weight_map")
    if not isinstance(weight_map, dict) or not weight_map:
        raise BadConfig(f"{folder / _INDEX} has no weight_map.")
    paths = sorted({folder / name for name in weight_map.values()})
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise MissingShard(
            f"{folder}: {len(missing)} of {len(paths)} weight files are missing: {', '.join(missing)}."
        )
    return paths


def _open(path: Path) -> Any:
    try:
        return safe_open(path, framework="pt")
    except (SafetensorError, OSError) as error:
        raise MissingShard(f"{path} is cut short or not a safetensors file: {error}") from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError:
        raise BadConfig(f"There is no {path}.") from None
    except (OSError, ValueError) as error:
        raise BadConfig(f"{path} is not readable JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadConfig(f"{path} must hold a JSON object.")
    return value
