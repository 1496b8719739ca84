"""Many clients at once: all are held, all are answered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sparrel.bench.data_path import SECRET, FixedAuthenticator, FixedDirectory, running
from sparrel.inference.gateway import Gateway, Replica, create_gateway
from sparrel.inference.server import serve


class Crowd:
    """A gateway here; the model server and the clients are processes, for each has its own file limit."""

    def __init__(self, directory: FixedDirectory, gateway: Gateway, address: str, replica: str) -> None:
        self._directory, self._gateway = directory, gateway
        self._address, self._replica = address, replica

    def hold(self, clients: int, until: Callable[..., None]) -> tuple[int, int]:
        """Open so many streams to a sleeping deployment, wake it when all are held, and count endings."""
        command = [sys.executable, "-m", "sparrel.bench.data_path", "clients", self._address, str(clients)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            until(lambda: self._gateway.in_flight == clients, within_s=300)
            self._directory.replica_list.append(Replica("replica-1", self._replica, capacity=32))
            whole, refused = json.loads(process.communicate(timeout=600)[0])
        return whole, refused


@pytest.fixture
def crowd(model_folder: Path, background: Any) -> Iterator[Crowd]:
    directory = FixedDirectory()
    gateway = create_gateway(directory, FixedAuthenticator(), SECRET)
    front = background.run(serve(gateway, "127.0.0.1"))
    with running("model", str(model_folder)) as model:
        yield Crowd(directory, gateway, front.address, model.address)
    background.run(front.stop(grace_s=1))
    background.run(gateway.aclose())


def test_a_thousand_connections_are_held_and_answered(crowd: Crowd, until: Callable[..., None]) -> None:
    assert crowd.hold(1000, until) == (1000, 0)


@pytest.mark.soak
def test_ten_thousand_connections_are_held_and_answered(crowd: Crowd, until: Callable[..., None]) -> None:
    whole, refused = crowd.hold(10_000, until)
    # A replica takes as many as it is set to, and tells the rest to come back.
    assert whole + refused == 10_000
    assert whole >= 4096
