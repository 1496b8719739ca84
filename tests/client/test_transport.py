"""Which failures are repeated, how long the client waits, and what the caller gets in the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from sparrel import errors
from sparrel.client.aio import AsyncClient
from sparrel.client.config import ClientConfig
from sparrel.client.retries import RetryPolicy

CONFIG = ClientConfig(base_url="http://platform", api_key="sp_key", account_id="acme")
Answer = httpx.Response | Exception


class Server:
    """Answers with a queue of responses and remembers what was asked and waited for."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def client(self) -> AsyncClient:
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        http = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        return AsyncClient(config=CONFIG, http=http, sleep=sleep)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def status(code: int, message: str = "busy", **headers: str) -> httpx.Response:
    return httpx.Response(code, json={"code": 14, "message": message, "details": []}, headers=headers)


def ok(body: Any = None) -> httpx.Response:
    return httpx.Response(200, json=body or {"name": "accounts/acme/models/m"})


@pytest.mark.parametrize("answer", [status(429), status(503), httpx.ConnectError("refused")])
async def test_what_was_certainly_not_done_is_sent_again_even_for_a_create(answer: Answer) -> None:
    server = Server(answer, answer, ok())
    assert await server.client().models.create(id="m") == {"name": "accounts/acme/models/m"}
    assert len(server.requests) == 3


@pytest.mark.parametrize("answer", [status(500), status(502), status(504), httpx.ReadTimeout("slow")])
async def test_a_create_that_may_have_been_done_is_not_sent_again(answer: Answer) -> None:
    server = Server(answer, ok())
    with pytest.raises(errors.SparrelError):
        await server.client().models.create(id="m")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer", [status(500), status(502), httpx.ReadError("reset"), httpx.ReadTimeout("slow")]
)
async def test_a_read_is_sent_again(answer: Answer) -> None:
    server = Server(answer, ok())
    assert (await server.client().models.get("m"))["name"] == "accounts/acme/models/m"


async def test_retry_after_is_honoured() -> None:
    server = Server(status(429, **{"Retry-After": "7"}), ok())
    await server.client().models.get("m")
    assert server.waits == [7.0]


async def test_a_server_that_asks_for_a_long_wait_gets_an_error_instead() -> None:
    server = Server(status(429, "spent for today", **{"Retry-After": "3600"}))
    with pytest.raises(errors.ResourceExhausted, match="spent for today") as refusal:
        await server.client().models.get("m")
    assert refusal.value.retry_after_s == 3600
    assert server.waits == []


async def test_it_gives_up_after_some_tries_with_the_last_error() -> None:
    server = Server(*[status(503, f"try {number}") for number in range(1, 9)])
    with pytest.raises(errors.Unavailable, match="try 4"):
        await server.client().models.get("m")
    assert len(server.requests) == RetryPolicy().attempts


def test_backoff_grows_and_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    delays = [RetryPolicy(base_s=1, max_s=8).delay_s(attempt, {}) for attempt in range(1, 7)]
    assert delays == [1, 2, 4, 8, 8, 8]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (status(400), errors.InvalidArgument),
        (httpx.Response(400, json={"code": 9, "message": "x"}), errors.FailedPrecondition),
        (status(401), errors.Unauthenticated),
        (status(403), errors.PermissionDenied),
        (status(404), errors.NotFound),
        (httpx.Response(409, json={"code": 6, "message": "x"}), errors.AlreadyExists),
        (httpx.Response(404, text="<html>not here</html>"), errors.NotFound),
        (httpx.Response(200, text="<html>hello</html>"), errors.BadGateway),
    ],
)
async def test_each_answer_is_a_typed_error(answer: httpx.Response, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await Server(answer).client().models.get("m")


async def test_a_missing_key_is_noticed_before_anything_is_sent() -> None:
    config = ClientConfig(base_url="http://127.0.0.1:1", api_key="", account_id="acme")
    async with AsyncClient(config=config) as client:
        with pytest.raises(errors.Unauthenticated, match="no API key is configured"):
            await client.models.get("m")


# --- requests derived from declarations -------------------------------------------------------------


async def sent(call: Callable[[AsyncClient], Any], *answers: Answer) -> httpx.Request:
    server = Server(*(answers or (ok(),)))
    await call(server.client())
    return server.requests[-1]


@pytest.mark.parametrize(
    ("call", "method", "url", "body"),
    [
        (lambda c: c.models.get("m"), "GET", "/v1/accounts/acme/models/m", None),
        (lambda c: c.models.get("accounts/b/models/m"), "GET", "/v1/accounts/b/models/m", None),
        (
            lambda c: c.models.create({"displayName": "M"}, id="m"),
            "POST",
            "/v1/accounts/acme/models",
            {"model": {"displayName": "M"}, "modelId": "m"},
        ),
        (
            lambda c: c.deployments.create({"base_model": "m"}, id="d", disable_auto_deploy=True),
            "POST",
            "/v1/accounts/acme/deployments?deploymentId=d&disableAutoDeploy=true",
            {"base_model": "m"},
        ),
        (
            lambda c: c.api_keys.create({"displayName": "ci"}),
            "POST",
            "/v1/accounts/acme/apiKeys",
            {"apiKey": {"displayName": "ci"}},
        ),
        (lambda c: c.api_keys.delete("k1"), "POST", "/v1/accounts/acme/apiKeys:delete", {"keyId": "k1"}),
        (
            lambda c: c.deployments.update(
                "d", {"maxReplicaCount": 2, "autoscalingPolicy": {"scaleUpWindow": "1s"}}
            ),
            "PATCH",
            "/v1/accounts/acme/deployments/d?updateMask=max_replica_count%2Cautoscaling_policy.scale_up_window",
            {"maxReplicaCount": 2, "autoscalingPolicy": {"scaleUpWindow": "1s"}},
        ),
        (
            lambda c: c.deployments.update("d", {}, mask=["description"]),
            "PATCH",
            "/v1/accounts/acme/deployments/d?updateMask=description",
            {},
        ),
        (
            lambda c: c.deployments.delete("d", hard=True),
            "DELETE",
            "/v1/accounts/acme/deployments/d?hard=true",
            None,
        ),
        (lambda c: c.deployments.undelete("d"), "POST", "/v1/accounts/acme/deployments/d:undelete", {}),
        (
            lambda c: c.deployments.scale("d", replica_count=2),
            "PATCH",
            "/v1/accounts/acme/deployments/d:scale",
            {"replicaCount": 2},
        ),
        (
            lambda c: c.deployments.metrics("d", time_range="10m"),
            "GET",
            "/v1/accounts/acme/deployments/d:metrics?timeRange=10m",
            None,
        ),
        (lambda c: c.accounts.get("acme"), "GET", "/v1/accounts/acme", None),
    ],
)
async def test_a_method_sends_what_the_contract_says(
    call: Callable[[AsyncClient], Any], method: str, url: str, body: Any
) -> None:
    request = await sent(call)
    assert (request.method, str(request.url).removeprefix("http://platform")) == (method, url)
    assert (httpx.Response(200, content=request.content).json() if request.content else None) == body
    assert request.headers["authorization"] == "Bearer sp_key"


async def test_a_list_follows_every_page() -> None:
    pages = [
        {"models": [{"name": "a"}, {"name": "b"}], "nextPageToken": "more", "totalSize": 3},
        {"models": [{"name": "c"}], "nextPageToken": "", "totalSize": 3},
    ]
    server = Server(*(ok(page) for page in pages))
    found = [m["name"] async for m in server.client().models.list(filter="x=1", page_size=2)]
    assert found == ["a", "b", "c"]
    assert dict(server.requests[1].url.params) == {"filter": "x=1", "pageSize": "2", "pageToken": "more"}


async def test_the_account_is_asked_for_once() -> None:
    verified = httpx.Response(200, json={}, headers={"x-fireworks-account-id": "acme"})
    server = Server(verified, ok(), ok())
    client = server.client()
    client.config = client._transport.config = ClientConfig(
        base_url="http://platform", api_key="k", account_id=None
    )
    await client.models.get("m")
    await client.models.get("n")
    assert [request.url.path for request in server.requests] == [
        "/verifyApiKey",
        "/v1/accounts/acme/models/m",
        "/v1/accounts/acme/models/n",
    ]


@pytest.mark.parametrize("name", ["", "accounts/acme/models/"])
async def test_an_empty_id_is_refused_before_anything_is_sent(name: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=r"^invalid id: id must be at least 1 character long$"):
        await Server().client().models.get(name)


async def test_what_a_resource_does_not_offer_is_said() -> None:
    client = Server().client()
    with pytest.raises(errors.Unimplemented, match="accounts cannot be used with create"):
        await client.accounts.create({})
    with pytest.raises(AttributeError, match="models has no method 'fly'"):
        _ = client.models.fly
    with pytest.raises(AttributeError, match=r"there is no resource 'modells'; there are accounts, apiKeys"):
        _ = client.modells


async def test_waiting_ends_with_what_the_status_says() -> None:
    failed = {"name": "d", "state": "FAILED", "status": {"code": "RESOURCE_EXHAUSTED", "message": "no GPU"}}
    server = Server(ok({"name": "d", "state": "CREATING"}), ok(failed))
    seen: list[str] = []
    with pytest.raises(errors.ResourceExhausted, match="no GPU"):
        await server.client().deployments.wait("d", progress=lambda d: seen.append(d["state"]))
    assert seen == ["CREATING", "FAILED"]


async def test_a_load_that_fell_back_to_no_state_has_failed() -> None:
    server = Server(ok({"state": "STATE_UNSPECIFIED", "status": {"code": "INTERNAL", "message": "shape"}}))
    with pytest.raises(errors.Internal, match="shape"):
        await server.client().deployed_models.wait("d")
