"""The published clients talk to a platform of their own, demo model included."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sparrel.control.cluster import local
from tests.support.running import Platform, start


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = start(tmp_path_factory.mktemp("clients") / "home")
    try:
        yield platform
    finally:
        local.down(platform.settings)
