"""What the gateway costs: the same streamed load on the model server itself and through the gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import aiohttp

from sparrel.bench.data_path import KEY, MODEL, SECRET, running
from sparrel.bench.load import cpu_seconds
from sparrel.bench.random_model import write_random_model
from sparrel.bench.report import Row, Section, at_least, at_most

CLIENTS = 16
TOKENS = 96
NOTE = (
    f"Random Llama of the demo model's size on CPU, {TOKENS} tokens a stream, one engine thread; "
    "model server, gateway and client are three processes."
)
PROMPT = "the quick brown fox jumps over the lazy dog"


@dataclass(frozen=True, slots=True)
class Side:
    """One way to the engine."""

    url: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Streams:
    """One burst of streamed requests."""

    tokens_per_s: float
    first_byte_ms: float
    """Median over the requests."""


def measure(folder: Path | None = None, *, rounds: int = 9, streams: int = 32, singles: int = 5) -> Section:
    """Compare throughput with 16 clients and the time to the first byte with one, side by side.

    Rounds alternate between the sides and each pair gives one ratio, of which the median counts: a busy
    neighbour disturbs both sides of a pair.
    """
    with TemporaryDirectory() as root:
        model = folder or write_random_model(Path(root), hidden=192, layers=6)
        with running("model", str(model)) as server, running("gateway", server.address) as gateway:
            direct = Side(f"{server.address}/v1/chat/completions", {"x-sparrel-secret": SECRET})
            through = Side(f"{gateway.address}/v1/chat/completions", {"authorization": f"Bearer {KEY}"})
            _alternate(direct, through, 1, clients=4, streams=8)
            busy = _alternate(direct, through, rounds, clients=CLIENTS, streams=streams)
            idle = _alternate(direct, through, rounds, clients=1, streams=singles, tokens=2)
            before = cpu_seconds(server.pid), cpu_seconds(gateway.pid)
            asyncio.run(_burst(through, clients=CLIENTS, streams=streams))
            spent = cpu_seconds(server.pid) - before[0], cpu_seconds(gateway.pid) - before[1]
    return Section("Gateway", NOTE, [_throughput(*busy), _first_byte(*idle), _cpu(*spent, streams)])


def _alternate(
    direct: Side, through: Side, rounds: int, *, clients: int, streams: int, tokens: int = TOKENS
) -> tuple[list[Streams], list[Streams]]:
    sides: tuple[list[Streams], list[Streams]] = ([], [])
    for _ in range(rounds):
        for results, side in zip(sides, (direct, through), strict=True):
            results.append(asyncio.run(_burst(side, clients=clients, streams=streams, tokens=tokens)))
    return sides


async def _burst(side: Side, *, clients: int, streams: int, tokens: int = TOKENS) -> Streams:
    first_bytes: list[float] = []
    async with aiohttp.ClientSession(headers=dict(side.headers)) as session:

        async def client() -> None:
            first_bytes.extend([await _stream(session, side.url, tokens) for _ in range(streams // clients)])

        start = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(clients)))
        wall = time.perf_counter() - start
    return Streams(len(first_bytes) * tokens / wall, 1000 * median(first_bytes))


async def _stream(session: aiohttp.ClientSession, url: str, tokens: int) -> float:
    """Run one request to its end and return the seconds to its first event."""
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": tokens,
        "ignore_eos": True,
        "temperature": 0,
        "stream": True,
    }
    start = time.perf_counter()
    first, last = 0.0, b""
    async with session.post(url, json=body) as response:
        response.raise_for_status()
        async for part in response.content.iter_any():
            first = first or time.perf_counter() - start
            last = part
    if not last.endswith(b"data: [DONE]\n\n"):
        raise RuntimeError("a stream ended early")
    return first


def _throughput(direct: list[Streams], through: list[Streams]) -> Row:
    ratios = [ours.tokens_per_s / theirs.tokens_per_s for ours, theirs in zip(through, direct, strict=True)]
    return Row(
        f"streamed throughput, {CLIENTS} clients, through the gateway / direct",
        f"{median(side.tokens_per_s for side in through):.0f} tokens/s",
        f"{median(side.tokens_per_s for side in direct):.0f} tokens/s",
        median(ratios),
        at_least(0.90),
    )


def _first_byte(direct: list[Streams], through: list[Streams]) -> Row:
    added = [ours.first_byte_ms - theirs.first_byte_ms for ours, theirs in zip(through, direct, strict=True)]
    return Row(
        "milliseconds to the first byte added by the gateway, one client, p50",
        f"{median(side.first_byte_ms for side in through):.1f} ms",
        f"{median(side.first_byte_ms for side in direct):.1f} ms",
        median(added),
        at_most(5),
    )


def _cpu(server_s: float, gateway_s: float, streams: int) -> Row:
    return Row(
        f"CPU of the gateway / of the model server, {CLIENTS} clients",
        f"{1000 * gateway_s / streams:.1f} ms a stream",
        f"{1000 * server_s / streams:.1f} ms a stream",
        gateway_s / server_s,
    )


def main() -> None:
    for row in measure().rows:
        print(f"{row.what}: {row.ours} against {row.baseline}: {row.figure:.3f} ({row.verdict})")


if __name__ == "__main__":
    main()
