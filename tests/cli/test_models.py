"""`create model` and `download model`: a folder to the platform and back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support import model_folders
from tests.support.control_server import ControlServer


def test_a_folder_becomes_a_ready_model(sparrel: Run, folder: Path) -> None:
    result = sparrel(
        "create", "model", "whole", str(folder), "--display-name", "Whole", "--context-length", "32"
    )
    assert "State: READY\n" in result.stdout
    assert "Supports Tools: true\n" in result.stdout
    assert "model-00002-of-00002.safetensors: " in result.stderr
    model = json.loads(sparrel("get", "model", "whole", "-o", "json").stdout)
    assert (model["displayName"], model["contextLength"], model["kind"]) == ("Whole", 32, "HF_BASE_MODEL")


def test_quiet_shows_no_progress(sparrel: Run, folder: Path) -> None:
    assert sparrel("create", "model", "silent", str(folder), "--quiet").stderr == ""


def test_what_comes_back_is_what_was_sent(sparrel: Run, tiny: str, folder: Path, tmp_path: Path) -> None:
    result = sparrel("download", "model", "tiny", str(tmp_path / "back"))
    sent = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "back").iterdir()} == sent
    assert len(result.stdout.splitlines()) == len(sent)


def test_a_download_that_broke_off_is_continued(
    sparrel: Run, tiny: str, folder: Path, tmp_path: Path
) -> None:
    shard = "model-00001-of-00002.safetensors"
    content = (folder / shard).read_bytes()
    (tmp_path / f"{shard}.part").write_bytes(content[:100])
    sparrel("download", "model", tiny, str(tmp_path))
    assert (tmp_path / shard).read_bytes() == content


def test_a_missing_shard_is_named_and_the_same_command_resumes(
    sparrel: Run, folder: Path, tmp_path: Path
) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    shard = broken / "model-00002-of-00002.safetensors"
    content = shard.read_bytes()
    shard.unlink()
    failed = sparrel("create", "model", "resumed", str(broken), code=1)
    assert f"Error: INVALID_ARGUMENT: missing shard {shard.name}" in failed.stderr
    assert "run the same command again" in failed.stderr
    shard.write_bytes(content)
    again = sparrel("create", "model", "resumed", str(broken))
    assert "Resuming the upload" in again.stderr
    assert "State: READY" in again.stdout
    assert "Error: ALREADY_EXISTS:" in sparrel("create", "model", "resumed", str(broken), code=1).stderr


def test_an_unsupported_architecture_is_named(sparrel: Run, tmp_path: Path) -> None:
    folder = model_folders.base_model(tmp_path / "odd", config={"architectures": ["Abacus"]})
    failed = sparrel("create", "model", "odd", str(folder), code=1)
    assert "Error: INVALID_ARGUMENT: architecture Abacus is not supported" in failed.stderr


def test_an_adapter_needs_its_base(sparrel: Run, tiny: str, tmp_path: Path) -> None:
    folder = model_folders.adapter(tmp_path / "lora")
    assert "--base-model" in sparrel("create", "model", "lora", str(folder), code=1).stderr
    created = sparrel("create", "model", "lora", str(folder), "--base-model", "tiny", "-o", "json")
    model = json.loads(created.stdout)
    assert (model["kind"], model["state"], model["peftDetails"]["baseModel"]) == (
        "HF_PEFT_ADDON",
        "READY",
        tiny,
    )


def test_only_what_a_model_needs_is_uploaded(sparrel: Run, folder: Path, tmp_path: Path) -> None:
    cluttered = Path(shutil.copytree(folder, tmp_path / "cluttered"))
    for name in ("README.md", ".gitattributes", "pytorch_model.bin", "model.gguf"):
        (cluttered / name).write_text("x")
    request = json.loads(sparrel("create", "model", "m", str(cluttered), "--dry-run").stdout)
    assert sorted(request["files"]) == sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("/nowhere/at/all", "Error: INVALID_ARGUMENT: folder '/nowhere/at/all' does not exist"),
        ("s3://bucket/path", "Error: UNIMPLEMENTED: s3://bucket/path: only a local folder"),
        (__file__, "is a file: give the folder that holds config.json"),
    ],
)
def test_an_unusable_source_is_refused_before_anything_is_created(
    sparrel: Run, source: str, text: str
) -> None:
    assert text in sparrel("create", "model", "unmade", source, code=1).stderr
    assert "NOT_FOUND" in sparrel("get", "model", "unmade", code=1).stderr


def test_an_empty_folder_is_refused(sparrel: Run, tmp_path: Path) -> None:
    assert "holds no model files" in sparrel("create", "model", "unmade", str(tmp_path), code=1).stderr


@pytest.mark.parametrize("model_id", ["Bad_Id", "1st", "x" * 64, "-a"])
def test_a_bad_id_is_refused(sparrel: Run, folder: Path, model_id: str) -> None:
    failed = sparrel("create", "model", "--", model_id, str(folder), code=1)
    assert "Error: INVALID_ARGUMENT: invalid id" in failed.stderr


def test_a_full_disk_is_said_plainly(
    sparrel: Run, folder: Path, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("sparrel.control.storage.Storage._free_bytes", lambda self: 5)
        failed = sparrel("create", "model", "toobig", str(folder), code=1)
    assert "Error: UNAVAILABLE: the upload needs" in failed.stderr
    assert "State: READY" in sparrel("create", "model", "toobig", str(folder)).stdout
