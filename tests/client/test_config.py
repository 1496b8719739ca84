"""Where base URL, key and account come from, first match wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sparrel.client import ClientConfig, auth_file
from sparrel.errors import InvalidArgument


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with everything a started platform and a signed-in user leave there."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "api_key").write_text("sp_local\n")
    (tmp_path / "run" / "platform.json").write_text(json.dumps({"base_url": "http://127.0.0.1:8123"}))
    return tmp_path


def resolve(home: Path, env: dict[str, str] | None = None, **arguments: str) -> ClientConfig:
    return ClientConfig.resolve(env={"SPARREL_HOME": str(home), **(env or {})}, **arguments)


def test_on_the_machine_of_up_nothing_need_be_said(home: Path) -> None:
    config = resolve(home)
    assert (config.base_url, config.api_key, config.account_id) == ("http://127.0.0.1:8123", "sp_local", None)


def test_the_auth_file_wins_over_the_local_platform(home: Path) -> None:
    auth_file.write(home / "auth.ini", {"api_key": "sp_file", "account_id": "acme", "base_url": "https://x"})
    assert resolve(home) == ClientConfig(base_url="https://x", api_key="sp_file", account_id="acme")


def test_the_environment_wins_over_the_auth_file(home: Path) -> None:
    auth_file.write(home / "auth.ini", {"api_key": "sp_file", "account_id": "acme"})
    env = {"SPARREL_BASE_URL": "http://e", "SPARREL_API_KEY": "sp_env", "SPARREL_ACCOUNT_ID": "e"}
    assert resolve(home, env) == ClientConfig(base_url="http://e", api_key="sp_env", account_id="e")


def test_arguments_win_over_everything(home: Path) -> None:
    env = {"SPARREL_BASE_URL": "http://e", "SPARREL_API_KEY": "sp_env", "SPARREL_ACCOUNT_ID": "e"}
    config = resolve(home, env, base_url="http://a", api_key="sp_a", account_id="a")
    assert config == ClientConfig(base_url="http://a", api_key="sp_a", account_id="a")


def test_an_account_given_as_empty_stays_empty(home: Path) -> None:
    assert resolve(home, {"SPARREL_ACCOUNT_ID": "e"}, account_id="").account_id == ""


def test_an_empty_home_means_the_default_port_and_no_key(tmp_path: Path) -> None:
    config = resolve(tmp_path / "none")
    assert (config.base_url, config.api_key) == ("http://127.0.0.1:8000", "")


@pytest.mark.parametrize("url", ["http://h:1", "http://h:1/", "http://h:1/inference/v1", "http://h:1/v1/"])
def test_the_inference_address_will_do_for_the_host(tmp_path: Path, url: str) -> None:
    assert resolve(tmp_path, base_url=url).base_url == "http://h:1"


def test_a_url_without_a_scheme_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="must start with http"):
        resolve(tmp_path, base_url="localhost:8000")


@pytest.mark.parametrize(
    "text", ["api_key = k\n", "[fireworks]\napi_key=k\n", "# note\n api_key =  k \nid_token = t\n"]
)
def test_auth_files_of_other_clients_are_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "auth.ini").write_text(text)
    assert auth_file.read(tmp_path / "auth.ini")["api_key"] == "k"


def test_the_auth_file_is_written_private_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "auth.ini"
    auth_file.write(path, {"api_key": "a", "account_id": ""})
    auth_file.write(path, {"api_key": "b"})
    assert path.read_text() == "api_key = b\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["auth.ini"]
