"""`cluster.yaml` is one that `ray up` accepts, as far as that can be known without a cloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sparrel.resources.common import AcceleratorType

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    from ray.autoscaler._private.util import prepare_config

    prepared: dict[str, Any] = prepare_config(yaml.safe_load((ROOT / "cluster.yaml").read_text()))
    return prepared


def test_ray_accepts_it(config: dict[str, Any]) -> None:
    from ray.autoscaler._private.util import validate_config

    validate_config(config)


def test_every_node_joins_with_a_token_and_the_platforms_environment(config: dict[str, Any]) -> None:
    for commands in (config["head_start_ray_commands"], config["worker_start_ray_commands"]):
        start = next(command for command in commands if "ray start" in command)
        assert "RAY_AUTH_MODE=token" in start
        assert "sparrel.control.cluster.attach --environment" in start


def test_the_head_runs_no_models(config: dict[str, Any]) -> None:
    assert config["available_node_types"][config["head_node_type"]]["resources"]["CPU"] == 0


def test_every_accelerator_of_the_api_has_a_name_on_ray() -> None:
    kinds = yaml.safe_load((ROOT / "configs" / "accelerators.yaml").read_text())
    assert set(kinds) == {str(kind) for kind in AcceleratorType} - {"ACCELERATOR_TYPE_UNSPECIFIED"}
