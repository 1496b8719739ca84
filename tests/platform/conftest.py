"""One platform for the session, and deployments for the tests that change one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sparrel.control.cluster import local
from tests.support.running import Platform, add_models, start


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = start(tmp_path_factory.mktemp("platform") / "home")
    try:
        add_models(platform, tmp_path_factory.mktemp("models"))
        yield platform
    finally:
        local.down(platform.settings)


@pytest.fixture
def deploy(platform: Platform) -> Iterator[Callable[..., str]]:
    """Make READY deployments of the tiny model, with one replica; they go after the test."""
    made = []

    def deploy(**fields: Any) -> str:
        name = platform.deploy(f"t{os.urandom(4).hex()}", **fields)
        made.append(name)
        platform.until(name, state="READY", replicaCount=1)
        return name

    yield deploy
    for name in made:
        platform.delete(name)


@pytest.fixture
def deployment(deploy: Callable[..., str]) -> str:
    return deploy()
