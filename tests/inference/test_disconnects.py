"""A client that goes away frees the engine, and nothing of what was said stays behind."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest

from sparrel.bench.data_path import KEY, MODEL


def request_bytes(**body: Any) -> bytes:
    content = orjson.dumps({"model": MODEL, "max_tokens": 230, "ignore_eos": True, **body})
    head = f"POST /v1/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(content) + content


def connect(data_path: Any) -> socket.socket:
    address = urlsplit(data_path.gateway)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def idle(data_path: Any) -> bool:
    stats = data_path.engine.stats()
    return stats.running == 0 and stats.waiting == 0


@pytest.mark.parametrize("body", [{"stream": True}, {"stream": True, "n": 4}, {}, {"n": 4}])
def test_a_disconnect_frees_the_engine_within_100_ms(
    data_path: Any, until: Callable[..., None], body: dict[str, Any]
) -> None:
    # Best of three: a busy neighbour may hold up the test itself for longer than that.
    assert min(seconds_to_free(data_path, until, body) for _ in range(3)) < 0.1
    stats = data_path.engine.stats()
    assert stats.blocks_free + stats.blocks_cached == stats.blocks_total


def seconds_to_free(data_path: Any, until: Callable[..., None], body: dict[str, Any]) -> float:
    until(lambda: idle(data_path))
    connection = connect(data_path)
    connection.sendall(request_bytes(prompt="hello", **body))
    until(lambda: data_path.engine.stats().running > 0)
    if body.get("stream"):
        assert connection.recv(100)
    connection.close()
    closed = time.monotonic()
    until(lambda: idle(data_path))
    return time.monotonic() - closed


def test_a_disconnect_while_a_deployment_sleeps_ends_the_wait(
    data_path: Any, until: Callable[..., None]
) -> None:
    replicas, data_path.directory.replica_list = data_path.directory.replica_list, []
    try:
        wakes = data_path.directory.wakes
        connection = connect(data_path)
        connection.sendall(request_bytes(prompt="hello"))
        until(lambda: data_path.directory.wakes > wakes)
        connection.close()
    finally:
        data_path.directory.replica_list = replicas
    until(lambda: idle(data_path))


def test_neither_prompt_nor_answer_is_logged(
    data_path: Any, caplog: pytest.LogCaptureFixture, until: Callable[..., None]
) -> None:
    def access() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.name == "sparrel.access"]

    spoken = {"model": MODEL, "prompt": "xyzzy-secret", "max_tokens": 4, "echo": True}
    with caplog.at_level(logging.DEBUG):
        data_path.post("/v1/completions", spoken)
        data_path.post("/v1/completions", {"model": MODEL, "prompt": {"xyzzy-secret": 1}})
        data_path.post("/v1/chat/completions", content=b'{"xyzzy-secret')
        until(lambda: len(access()) >= 3)
    assert [orjson.loads(line)["status"] for line in access()][-3:] == [200, 400, 400]
    assert "xyzzy-secret" not in caplog.text
