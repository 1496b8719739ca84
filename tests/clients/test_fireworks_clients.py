"""Both generations of the published `fireworks-ai` package, each in its own environment.

Their dependencies conflict, so a script per generation runs with that environment's Python and prints
what the client understood; `make client-envs` builds the environments.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sparrel.settings import DEMO_MODEL

pytestmark = [pytest.mark.ray, pytest.mark.clients]

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "scripts"
QUESTION = "What is the capital of France?"


def drive(platform, environment: str, script: str) -> dict[str, Any]:
    python = ROOT / ".venvs" / environment / "bin" / "python"
    assert python.exists(), f"{python} is missing: run `make client-envs`"
    run = subprocess.run(
        [python, SCRIPTS / script, DEMO_MODEL, QUESTION],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(platform.settings.home),
            "FIREWORKS_API_KEY": platform.api_key,
            "FIREWORKS_ACCOUNT_ID": platform.settings.account,
            "FIREWORKS_API_BASE": f"{platform.settings.base_url}/inference/v1",
            "FIREWORKS_BASE_URL": platform.settings.base_url,
        },
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def legacy(platform) -> dict[str, Any]:
    return drive(platform, "fireworks-0.19", "fireworks_0_19.py")


@pytest.fixture(scope="module")
def generated(platform) -> dict[str, Any]:
    return drive(platform, "fireworks-1.2", "fireworks_1_2.py")


class TestClient019:
    def test_chat(self, legacy) -> None:
        assert "Paris" in legacy["chat"]["content"]
        assert legacy["chat"]["finish"] == "stop"

    def test_stream_equals_whole_and_only_its_last_chunk_has_usage(self, legacy) -> None:
        stream = legacy["chat_stream"]
        assert stream["content"] == legacy["chat"]["content"]
        assert stream["finish"] == "stop"
        assert stream["usage"] == legacy["chat"]["usage"]
        assert stream["early_usage"] == []

    def test_async_chat(self, legacy) -> None:
        assert legacy["achat"]["content"] == legacy["chat"]["content"]

    def test_legacy_logprobs_parse_as_such(self, legacy) -> None:
        found = legacy["legacy_logprobs"]
        assert found["kind"] == "LogProbs"
        assert "".join(found["tokens"]) == found["text"]
        assert all(n in (2, 3) for n in found["alternatives"])

    def test_openai_logprobs_parse_as_such(self, legacy) -> None:
        found = legacy["openai_logprobs"]
        assert found["kind"] == "NewLogProbs"
        assert found["alternatives"] == [2, 2, 2]

    def test_models(self, legacy, platform) -> None:
        assert DEMO_MODEL in legacy["models"]

    def test_errors_keep_the_text_that_the_client_retries_on(self, legacy) -> None:
        assert "model not found, inaccessible, and/or not deployed" in legacy["unknown_model"].lower()
        assert legacy["bad_key"] != "no error"


class TestClient12:
    def test_chat_stream_and_completion(self, generated) -> None:
        assert "Paris" in generated["chat"]["content"]
        assert generated["chat_stream"]["content"] == generated["chat"]["content"]
        assert generated["chat_stream"]["usage"] == generated["chat"]["usage"]
        assert generated["completion"]["indices"] == [0, 1, 2, 3]

    def test_exactly_one_account(self, generated, platform) -> None:
        assert generated["accounts"] == [f"accounts/{platform.settings.account}"]

    def test_api_keys_live_and_die(self, generated, platform) -> None:
        keys = generated["api_keys"]
        assert keys["secret_shown"]
        assert keys["listed"]
        assert keys["gone"]
        assert keys["accounts"] == [f"accounts/{platform.settings.account}"]

    def test_users(self, generated) -> None:
        users = generated["users"]
        assert users["display_name"] == "Renamed"
        assert users["id"].startswith(users["email"].split("@")[0] + "-")

    def test_models_page_through(self, generated) -> None:
        assert generated["models"] == {"paged": True, "renamed": "Renamed", "once": True}

    def test_deployments(self, generated, platform) -> None:
        deployments = generated["deployments"]
        assert deployments["state"] == "CREATING"
        assert deployments["base_model"] == DEMO_MODEL
        assert deployments["renamed"] == "renamed"
        assert deployments["found"]

    def test_errors_have_their_classes(self, generated) -> None:
        assert "not found" in generated["not_found"]
        assert generated["bad_key"] != "no error"
        assert "min" in generated["bad_field"].lower()
