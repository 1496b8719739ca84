"""The blocking and the awaited client against a real control plane."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparrel import errors
from sparrel.client import AsyncClient, Client, ClientConfig
from tests.support import model_folders
from tests.support.control_server import ControlServer, control_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlServer]:
    with control_server(tmp_path_factory.mktemp("platform")) as server:
        yield server


@pytest.fixture
def config(server: ControlServer) -> ClientConfig:
    return ClientConfig.resolve(env=server.env)


def test_a_models_life_with_the_blocking_client(config: ClientConfig, tmp_path: Path) -> None:
    folder = model_folders.base_model(tmp_path / "m")
    body = {"kind": "HF_BASE_MODEL", "base_model_details": {}}
    progress: dict[str, tuple[int, int]] = {}
    with Client(config=config) as client:
        model = client.models.create(body, id="life")
        ready = client.upload_model(
            model["name"], folder, progress=lambda n, d, s: progress.update({n: (d, s)})
        )
        assert ready["state"] == "READY"
        assert progress == {path.name: (path.stat().st_size,) * 2 for path in folder.iterdir()}
        assert client.models.update("life", {"display_name": "Life"})["displayName"] == "Life"
        assert [m["name"] for m in client.models.list(filter='display_name="Life"')] == [model["name"]]
        paths = client.download_model("life", tmp_path / "back")
        assert {path.name for path in paths} == {path.name for path in folder.iterdir()}
        client.models.delete("life")
        with pytest.raises(errors.NotFound):
            client.models.get("life")


async def test_the_awaited_client_does_the_same(config: ClientConfig) -> None:
    async with AsyncClient(config=config) as client:
        names = [f"bulk-{number}" for number in range(5)]
        await asyncio.gather(
            *(client.users.create({"email": f"{n}@x.test", "role": "user"}, id=n) for n in names)
        )
        found = [u["name"] async for u in client.users.list(filter='email:"x.test"', page_size=2)]
        assert [name.rsplit("/", 1)[1] for name in found] == names


async def test_the_blocking_client_works_inside_a_running_loop(config: ClientConfig) -> None:
    with Client(config=config) as client:
        assert client.account_id() == "default"


def test_an_upload_that_was_refused_names_the_reason(config: ClientConfig, tmp_path: Path) -> None:
    folder = model_folders.base_model(tmp_path / "m")
    (folder / "config.json").write_text("{}")
    with Client(config=config) as client:
        client.models.create({"kind": "HF_BASE_MODEL", "baseModelDetails": {}}, id="refused")
        with pytest.raises(errors.InvalidArgument, match="names no architecture"):
            client.upload_model("refused", folder)
        assert client.models.get("refused")["state"] == "UPLOADING"
