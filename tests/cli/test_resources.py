"""`sparrel VERB NOUN` against a real control plane: arguments, what is printed, how errors read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Run


def shown(run: Run, *arguments: str) -> Any:
    return json.loads(run(*arguments, "-o", "json").stdout)


# --- deployments: every flag of the contract lands in its field -------------------------------------


@pytest.mark.parametrize(
    ("flags", "field", "value"),
    [
        (["--description", "for tests"], "description", "for tests"),
        (["--display-name", "Tests"], "displayName", "Tests"),
        (["--min-replica-count", "1"], "minReplicaCount", 1),
        (["--max-replica-count", "3"], "maxReplicaCount", 3),
        (["--scale-up-window", "1m30s"], "autoscalingPolicy.scaleUpWindow", "90s"),
        (["--scale-down-window=5m"], "autoscalingPolicy.scaleDownWindow", "300s"),
        (["--scale-to-zero-window", "1h0m0s"], "autoscalingPolicy.scaleToZeroWindow", "3600s"),
        (["--load-targets", "default=0.5"], "autoscalingPolicy.loadTargets", {"default": 0.5}),
        (
            ["--load-targets", "default=0.5,tokens_generated_per_second=100"],
            "autoscalingPolicy.loadTargets",
            {"default": 0.5, "tokens_generated_per_second": 100.0},
        ),
        (["--max-peft-batch-size", "4"], "maxPeftBatchSize", 4),
        (["--accelerator-count", "2"], "acceleratorCount", 2),
        (["--accelerator-type", "NVIDIA_H100_80GB"], "acceleratorType", "NVIDIA_H100_80GB"),
        (["--accelerator-type", "nvidia_h100_80gb"], "acceleratorType", "NVIDIA_H100_80GB"),
        (["--world-size", "2"], "worldSize", 2),
        (["--precision", "BF16"], "precision", "BF16"),
        (["--draft-model", "d", "--draft-token-count", "4"], "draftModel", "d"),
        (["--ngram-speculation-length", "3", "--draft-token-count", "4"], "ngramSpeculationLength", 3),
        (["--long-prompt"], "autoTune.longPrompt", True),
        (["--enable-addons"], "enableAddons", True),
        (["--enable-addons=false"], "enableAddons", False),
        (["--no-enable-addons"], "enableAddons", False),
        (["--enable-session-affinity"], "enableSessionAffinity", True),
        (["--region", "US_IOWA_1"], "region", "US_IOWA_1"),
        (["--direct-route-type", "INTERNET"], "directRouteType", "INTERNET"),
        (["--direct-route-api-keys", "a", "--direct-route-api-keys", "b"], "directRouteApiKeys", ["a", "b"]),
        (
            ["--unused-auto-delete-duration", "168h0m0s"],
            "annotations",
            {"sparrel.dev/unused-auto-delete-duration": "604800s"},
        ),
    ],
)
def test_a_flag_of_create_deployment_lands_in_its_field(
    sparrel: Run, flags: list[str], field: str, value: Any
) -> None:
    request = json.loads(sparrel("create", "deployment", "tiny", *flags, "--dry-run").stdout)
    assert (request["method"], request["path"]) == ("POST", "/v1/accounts/default/deployments")
    found = request["body"]
    assert found["baseModel"] == "tiny"
    for part in field.split("."):
        found = found[part]
    assert found == value


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        (["--disable-speculative-decoding"], {"disableSpeculativeDecoding": True}),
        (["--deployment-id", "mine"], {"deploymentId": "mine"}),
        ([], {}),
    ],
)
def test_create_parameters_go_into_the_query(
    sparrel: Run, arguments: list[str], query: dict[str, Any]
) -> None:
    assert (
        json.loads(sparrel("create", "deployment", "tiny", *arguments, "--dry-run").stdout)["query"] == query
    )


def test_a_deployments_life(sparrel: Run, tiny: str) -> None:
    created = shown(
        sparrel, "create", "deployment", "tiny", "--deployment-id", "life", "--scale-up-window", "1m30s"
    )
    assert created["name"] == "accounts/default/deployments/life"
    assert created["baseModel"] == tiny
    assert created["autoscalingPolicy"]["scaleUpWindow"] == "90s"

    updated = shown(
        sparrel, "update", "deployment", "life", "--min-replica-count", "2", "--max-replica-count=3"
    )
    assert (updated["minReplicaCount"], updated["maxReplicaCount"]) == (2, 3)
    assert updated["autoscalingPolicy"]["scaleUpWindow"] == "90s"

    updated = shown(sparrel, "update", "deployment", "life", "--scale-down-window", "2m")
    policy = updated["autoscalingPolicy"]
    assert (policy["scaleUpWindow"], policy["scaleDownWindow"]) == ("90s", "120s")

    duration = shown(sparrel, "update", "deployment", "life", "--unused-auto-delete-duration", "0")
    assert duration["annotations"] == {"sparrel.dev/unused-auto-delete-duration": "0s"}

    text = sparrel("get", "deployment", "life").stdout
    assert "Name: accounts/default/deployments/life\n" in text
    assert "Autoscaling Policy: { Scale Up Window: 90s, Scale Down Window: 120s" in text
    assert "Max Replica Count: 3\n" in text

    assert "life" in sparrel("list", "deployments").stdout
    assert "Deleted deployment life" in sparrel("delete", "deployment", "life").stderr
    assert shown(sparrel, "get", "deployment", "life")["state"] == "DELETING"


def test_undelete_of_a_running_deployment_is_refused(sparrel: Run, tiny: str) -> None:
    sparrel("create", "deployment", "tiny", "--deployment-id", "alive")
    assert "Error: FAILED_PRECONDITION:" in sparrel("undelete", "deployment", "alive", code=1).stderr


def test_scale_sends_the_number_of_replicas(sparrel: Run) -> None:
    request = json.loads(sparrel("scale", "deployment", "d", "--replica-count", "2", "--dry-run").stdout)
    assert request == {
        "method": "PATCH",
        "path": "/v1/accounts/default/deployments/d:scale",
        "query": {},
        "body": {"replicaCount": 2},
    }


def test_dry_runs_show_the_whole_request(sparrel: Run) -> None:
    update = json.loads(sparrel("update", "deployment", "d", "--scale-up-window", "1m", "--dry-run").stdout)
    assert update == {
        "method": "PATCH",
        "path": "/v1/accounts/default/deployments/d",
        "query": {"updateMask": "autoscaling_policy.scale_up_window"},
        "body": {"autoscalingPolicy": {"scaleUpWindow": "60s"}},
    }
    delete = json.loads(sparrel("delete", "api-key", "k1", "--dry-run").stdout)
    assert (delete["method"], delete["path"]) == ("POST", "/v1/accounts/default/apiKeys:delete")
    assert delete["body"] == {"keyId": "k1"}


def test_an_update_without_flags_changes_nothing(sparrel: Run) -> None:
    assert "give at least one flag" in sparrel("update", "deployment", "d", code=2).stderr


# --- users and keys --------------------------------------------------------------------------------


def test_users(sparrel: Run) -> None:
    user = shown(sparrel, "create", "user", "--email=alice@example.com")
    assert user["role"] == "user"
    name = user["name"]
    assert (
        shown(sparrel, "update", "user", name, "--display-name=Alice Cullen")["displayName"] == "Alice Cullen"
    )
    assert shown(sparrel, "update", "user", name, "--role=admin")["role"] == "admin"
    assert shown(sparrel, "update", "user", name, "--user", "user")["role"] == "user"
    listed = sparrel("list", "users").stdout
    assert listed.splitlines()[0].split() == ["NAME", "EMAIL", "ROLE", "DISPLAY", "NAME"]
    assert "alice@example.com" in listed
    sparrel("delete", "user", name)
    assert "NOT_FOUND" in sparrel("get", "user", name, code=1).stderr


def test_a_key_is_shown_once_works_and_stops_working(sparrel: Run) -> None:
    created = sparrel("create", "api-key", "--key-name", "ci", "-o", "json")
    assert "not shown again" in created.stderr
    key = json.loads(created.stdout)
    assert (key["displayName"], key["key"][:3]) == ("ci", "sp_")
    assert "Account: default" in sparrel("whoami", "--api-key", key["key"]).stdout
    for arguments in (("list", "api-key"), ("list", "api-keys", "--all-users")):
        text = sparrel(*arguments).stdout
        assert key["keyId"] in text
        assert key["key"] not in text
    sparrel("delete", "api-key", key["keyId"])
    assert key["keyId"] not in sparrel("list", "api-keys").stdout


# --- lists -----------------------------------------------------------------------------------------


def test_lists_filter_order_and_page(sparrel: Run) -> None:
    for name in ("pa", "pb", "pc"):
        sparrel("create", "user", "--email", f"{name}@page.test", "--user-id", name)
    narrow = ["list", "users", "--filter", 'email:"page.test"']
    names = [
        user["name"].split("/")[-1] for user in shown(sparrel, *narrow, "--order-by", "email desc")["users"]
    ]
    assert names == ["pc", "pb", "pa"]

    first = sparrel(*narrow, "--page-size", "2")
    assert "3 in all; the next page: --page-token" in first.stderr
    token = first.stderr.split("--page-token ")[1].strip()
    second = shown(sparrel, *narrow, "--page-size", "2", "--page-token", token)
    assert [user["name"].split("/")[-1] for user in second["users"]] == ["pc"]

    everything = shown(sparrel, *narrow, "--page-size", "1", "--no-paginate")
    assert (len(everything["users"]), everything["nextPageToken"]) == (3, "")


def test_an_empty_list_says_so_on_stderr(sparrel: Run) -> None:
    result = sparrel("list", "deployed-models", "--filter", 'model="accounts/default/models/none"')
    assert (result.stdout, result.stderr) == ("", "No deployed-model found\n")


@pytest.mark.parametrize(
    ("singular", "plural"), [("model", "models"), ("api-key", "api-keys"), ("user", "users")]
)
def test_nouns_may_be_singular_or_plural(sparrel: Run, singular: str, plural: str) -> None:
    assert shown(sparrel, "list", singular) == shown(sparrel, "list", plural)


def test_global_options_stand_before_or_after(sparrel: Run) -> None:
    before = sparrel("-a", "default", "-o", "json", "list", "users").stdout
    assert before == sparrel("list", "users", "-a", "default", "-o", "json").stdout


# --- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (
            ["get", "model", ""],
            1,
            "Error: INVALID_ARGUMENT: invalid id: id must be at least 1 character long\n",
        ),
        (["-a", "", "list", "models"], 1, "invalid id: id must be at least 1 character long\n"),
        (["get", "model", "none"], 1, 'Error: NOT_FOUND: model "accounts/default/models/none" not found\n'),
        (["get", "model", "accounts/other/models/x"], 1, "Error: NOT_FOUND:"),
        (["-a", "other", "list", "models"], 0, "No model found"),
        (["-a", "other", "list", "deployments"], 1, "Error: PERMISSION_DENIED:"),
        (["get", "model", "accounts/default/users/x"], 1, "is not the name of a model"),
        (["--api-key", "wrong", "list", "models"], 1, "Error: UNAUTHENTICATED: this API key is not valid\n"),
        (["create", "deployment", "none"], 1, "Error: INVALID_ARGUMENT:"),
        (
            ["create", "deployment", "tiny", "--scale-up-window", "soon"],
            2,
            "'soon' is not a duration such as 30s",
        ),
        (["create", "deployment", "tiny", "--load-targets", "x"], 2, "not of the form key=value"),
        (["create", "deployment", "tiny", "--load-targets", "default=much"], 2, "the values must be numbers"),
        (["create", "deployment", "tiny", "--accelerator-type", "ABACUS"], 2, "'ABACUS' is not one of"),
        (["create", "deployment", "tiny", "--min-replica-count", "x"], 2, "is not a valid integer"),
        (["create", "deployment"], 2, "Missing argument 'BASE_MODEL'"),
        (["create", "user", "--email", "nobody"], 1, "Error: INVALID_ARGUMENT: email: 'nobody'"),
        (["list", "users", "--filter", "colour=1"], 1, "Error: INVALID_ARGUMENT:"),
        (["list", "users", "--page-token", "junk"], 1, "Error: INVALID_ARGUMENT:"),
        (["list", "modells"], 2, "knows no 'modells', only: account, api-key"),
        (["undelete", "model"], 2, "knows no 'model', only: deployment"),
        (["frobnicate"], 2, "No such command 'frobnicate'"),
        (["list", "models", "-o", "yaml"], 2, "'yaml' is not one of 'text', 'json'"),
        (["--base-url", "ftp://x", "list", "models"], 1, "must start with http:// or https://"),
        (
            ["--base-url", "http://127.0.0.1:1", "get", "model", "accounts/a/models/m"],
            1,
            "Error: UNAVAILABLE:",
        ),
    ],
)
def test_bad_input_is_answered_with_what_was_wrong(
    sparrel: Run, arguments: list[str], code: int, text: str
) -> None:
    result = sparrel(*arguments, code=code)
    assert text in result.stderr
    assert result.stdout == ""


def test_an_error_says_what_to_do(sparrel: Run) -> None:
    assert "\n\nHint: check SPARREL_API_KEY" in sparrel("whoami", "--api-key", "wrong", code=1).stderr
    assert "Hint: run `sparrel whoami`" in sparrel("get", "model", "", code=1).stderr
