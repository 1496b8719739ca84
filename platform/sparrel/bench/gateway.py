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
from sparrel.bench.random_model import write_random_model
from sparrel.bench.report import Row, Section, at_least, at_most

CLIENTS = 16
TOKENS = 96
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


def measure(folder: Path | None = None, *, rounds: int = 5, streams: int = 64, singles: int = 40) -> Section:
    """Compare throughput with 16 clients and the time to the first byte with one, side by side.

    Rounds alternate between the sides, so that a busy neighbour disturbs both; medians are compared.
    """
    with TemporaryDirectory() as root:
        model = folder or write_random_model(Path(root), hidden=192, layers=6)
        with running("model", str(model)) as server, running("gateway", server.address) as gateway:
            direct = Side(f"{server.address}/v1/chat/completions", {"x-sparrel-secret": SECRET})
            through = Side(f"{gateway.address}/v1/chat/completions", {"authorization": f"Bearer {KEY}"})
            asyncio.run(_burst(through, clients=4, streams=8))
            asyncio.run(_burst(direct, clients=4, streams=8))
            busy = _alternate(direct, through, rounds, clients=CLIENTS, streams=streams)
            idle = _alternate(direct, through, rounds, clients=1, streams=singles // rounds, tokens=2)
    return _section(busy, idle)


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


def _section(busy: tuple[list[Streams], list[Streams]], idle: tuple[list[Streams], list[Streams]]) -> Section:
    direct, through = (median(s.tokens_per_s for s in side) for side in busy)
    direct_ms, through_ms = (median(s.first_byte_ms for s in side) for side in idle)
    rows = [
        Row(
            f"streamed throughput, {CLIENTS} clients, through the gateway / direct",
            f"{through:.0f} tokens/s",
            f"{direct:.0f} tokens/s",
            through / direct,
            at_least(0.90),
        ),
        Row(
            "time to first byte added by the gateway, one client, p50",
            f"{through_ms:.1f} ms",
            f"{direct_ms:.1f} ms",
            through_ms - direct_ms,
            at_most(5),
        ),
    ]
    note = (
        f"Random Llama on CPU, {TOKENS} tokens a stream, one engine thread; model server, gateway and client "
        "are three processes, and the rounds of both sides alternate."
    )
    return Section("Gateway", note, rows)


def main() -> None:
    for row in measure().rows:
        print(f"{row.what}: {row.ours} against {row.baseline}: {row.figure:.3f} ({row.verdict})")


if __name__ == "__main__":
    main()
