"""Which files of a local folder belong to a model."""

from __future__ import annotations

from pathlib import Path

from sparrel.errors import InvalidArgument

IGNORED_SUFFIXES = (".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".gguf", ".tflite", ".md")
"""Other formats of the same weights, and prose: nothing serves them."""


def local_files(folder: Path) -> dict[str, int]:
    """Return the size of each file that belongs to a model; raise InvalidArgument for an unusable folder."""
    if not folder.exists():
        raise InvalidArgument(f"folder {str(folder)!r} does not exist")
    if not folder.is_dir():
        raise InvalidArgument(
            f"{str(folder)!r} is a file: give the folder that holds config.json and the weights"
        )
    found = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }
    files = {name: size for name, size in found.items() if not name.lower().endswith(IGNORED_SUFFIXES)}
    if any(name.endswith(".safetensors") for name in files):
        files = {name: size for name, size in files.items() if not name.endswith((".bin", ".bin.index.json"))}
    if not files:
        raise InvalidArgument(f"folder {str(folder)!r} holds no model files")
    return files
