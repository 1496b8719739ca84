"""The same storage on a local folder and on an object store (fsspec's, in memory)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sparrel.control.storage import CHUNK_BYTES, Storage
from sparrel.errors import InvalidArgument, NotFound


@pytest.fixture(params=["file", "memory"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    root = tmp_path / "root" if request.param == "file" else uuid.uuid4().hex
    return Storage(f"{request.param}://{root}")


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def content(storage: Storage, key: str, start: int = 0, length: int | None = None) -> bytes:
    return b"".join([chunk async for chunk in storage.read(key, start, length)])


async def test_a_file_appears_whole_under_its_key(storage: Storage) -> None:
    data = bytes(range(256)) * (CHUNK_BYTES // 100)
    digest = await storage.write("a/b.bin", pieces(data[:1000], data[1000:]), size=len(data))
    assert digest == hashlib.sha256(data).digest()
    assert await storage.size("a/b.bin") == len(data)
    assert await content(storage, "a/b.bin") == data
    assert await content(storage, "a/b.bin", 10, 5) == data[10:15]
    assert await storage.files("a") == {"b.bin": len(data)}


async def test_an_empty_file_is_a_file(storage: Storage) -> None:
    await storage.write("empty", pieces(), size=0)
    assert await content(storage, "empty") == b""


async def test_what_arrives_incomplete_is_not_kept(storage: Storage) -> None:
    await storage.write("a", pieces(b"old"), size=3)
    with pytest.raises(InvalidArgument):
        await storage.write("a", pieces(b"new"), size=4)
    with pytest.raises(InvalidArgument):
        await storage.write("a", pieces(b"new"), size=3, digests={"md5": bytes(16)})
    assert await content(storage, "a") == b"old"
    assert await storage.files("parts") == {}


async def test_a_folder_moves_with_all_below_it(storage: Storage) -> None:
    await storage.write("staging/m/config.json", pieces(b"{}"), size=2)
    await storage.write("staging/m/sub/x", pieces(b"x"), size=1)
    await storage.move("staging/m", "models/m")
    assert await storage.files("models/m") == {"config.json": 2, "sub/x": 1}
    assert await storage.files("staging/m") == {}


async def test_removing_is_idempotent(storage: Storage) -> None:
    await storage.write("a/b", pieces(b"x"), size=1)
    await storage.remove("a")
    await storage.remove("a")
    assert await storage.files("a") == {}
    with pytest.raises(NotFound):
        await storage.size("a/b")


async def test_others_find_a_file_by_its_url(storage: Storage) -> None:
    await storage.write("models/m/config.json", pieces(b"{}"), size=2)
    assert await Storage(storage.url("models/m")).files("") == {"config.json": 2}
