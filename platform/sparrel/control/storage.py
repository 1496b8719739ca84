"""Files of one installation behind one interface: a local folder, `s3://`, `gs://` or any other fsspec URL.

Keys are slash-separated paths below the root. A file appears under its key only when all of it has
arrived: it is written under `parts/` first and then moved. Nothing here holds a whole file in memory.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import MappingProxyType
from typing import Any, BinaryIO, cast

from fsspec.core import url_to_fs

from sparrel import errors

CHUNK_BYTES = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_DIGESTS: Mapping[str, bytes] = MappingProxyType({})


class Storage:
    def __init__(self, url: str) -> None:
        self._fs, self._root = url_to_fs(url)

    def url(self, key: str) -> str:
        """Return where others find `key`: a plain path on a local disk, else an fsspec URL."""
        path = self._path(key)
        return path if self._is_local else str(self._fs.unstrip_protocol(path))

    def owns(self, url: str) -> bool:
        """Whether `url` is below the root, so that it may be removed with the resource it belongs to."""
        return str(self._fs._strip_protocol(url)).startswith(self._root.rstrip("/") + "/")

    async def write(
        self, key: str, chunks: AsyncIterator[bytes], *, size: int, digests: Mapping[str, bytes] = _NO_DIGESTS
    ) -> bytes:
        """Store a stream of `size` bytes under `key`, replacing what was there, and return its SHA-256.

        `digests` are what hashes of the content must be, by hashlib's names. Raises StorageFull,
        PayloadTooLarge or InvalidArgument; whatever goes wrong, nothing of the stream is kept.
        """
        part = f"parts/{uuid.uuid4().hex}"
        try:
            hashes = await self._write_part(part, chunks, size, {"sha256", *digests})
            _compare(hashes, digests)
            await asyncio.to_thread(self._move, part, key)
        except BaseException:
            await asyncio.shield(asyncio.to_thread(self._remove, part))
            raise
        return hashes["sha256"]

    async def read(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """Yield `length` bytes of a file from `start`, or all that follow."""
        file = await asyncio.to_thread(self.open, key)
        try:
            await asyncio.to_thread(file.seek, start)
            left = length if length is not None else await self.size(key) - start
            while left > 0 and (chunk := await asyncio.to_thread(file.read, min(left, CHUNK_BYTES))):
                left -= len(chunk)
                yield chunk
        finally:
            await asyncio.to_thread(file.close)

    async def size(self, key: str) -> int:
        """Return a file's size; raise NotFound."""
        return await asyncio.to_thread(self._size, key)

    async def files(self, folder: str) -> dict[str, int]:
        """Return the size of every file below `folder`, by path relative to it."""
        return await asyncio.to_thread(self._files, folder)

    async def move(self, source: str, target: str) -> None:
        """Move a file or a folder; one rename on a local disk."""
        await asyncio.to_thread(self._move, source, target)

    async def remove(self, key: str) -> None:
        """Remove a file or a folder and all below it; an absent one is success."""
        await asyncio.to_thread(self._remove, key)

    async def check_room(self, num_bytes: int) -> None:
        """Raise StorageFull when `num_bytes` more cannot fit; object stores have no such limit."""
        if self._is_local:
            free = await asyncio.to_thread(self._free_bytes)
            if num_bytes > free:
                raise errors.StorageFull(
                    f"the upload needs {num_bytes} bytes and the storage has {free} left"
                )

    def open(self, key: str) -> BinaryIO:
        """Open a file for reading from any position; blocks, so call it from a thread."""
        with _storage_errors(key):
            return cast(BinaryIO, self._fs.open(self._path(key), "rb"))

    @property
    def _is_local(self) -> bool:
        return "file" in self._fs.protocol

    def _path(self, key: str) -> str:
        return f"{self._root.rstrip('/')}/{key}"

    async def _write_part(
        self, part: str, chunks: AsyncIterator[bytes], size: int, algorithms: Collection[str]
    ) -> dict[str, bytes]:
        hashes = {name: hashlib.new(name) for name in algorithms}
        received = 0
        file = await asyncio.to_thread(self._create, part)
        try:
            async for chunk in _gathered(chunks):
                received += len(chunk)
                if received > size:
                    raise errors.PayloadTooLarge(f"more than the announced {size} bytes were sent")
                with _storage_errors(part):
                    await asyncio.to_thread(_append, file, hashes.values(), chunk)
            if received != size:
                raise errors.InvalidArgument(
                    f"{received} bytes were sent, {size} were announced: send it again"
                )
            with _storage_errors(part):
                await asyncio.to_thread(_finish, file)
        except BaseException:
            await asyncio.to_thread(_abandon, file)
            raise
        return {name: digest.digest() for name, digest in hashes.items()}

    def _create(self, key: str) -> Any:
        with _storage_errors(key):
            self._fs.makedirs(_parent(self._path(key)), exist_ok=True)
            return self._fs.open(self._path(key), "wb")

    def _size(self, key: str) -> int:
        with _storage_errors(key):
            return int(self._fs.info(self._path(key))["size"])

    def _files(self, folder: str) -> dict[str, int]:
        root = self._path(folder)
        found = self._fs.find(root, detail=True)
        prefix = str(self._fs._strip_protocol(root)).rstrip("/") + "/"
        return {path.removeprefix(prefix): int(info["size"]) for path, info in found.items()}

    def _move(self, source: str, target: str) -> None:
        with _storage_errors(target):
            self._fs.makedirs(_parent(self._path(target)), exist_ok=True)
            self._fs.mv(self._path(source), self._path(target), recursive=True)

    def _remove(self, key: str) -> None:
        if self._fs.exists(self._path(key)):
            with _storage_errors(key):
                self._fs.rm(self._path(key), recursive=True)

    def _free_bytes(self) -> int:
        os.makedirs(self._root, exist_ok=True)
        return shutil.disk_usage(self._root).free


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Join a socket's small reads, so that a large file costs few trips to a thread."""
    buffer = bytearray()
    async for chunk in chunks:
        buffer += chunk
        if len(buffer) >= CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)


def _append(file: Any, hashes: Iterable[Any], chunk: bytes) -> None:
    for digest in hashes:
        digest.update(chunk)
    file.write(chunk)


def _compare(hashes: Mapping[str, bytes], expected: Mapping[str, bytes]) -> None:
    for name, digest in expected.items():
        if hashes[name] != digest:
            raise errors.InvalidArgument(f"the content's {name} is not the announced one: send it again")


def _finish(file: Any) -> None:
    """Close a file whose content must survive a power cut once it is published."""
    file.flush()
    if hasattr(file, "fileno"):
        try:
            os.fsync(file.fileno())
        except (OSError, ValueError) as error:  # not a file of this machine's disk
            if getattr(error, "errno", None) in _FULL:
                raise
    file.close()


def _abandon(file: Any) -> None:
    """Close a file that will be removed; on a full disk that fails again, and the first error says more."""
    with suppress(OSError, ValueError):
        file.close()


@contextmanager
def _storage_errors(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise errors.NotFound(f"file {key.rpartition('/')[2]!r} not found in the storage") from None
    except OSError as error:
        if error.errno in _FULL:
            raise errors.StorageFull(
                "the storage is full and nothing of this file was kept: free some space and send it again"
            ) from error
        raise errors.Internal(f"the storage failed: {error.strerror or type(error).__name__}") from error


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
