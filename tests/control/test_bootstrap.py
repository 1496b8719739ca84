"""What the first start leaves behind, and that a second changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.numpy import save_file

from sparrel.control import bootstrap as module
from sparrel.control.auth import StoreAuthenticator
from sparrel.control.bootstrap import bootstrap, key_path
from sparrel.control.store import Store
from sparrel.settings import DEMO_DEPLOYMENT, DEMO_MODEL, Settings


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation whose demo model is as small as one can be."""
    folder = tmp_path / "configs" / "models" / "demo-chat"
    folder.mkdir(parents=True)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "max_position_embeddings": 512}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    save_file({}, folder / "model.safetensors")
    monkeypatch.setattr(module, "configs_dir", lambda: tmp_path / "configs")
    return Settings(home=tmp_path / "home", account="mine", admin_email="me@mine.test")


async def test_the_first_start_makes_an_administrator_with_a_key(store: Store, settings: Settings) -> None:
    await bootstrap(store, settings)
    path = key_path(settings)
    assert path.stat().st_mode & 0o777 == 0o600
    principal = await StoreAuthenticator(store).authenticate(path.read_text().strip())
    assert (principal.account, principal.role, principal.email) == ("mine", "admin", "me@mine.test")


async def test_the_demo_model_is_public_ready_and_deployed(store: Store, settings: Settings) -> None:
    await bootstrap(store, settings)
    model, deployment = await store.get(DEMO_MODEL), await store.get(DEMO_DEPLOYMENT)
    assert model is not None
    assert deployment is not None
    assert model.state == "READY"
    assert model.document["public"]
    assert model.document["contextLength"] == 512
    assert model.document["conversationConfig"]["template"] == "{{ messages }}"
    assert model.internal["path"].endswith("/configs/models/demo-chat")
    assert (deployment.state, deployment.document["minReplicaCount"]) == ("CREATING", 1)
    (deployed,) = await store.scan("deployedModels")
    assert deployed.document["default"]
    assert deployed.document["public"]
    assert deployed.document["serverless"]


async def test_a_second_start_changes_nothing(store: Store, settings: Settings) -> None:
    await bootstrap(store, settings)
    before = [await store.scan(c) for c in ("accounts", "users", "apiKeys", "models", "deployments")]
    key = key_path(settings).read_text()
    await bootstrap(store, settings)
    assert [await store.scan(c) for c in ("accounts", "users", "apiKeys", "models", "deployments")] == before
    assert key_path(settings).read_text() == key


async def test_a_lost_key_file_is_replaced_by_a_new_key(store: Store, settings: Settings) -> None:
    await bootstrap(store, settings)
    key_path(settings).unlink()
    await bootstrap(store, settings)
    assert len(await store.scan("apiKeys")) == 2


async def test_a_lost_database_takes_the_key_that_clients_have(store: Store, settings: Settings) -> None:
    key_path(settings).parent.mkdir(parents=True)
    key_path(settings).write_text("sp_known\n")
    await bootstrap(store, settings)
    assert (await StoreAuthenticator(store).authenticate("sp_known")).role == "admin"


async def test_without_its_files_there_is_no_demo_model(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "configs_dir", lambda: tmp_path / "nowhere")
    await bootstrap(store, settings)
    assert await store.get(DEMO_MODEL) is None
    assert await store.get("accounts/mine") is not None
