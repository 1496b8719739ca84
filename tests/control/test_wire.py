"""What goes over a real socket: paths, headers, bodies, and errors as bare google.rpc.Status."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from tests.support.platform import Platform

KEY = "Authorization: Bearer key-acme-admin"
Answer = tuple[int, dict[str, str], bytes]


class Wire:
    """Sends requests byte by byte, so that nothing tidies up a path on the way."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __call__(self, line: str, *headers: str, body: bytes = b"") -> Answer:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        lines = [f"{line} HTTP/1.1", "Host: p", "Connection: close", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        raw = await reader.read()
        writer.close()
        head, _, payload = raw.partition(b"\r\n\r\n")
        status, *fields = head.decode().split("\r\n")
        return int(status.split()[1]), dict(f.lower().split(": ", 1) for f in fields), payload


@pytest.fixture
async def wire(platform: Platform) -> AsyncIterator[Wire]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(platform.app, log_level="warning", lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        while not server.started:  # noqa: ASYNC110  (uvicorn offers no event)
            await asyncio.sleep(0)
        yield Wire(bound.getsockname()[1])
        server.should_exit = True
        await serving


@pytest.mark.parametrize(
    "path",
    [
        "/v1/accounts/acme/models/m",
        "//v1/accounts/acme/models/m",
        "/v1//accounts/acme/models/m",
        "/inference/v1/v1/accounts/acme/models/m",
        "/inference/v1//v1/accounts/acme/models/m",
    ],
)
async def test_paths_that_lead_to_a_model(platform: Platform, wire: Wire, path: str) -> None:
    await platform.add_model("accounts/acme/models/m")
    status, headers, body = await wire(f"GET {path}", KEY)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["name"] == "accounts/acme/models/m"


@pytest.mark.parametrize("header", ["authorization: bearer key-acme-admin", "X-Api-Key: key-acme-admin"])
async def test_a_key_is_taken_from_either_header(wire: Wire, header: str) -> None:
    status, headers, body = await wire("GET /verifyApiKey", header)
    assert (status, json.loads(body)["user"]) == (200, "admin")
    assert headers["x-fireworks-account-id"] == "acme"
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize("header", ["X-None: x", "Authorization: Bearer wrong", "Authorization: Basic eDp5"])
@pytest.mark.parametrize("path", ["/verifyApiKey", "/v1/accounts", "/v1/accounts/acme/models/m"])
async def test_without_a_valid_key_nothing_is_answered(wire: Wire, path: str, header: str) -> None:
    status, headers, body = await wire(f"GET {path}", header)
    assert (status, headers["content-type"]) == (401, "application/json")
    assert json.loads(body)["code"] == 16


@pytest.mark.parametrize(
    ("line", "status", "code", "message"),
    [
        ("GET /v1/foobar", 404, 5, "not found"),
        ("GET /", 404, 5, "not found"),
        ("GET /v1/accounts/acme/spaceships", 404, 5, "not found"),
        ("GET /v1/accounts/acme/deployments/d:fly", 404, 5, "fly"),
        ("PUT /v1/accounts/acme/models/m", 405, 12, "GET or PATCH or DELETE"),
        ("POST /v1/accounts", 405, 12, "GET"),
        ("GET /v1/accounts/acme/deployments/d:scale", 405, 12, "PATCH"),
        ("POST /verifyApiKey", 405, 12, "POST"),
        ("GET /v1/accounts//models", 400, 3, "invalid id: id must be at least 1 character long"),
        ("GET /v1/accounts/acme/models/", 400, 3, "invalid id: id must be at least 1 character long"),
        ("GET /v1/accounts/acme/models/absent", 404, 5, 'model "accounts/acme/models/absent" not found'),
        ("GET /v1/accounts/acme/models?pageSize=ten", 400, 3, "pageSize"),
        ("GET /v1/accounts/acme/models?filter=nope%3D1", 400, 3, "nope"),
        ("GET /v1/accounts/acme/models?orderBy=nope", 400, 3, "nope"),
        ("GET /v1/accounts/acme/models?pageToken=x", 400, 3, "pageToken"),
        ("GET /v1/accounts/acme/models?readMask=nope", 400, 3, "nope"),
        ("GET /v1/accounts/acme/deployments?showDeleted=perhaps", 400, 3, "showDeleted"),
        ("GET /v1/accounts/acme/models?filter=%ff", 400, 3, "UTF-8"),
    ],
)
async def test_errors_are_bare_status_bodies(
    wire: Wire, line: str, status: int, code: int, message: str
) -> None:
    got, headers, body = await wire(line, KEY)
    error = json.loads(body)
    assert (got, headers["content-type"]) == (status, "application/json")
    assert set(error) == {"code", "message", "details"}
    assert error["code"] == code
    assert message in error["message"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{bad", 400, "not valid JSON"),
        (b"[1]", 400, "JSON object"),
        (b'"text"', 400, "JSON object"),
        (b'{"modelId": "m", "model": []}', 400, "model must be a JSON object"),
        (b'{"modelId": 5}', 400, "modelId"),
        (b'{"modelId": "m", "model": {"kind": "CAT"}}', 400, "kind"),
        (b'{"modelId": "m", "model": {"contextLength": "many"}}', 400, "contextLength"),
        (b'{"modelId": "m", "model": {"displayName": "\\u0000"}}', 400, "displayName"),
        (b'{"modelId": "m", "model": {"contextLength": 99999999999}}', 400, "contextLength"),
        (b'{"modelId": "m", "model": {"displayName": "\xff"}}', 400, "not valid JSON"),
        (b"{" + b" " * 5_000_000 + b"}", 413, "larger than"),
    ],
)
async def test_bad_bodies_are_refused_with_the_field_at_fault(
    wire: Wire, body: bytes, status: int, message: str
) -> None:
    got, headers, answer = await wire("POST /v1/accounts/acme/models", KEY, body=body)
    assert (got, headers["content-type"]) == (status, "application/json")
    assert message in json.loads(answer)["message"]


async def test_a_colon_may_arrive_encoded(platform: Platform, wire: Wire) -> None:
    await platform.add_model()
    await platform.add(
        "accounts/acme/deployments/d", baseModel="accounts/acme/models/base", maxReplicaCount=1
    )
    path = "/v1/accounts/acme/deployments/d%3Ascale"
    status, _, body = await wire(f"PATCH {path}", KEY, body=b'{"replicaCount": 1}')
    assert (status, body) == (200, b"{}")


async def test_openapi_describes_every_resource(wire: Wire) -> None:
    status, _, body = await wire("GET /openapi.json")
    paths = json.loads(body)["paths"]
    assert status == 200
    assert set(paths["/v1/accounts/{accountId}/models"]) == {"get", "post"}
    assert "patch" in paths["/v1/accounts/{accountId}/deployments/{deploymentId}:scale"]
    assert "post" in paths["/v1/accounts/{accountId}/users/{userId}/apiKeys:delete"]
