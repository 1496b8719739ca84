from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sparrel.cli.main import main
from tests.support import model_folders
from tests.support.control_server import ControlServer, control_server

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlServer]:
    with control_server(tmp_path_factory.mktemp("platform")) as server:
        yield server


@pytest.fixture
def sparrel(server: ControlServer, tmp_path: Path) -> Run:
    """Run the command on the platform's own machine: nothing but its home and port is known."""
    foreign = dict.fromkeys(name for name in os.environ if name.startswith("SPARREL_"))
    runner = CliRunner(env={**foreign, **server.env})

    def run(
        *arguments: str, code: int = 0, input: str | None = None, env: dict[str, str] | None = None
    ) -> Result:
        result = runner.invoke(main, arguments, input=input, env=env)
        assert result.exit_code == code, (arguments, result.stdout, result.stderr, result.exception)
        return result

    return run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that passes every check."""
    return model_folders.base_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny(server: ControlServer, folder: Path) -> str:
    """A published model in the caller's account."""
    result = CliRunner(env=server.env).invoke(main, ["create", "model", "tiny", str(folder), "--quiet"])
    assert result.exit_code == 0, result.stderr
    return "accounts/default/models/tiny"
