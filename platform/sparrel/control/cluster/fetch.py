"""Model folders where a replica can read them: as they are when local, else copied once per node."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import fsspec

from sparrel.settings import Settings


class FetchFailed(RuntimeError):
    """The model's files cannot be had; the message says which and why."""


def local_folder(uri: str, settings: Settings) -> Path:
    """Return a local folder with the model's files; blocks while they are copied."""
    filesystem, path = fsspec.core.url_to_fs(uri)
    if "file" in _protocols(filesystem):
        folder = Path(path)
        if not folder.is_dir():
            raise FetchFailed(f"The model's folder {folder} does not exist.")
        return folder
    target = settings.home / "cache" / "models" / hashlib.sha256(uri.encode()).hexdigest()[:32]
    if not target.is_dir():
        _copy(filesystem, path, uri, target)
    return target


def _copy(filesystem: fsspec.AbstractFileSystem, path: str, uri: str, target: Path) -> None:
    """Copy to a folder of our own, then give it its name: a half copy is never seen as whole."""
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        filesystem.get(path.rstrip("/") + "/", str(partial) + "/", recursive=True)
        partial.rename(target)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        if not target.is_dir():
            raise FetchFailed(f"{uri} cannot be copied: {error}") from error


def _protocols(filesystem: fsspec.AbstractFileSystem) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
