"""`RewardFunction`: the same call, wherever the function runs."""

import json

import pytest

from reward_kit import EvaluateResult, RewardFunction, reward_function
from reward_kit.errors import ApiError, UsageError
from reward_kit.rewards.math import math_reward

CHAT = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "x" * 50}]


def length(messages, original_messages=None, scale=100, **kwargs):
    return EvaluateResult(
        score=len(messages[-1]["content"]) / scale, reason=f"{len(original_messages or [])}"
    )


async def asynchronous(messages, **kwargs):
    return 0.25


def test_a_local_function_is_called():
    assert RewardFunction(func=length)(CHAT).score == 0.5


def test_a_plain_function_gets_original_messages_too():
    assert RewardFunction(func=length)(CHAT).reason == "1"


def test_constructor_arguments_go_into_each_call_and_can_be_overridden():
    reward = RewardFunction(func=length, scale=50)
    assert (reward(CHAT).score, reward(CHAT, scale=200).score) == (1.0, 0.25)


@pytest.mark.parametrize(
    "path", ["reward_kit.rewards.math:math_reward", "reward_kit.rewards.math.math_reward"]
)
def test_a_function_is_found_by_either_notation(path):
    assert RewardFunction(func_path=path).func is math_reward


async def test_an_asynchronous_function_can_be_called_from_anywhere():
    assert RewardFunction(func=reward_function(asynchronous))(CHAT).score == 0.25


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "`func` or `func_path`"),
        ({"mode": "remote"}, "`endpoint` or `name`"),
        ({"mode": "fireworks_hosted"}, "`model_id`"),
        ({"mode": "elsewhere"}, "invalid mode 'elsewhere'"),
        ({"func_path": "nothing"}, "invalid function path"),
        ({"func_path": "json:__name__"}, "not a function"),
    ],
)
def test_a_missing_or_wrong_parameter_is_a_value_error(arguments, words):
    with pytest.raises(ValueError, match=words):
        RewardFunction(**arguments)


def test_a_function_that_cannot_be_imported_says_so():
    with pytest.raises(ImportError, match="no_such_module:f"):
        RewardFunction(func_path="no_such_module:f")


def test_an_undecorated_function_that_returns_nonsense_is_a_type_error():
    with pytest.raises(TypeError, match="returned str"):
        RewardFunction(func=lambda messages, **kwargs: "good")(CHAT)


def test_a_remote_function_gets_the_conversation_and_the_arguments(platform_account):
    answer = {
        "score": 0.5,
        "reason": "r",
        "metrics": {"a": 1, "b": {"score": 0.2, "reason": "x", "success": False}},
    }
    platform_account.routes["POST", "/v1/reward/my-evaluator"] = (200, answer)
    result = RewardFunction(name="my-evaluator", mode="remote")(CHAT, ground_truth="x")
    assert (result.score, result.metrics["a"].score, result.metrics["b"].success) == (0.5, 1.0, False)
    _, _, headers, body = platform_account.requests[0]
    assert headers["authorization" if "authorization" in headers else "Authorization"] == "Bearer key-1"
    assert body == {"messages": CHAT, "ground_truth": "x"}


def test_an_endpoint_is_used_as_it_is(loopback):
    loopback.routes["POST", "/evaluate"] = (200, {"score": 1.0})
    assert RewardFunction(endpoint=f"{loopback.url}/evaluate", mode="remote")(CHAT).score == 1.0


def test_a_hosted_model_has_its_own_address(platform_account):
    platform_account.routes["POST", "/v1/models/m1/reward"] = (200, {"score": 0.1})
    assert RewardFunction(model_id="m1", mode="fireworks_hosted")(CHAT).score == 0.1


@pytest.mark.parametrize("answer", [(500, {"error": "boom"}), (200, {"points": 1}), (200, b"<html>")])
def test_a_remote_failure_is_an_api_error(platform_account, answer):
    platform_account.routes["POST", "/v1/reward/e"] = answer
    with pytest.raises(ApiError):
        RewardFunction(name="e", mode="remote")(CHAT)


def test_a_remote_failure_is_also_the_documented_requests_exception(platform_account):
    requests = pytest.importorskip("requests")
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        RewardFunction(name="missing", mode="remote")(CHAT)
    assert caught.value.status_code == 404
    with pytest.raises(requests.exceptions.RequestException):
        RewardFunction(endpoint="http://127.0.0.1:1/", mode="remote")(CHAT)


def test_the_trl_adapter_scores_conversations_and_texts():
    adapter = RewardFunction(func=length).get_trl_adapter()
    assert adapter([CHAT, "x" * 10]) == [0.5, 0.1]


def test_the_trl_adapter_takes_prompts_completions_and_columns():
    adapter = RewardFunction(func=math_reward).get_trl_adapter()
    scores = adapter(
        prompts=["2+2?", [{"role": "user", "content": "3+3?"}]],
        completions=["The answer is 4.", [{"role": "assistant", "content": "The answer is 7."}]],
        ground_truth=["4", "6"],
        completion_ids=[[1], [2]],
        trainer_state=object(),
    )
    assert scores == [1.0, 0.0]


def test_the_trl_adapter_counts_a_failing_row_as_zero(loopback):
    adapter = RewardFunction(endpoint=f"{loopback.url}/nowhere", mode="remote").get_trl_adapter()
    assert adapter([CHAT, CHAT]) == [0.0, 0.0]


def test_the_trl_adapter_raises_what_would_fail_for_every_row():
    with pytest.raises(UsageError):
        RewardFunction(func=math_reward).get_trl_adapter()([CHAT])


def test_results_are_json():
    assert json.loads(str(RewardFunction(func=length)(CHAT)))["score"] == 0.5


def test_a_served_function_answers_as_it_does_locally():
    from reward_kit.server import create_app

    app = create_app(length)
    body = {"messages": CHAT, "kwargs": {"scale": 200}}
    with _client(app) as client:
        for path in ("/evaluate", "/reward"):
            assert client.post(path, json=body).json()["score"] == 0.25
        assert client.get("/health").json() == {"status": "ok"}
        assert client.post("/evaluate", json={"text": 1}).status_code == 422
        assert client.post("/evaluate", content=b"{").status_code == 400


def test_a_served_function_can_want_a_key(monkeypatch):
    from reward_kit.server import create_app

    monkeypatch.setenv("RK_ENDPOINT_API_KEY", "s3cret")
    with _client(create_app(length)) as client:
        statuses = [
            client.post("/evaluate", json={"messages": CHAT}, headers=headers).status_code
            for headers in (
                {},
                {"x-api-key": "no"},
                {"x-api-key": "s3cret"},
                {"authorization": "Bearer s3cret"},
            )
        ]
    assert statuses == [401, 403, 200, 200]


def _client(app):
    from starlette.testclient import TestClient

    return TestClient(app)
