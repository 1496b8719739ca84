"""Which platform and key a command uses, and what `env` prints for other clients."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.control_server import ControlServer


def test_env_prints_exports_that_a_shell_accepts(sparrel: Run, server: ControlServer) -> None:
    exports = sparrel("env").stdout
    shell = subprocess.run(
        ["sh", "-c", f"{exports}\nenv"], capture_output=True, text=True, check=True, env={}
    )
    found = dict(line.split("=", 1) for line in shell.stdout.splitlines())
    host = server.base_url
    assert {
        name: value
        for name, value in found.items()
        if name.split("_")[0] in ("SPARREL", "OPENAI", "FIREWORKS")
    } == {
        "SPARREL_BASE_URL": host,
        "SPARREL_API_KEY": server.api_key,
        "SPARREL_ACCOUNT_ID": "default",
        "SPARREL_MODEL": "accounts/sparrel/models/demo-chat",
        "OPENAI_BASE_URL": f"{host}/inference/v1",
        "OPENAI_API_KEY": server.api_key,
        "FIREWORKS_API_BASE": f"{host}/inference/v1",
        "FIREWORKS_API_BASE_URL": host,
        "FIREWORKS_BASE_URL": host,
        "FIREWORKS_GATEWAY_ADDR": host.removeprefix("http://"),
        "FIREWORKS_API_KEY": server.api_key,
        "FIREWORKS_ACCOUNT_ID": "default",
    }


def test_env_works_with_a_platform_that_is_down(sparrel: Run) -> None:
    variables = json.loads(sparrel("env", "-o", "json", "--base-url", "http://127.0.0.1:1").stdout)
    assert variables["SPARREL_ACCOUNT_ID"] == "default"


def test_whoami(sparrel: Run, server: ControlServer) -> None:
    assert sparrel("whoami").stdout == (
        f"Account: default\nUser: admin\nEmail: admin@localhost\nRole: admin\nBase URL: {server.base_url}\n"
    )


def test_a_stored_key_is_private_and_used(sparrel: Run, server: ControlServer, tmp_path: Path) -> None:
    elsewhere = {"SPARREL_HOME": str(tmp_path / "laptop"), "SPARREL_BASE_URL": server.base_url}
    assert "no API key is configured" in sparrel("whoami", env=elsewhere, code=1).stderr
    sparrel("set-api-key", server.api_key, env=elsewhere)
    path = tmp_path / "laptop" / "auth.ini"
    assert path.read_text() == f"api_key = {server.api_key}\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Account: default" in sparrel("whoami", env=elsewhere).stdout
    wrong = sparrel("whoami", env=elsewhere | {"SPARREL_API_KEY": "wrong"}, code=1)
    assert "this API key is not valid" in wrong.stderr
    assert (
        "Account: default"
        in sparrel("whoami", "--api-key", server.api_key, env=elsewhere | {"SPARREL_API_KEY": "wrong"}).stdout
    )


def test_signin_checks_the_key_and_remembers_the_platform(
    sparrel: Run, server: ControlServer, tmp_path: Path
) -> None:
    elsewhere = {"SPARREL_HOME": str(tmp_path / "laptop")}
    asked = sparrel("signin", "--base-url", server.base_url, env=elsewhere, input=f"{server.api_key}\n")
    assert "Signed in to account default" in asked.stderr
    assert server.api_key not in asked.output
    assert "Account: default" in sparrel("whoami", env=elsewhere).stdout
    other = sparrel("signin", "other", "--base-url", server.base_url, "--api-key", server.api_key, code=1)
    assert "belongs to account 'default', not 'other'" in other.stderr


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_not_stored(sparrel: Run, tmp_path: Path, key: str) -> None:
    result = sparrel("set-api-key", key, env={"SPARREL_HOME": str(tmp_path)}, code=1)
    assert "the API key is empty" in result.stderr


def test_version_and_token(sparrel: Run, server: ControlServer) -> None:
    assert sparrel("version").stdout.startswith("sparrel ")
    assert sparrel("token").stdout == f"{server.api_key}\n"
