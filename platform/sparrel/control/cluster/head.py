"""The supervisor of a platform on one machine: `python -m sparrel.control.cluster.head`.

Starts Ray, Serve, the ingress and the controller, says how far it is in `run/progress`, then watches. When
Ray ends, or a SIGTERM comes, everything that was started ends with it.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import traceback
from types import FrameType

import ray

from sparrel.control.cluster.environment import PORTS
from sparrel.control.cluster.layout import Layout
from sparrel.control.cluster.names import NAMESPACE
from sparrel.control.cluster.node import LocalNode, first_death, start_node, stop_node
from sparrel.control.cluster.start import start_platform
from sparrel.settings import Settings

WATCH_S = 1.0

log = logging.getLogger("sparrel.platform")


class Progress:
    """Tells `up` how far the start is."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout.progress

    def say(self, step: str) -> None:
        log.info(step)
        self._write({"step": step})

    def ready(self) -> None:
        self._write({"ready": True})

    def failed(self, reason: str) -> None:
        self._write({"failed": reason})

    def _write(self, entry: dict[str, object]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    settings = Settings.from_env()
    layout = Layout(settings)
    progress = Progress(layout)
    stop = threading.Event()
    node: LocalNode | None = None
    try:
        progress.say("Starting Ray")
        ports = json.loads(os.environ[PORTS])
        node = start_node(layout.socket_root_in_use() / "ray", ports["agent"])
        ray.init(address=node.address, namespace=NAMESPACE, log_to_driver=False, configure_logging=False)
        _stop_on_signal(stop)
        start_platform(settings, progress.say)
        progress.ready()
        return _watch(node, stop)
    except BaseException as error:
        traceback.print_exc()
        progress.failed(f"{type(error).__name__}: {error}")
        return 1
    finally:
        if node is not None:
            stop_node(node)


def _watch(node: LocalNode, stop: threading.Event) -> int:
    while not stop.wait(WATCH_S):
        death = first_death(node)
        if death:
            log.error("Ray has stopped: %s. Ending the platform.", death)
            return 1
    log.info("Stopping")
    return 0


def _stop_on_signal(stop: threading.Event) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, handle)
    signal.signal(signal.SIGINT, handle)


if __name__ == "__main__":
    sys.exit(main())
