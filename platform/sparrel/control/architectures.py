"""Which model architectures the engine runs.

The list is the engine's (it takes model code from `transformers`), and importing that costs seconds and
hundreds of megabytes which a control plane should not carry: a short-lived process looks it up once.
"""

from __future__ import annotations

import asyncio
import json
import sys

from sparrel.errors import Internal

_lookup: asyncio.Task[frozenset[str]] | None = None


async def supported_architectures() -> frozenset[str]:
    """Return the class names that `config.json` may have under `architectures`."""
    global _lookup
    if _lookup is None or (_lookup.done() and (_lookup.cancelled() or _lookup.exception())):
        _lookup = asyncio.create_task(_ask())
    return await asyncio.shield(_lookup)


async def _ask() -> frozenset[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __spec__.name if __spec__ else __name__),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, problem = await process.communicate()
    if process.returncode:
        last = problem.decode(errors="replace").strip().rpartition("\n")[2]
        raise Internal(f"the list of supported architectures could not be read: {last}")
    return frozenset(json.loads(output.splitlines()[-1]))


def main() -> None:
    """Print the list as JSON."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    names: set[str] = set()
    for value in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values():
        names.update([value] if isinstance(value, str) else value)
    print(json.dumps(sorted(names)))


if __name__ == "__main__":
    main()
