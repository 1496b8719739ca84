"""What the gateway does when replicas misbehave: servers that script every failure, real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx
import orjson
import pytest

from sparrel.bench.data_path import KEY, MODEL, SECRET, FixedAuthenticator, FixedDirectory
from sparrel.inference.gateway import GatewaySettings, Replica, create_gateway
from sparrel.inference.server.serving import serve

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
BODY = {"model": MODEL, "messages": [{"role": "user", "content": "hi"}]}


def chunked(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def answer(status: str, body: bytes, *headers: bytes) -> bytes:
    head = [
        f"HTTP/1.1 {status}".encode(),
        b"content-type: application/json",
        b"content-length: %d" % len(body),
    ]
    return b"\r\n".join([*head, *headers, b"", body])


class Script:
    """A replica that reads a request and then does exactly what the test says."""

    def __init__(self, *reply: bytes, reset: bool = False) -> None:
        self.reply, self.reset = reply, reset
        self.requests = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        self.requests += 1
        for part in self.reply:
            writer.write(part)
            await writer.drain()
        if self.reset:
            writer.transport.abort()
        else:
            writer.close()


FINE = (STREAM_HEAD, chunked(CHUNK), chunked(b"data: [DONE]\n\n"), b"0\r\n\r\n")
WHOLE = answer("200 OK", b'{"ok":1}', b"fireworks-prompt-tokens: 3", b"x-internal: no")


class Stage:
    """A gateway in front of scripted replicas."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.directory = FixedDirectory()
        self._stack = stack
        self.address = ""
        self.in_flight: Callable[[], int] = lambda: 0

    async def open(self, **settings: Any) -> None:
        patient = {"poll_interval_s": 0.01, "recovery_timeout_s": 5.0, **settings}
        gateway = create_gateway(self.directory, FixedAuthenticator(), SECRET, GatewaySettings(**patient))
        server = await serve(gateway, "127.0.0.1")
        self.address = server.address
        self.in_flight = lambda: gateway.in_flight
        self._stack.push_async_callback(gateway.aclose)
        self._stack.push_async_callback(server.stop, 1)

    async def add(self, script: Handler, *, running: int = 0) -> None:
        server = await asyncio.start_server(script, "127.0.0.1", 0)
        self._stack.callback(server.close)
        port = server.sockets[0].getsockname()[1]
        self.list(f"http://127.0.0.1:{port}", running=running)

    def list(self, address: str, *, running: int = 0) -> None:
        number = len(self.directory.replica_list)
        self.directory.replica_list.append(Replica(f"r{number}", address, running=running, capacity=8))

    async def post(self, **fields: Any) -> httpx.Response:
        async with httpx.AsyncClient(timeout=30) as client:
            headers = {"authorization": f"Bearer {KEY}"}
            return await client.post(
                self.address + "/v1/chat/completions", json=BODY | fields, headers=headers
            )


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(stack)


async def unused_address() -> str:
    server = await asyncio.start_server(Script(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"


async def test_bytes_pass_through_unchanged(stage: Stage) -> None:
    await stage.open()
    await stage.add(Script(*FINE))
    response = await stage.post(stream=True)
    assert response.content == CHUNK + b"data: [DONE]\n\n"


async def test_only_headers_meant_for_clients_are_passed_on(stage: Stage) -> None:
    await stage.open()
    await stage.add(Script(WHOLE))
    response = await stage.post()
    assert response.json() == {"ok": 1}
    assert response.headers["fireworks-prompt-tokens"] == "3"
    assert "x-internal" not in response.headers


@pytest.mark.parametrize(
    "bad",
    [
        Script(reset=True),
        Script(answer("503 Service Unavailable", b"{}")),
        Script(answer("503 Service Unavailable", b"{}", b"x-sparrel-elsewhere: 1")),
        None,
    ],
    ids=["reset", "full", "leaving", "nobody there"],
)
@pytest.mark.parametrize("stream", [True, False])
async def test_what_has_not_begun_is_retried_elsewhere_unseen(
    stage: Stage, bad: Script | None, stream: bool
) -> None:
    await stage.open()
    if bad is None:
        stage.list(await unused_address())
    else:
        await stage.add(bad)
    await stage.add(Script(*(FINE if stream else (WHOLE,))), running=5)
    assert (await stage.post(stream=stream)).status_code == 200


async def test_a_request_that_breaks_replicas_does_not_get_them_all(stage: Stage) -> None:
    await stage.open(max_resends=2)
    poisoned = [Script(reset=True) for _ in range(5)]
    for script in poisoned:
        await stage.add(script)
    response = await stage.post()
    assert (response.status_code, response.json()["error"]["type"]) == (502, "internal_server_error")
    assert sum(script.requests for script in poisoned) == 3


async def test_when_all_are_full_the_clients_are_told_to_come_back(stage: Stage) -> None:
    await stage.open()
    full = answer("503 Service Unavailable", b'{"error":{"message":"full"}}', b"retry-after: 1")
    await stage.add(Script(full))
    await stage.add(Script(full))
    response = await stage.post()
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.json()["error"]["message"] == "full"


async def test_a_leaving_replicas_successor_is_waited_for(stage: Stage, eventually: Any) -> None:
    await stage.open()
    leaving = Script(answer("503 Service Unavailable", b"{}", b"x-sparrel-elsewhere: 1"))
    await stage.add(leaving)
    request = asyncio.create_task(stage.post())
    await eventually(lambda: leaving.requests > 0)
    await stage.add(Script(WHOLE))
    assert (await request).status_code == 200


async def test_replicas_that_nobody_can_reach_are_given_up(stage: Stage) -> None:
    await stage.open(recovery_timeout_s=0.05)
    stage.list(await unused_address())
    response = await stage.post()
    assert (response.status_code, response.json()["error"]["code"]) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"]


@pytest.mark.parametrize("tail", [b"", chunked(CHUNK[:20])], ids=["between two events", "within an event"])
@pytest.mark.parametrize("reset", [True, False])
async def test_a_stream_that_breaks_ends_with_an_error_event(stage: Stage, tail: bytes, reset: bool) -> None:
    await stage.open()
    await stage.add(Script(STREAM_HEAD, chunked(CHUNK), tail, reset=reset))
    blocks = (await stage.post(stream=True)).text.split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    error = orjson.loads(blocks[-3].removeprefix("data: "))["error"]
    assert (error["object"], error["code"]) == ("error", "UNAVAILABLE")
    assert all(orjson.loads(block.removeprefix("data: ")) for block in blocks[:-3])


async def test_a_body_that_breaks_off_is_a_bad_gateway(stage: Stage) -> None:
    await stage.open()
    await stage.add(Script(WHOLE[:-3], reset=True))
    response = await stage.post()
    assert (response.status_code, response.json()["error"]["code"]) == (502, "UNAVAILABLE")


async def test_a_request_waits_for_a_sleeping_deployment(stage: Stage, eventually: Any) -> None:
    await stage.open()
    request = asyncio.create_task(stage.post())
    await eventually(lambda: stage.directory.wakes > 0)
    await stage.add(Script(WHOLE))
    assert (await request).status_code == 200


async def test_a_request_that_is_wrong_wakes_nobody(stage: Stage) -> None:
    await stage.open()
    assert (await stage.post(temprature=1)).status_code == 400
    assert stage.directory.wakes == 0


async def test_too_many_open_requests_are_refused_not_queued(stage: Stage, eventually: Any) -> None:
    await stage.open(max_in_flight=3)
    waiting = [asyncio.create_task(stage.post()) for _ in range(3)]
    await eventually(lambda: stage.in_flight() == 3)
    refused = await stage.post()
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    await stage.add(Script(WHOLE))
    assert [response.status_code for response in await asyncio.gather(*waiting)] == [200] * 3


async def test_a_body_over_the_limit_is_refused(stage: Stage) -> None:
    await stage.open(max_body_bytes=1000)
    response = await stage.post(user="u" * 2000)
    assert (response.status_code, response.json()["error"]["object"]) == (413, "error")
