"""`--wait`: what a person sees while a deployment comes up, and how it ends."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.support.control_server import ControlServer, set_state_once_made


@pytest.fixture(autouse=True)
def quick_polls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparrel.client.collection.POLL_S", 0.01)


def create(sparrel: Run, name: str, code: int = 0, *more: str) -> tuple[str, str]:
    result = sparrel("create", "deployment", "tiny", "--deployment-id", name, "--wait", *more, code=code)
    return result.stdout, result.stderr


def test_it_ends_when_the_deployment_is_ready(sparrel: Run, server: ControlServer, tiny: str) -> None:
    name = "accounts/default/deployments/comes-up"
    controller = set_state_once_made(server, name, ("READY", "OK", ""))
    stdout, stderr = create(sparrel, "comes-up")
    controller.join()
    assert "State: READY\n" in stdout
    assert f"{name}: READY, 0 of" in stderr


def test_a_failure_ends_it_with_the_reason(sparrel: Run, server: ControlServer, tiny: str) -> None:
    reason = "no node has 2 accelerators"
    name = "accounts/default/deployments/breaks"
    controller = set_state_once_made(server, name, ("FAILED", "RESOURCE_EXHAUSTED", reason))
    stdout, stderr = create(sparrel, "breaks", 1)
    controller.join()
    assert stdout == ""
    assert f"Error: RESOURCE_EXHAUSTED: {reason}\n" in stderr


def test_json_output_is_the_ready_resource_alone(sparrel: Run, server: ControlServer, tiny: str) -> None:
    controller = set_state_once_made(server, "accounts/default/deployments/as-json", ("READY", "OK", ""))
    stdout, _ = create(sparrel, "as-json", 0, "-o", "json")
    controller.join()
    assert json.loads(stdout)["state"] == "READY"


def test_undelete_waits_too(sparrel: Run, server: ControlServer, tiny: str) -> None:
    name = "accounts/default/deployments/returns"
    sparrel("create", "deployment", "tiny", "--deployment-id", "returns")
    set_state_once_made(server, name, ("FAILED", "INTERNAL", "boom")).join()
    refused = sparrel("undelete", "deployment", "returns")
    assert "State: CREATING" in refused.stdout
    set_state_once_made(server, name, ("FAILED", "INTERNAL", "boom again")).join()
    failed = sparrel("get", "deployment", "returns").stdout
    assert "Status: INTERNAL: boom again\n" in failed
