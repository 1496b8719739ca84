"""The bytes of models over HTTP: signed URLs on the ingress itself, streamed in both directions.

    PUT  /v1/uploads/{model}/{upload}/{file}      one file of a model that is being uploaded
    GET  /v1/downloads/{model}/{file}             one file of a published model; ranges are served

Uploads collect under `staging/` and move to `models/` in one step when the model is published
(`control/rules/model_files.py`). Whoever holds a URL needs no API key; it is good for one file, for a while.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sparrel.control.signing import Signer
from sparrel.control.storage import Storage
from sparrel.errors import FailedPrecondition, InvalidArgument, NotFound
from sparrel.kernel.rows import Row, Store
from sparrel.settings import Settings

UPLOADS, DOWNLOADS = "/v1/uploads", "/v1/downloads"
UPLOAD_VALID_S = 24 * 3600
DOWNLOAD_VALID_S = 3600
MAX_FILES = 10_000
_SEGMENT = re.compile(r"[^\x00-\x1f\x7f/\\]{1,255}")


@dataclass(frozen=True, slots=True)
class Files:
    """Where one installation keeps model files, and how it signs for them."""

    storage: Storage
    signer: Signer

    def upload_url(self, base_url: str, model: str, upload: str, file: str, size: int) -> str:
        path = f"{UPLOADS}/{model}/{upload}/{file}"
        return base_url + self.signer.sign("PUT", path, valid_s=UPLOAD_VALID_S, size=size)

    def download_url(self, base_url: str, model: str, file: str) -> str:
        path = f"{DOWNLOADS}/{model}/{file}"
        return base_url + self.signer.sign("GET", path, valid_s=DOWNLOAD_VALID_S)

    async def remove(self, row: Row) -> None:
        """Remove what was uploaded for a model; files that lie elsewhere are not ours to remove."""
        if upload := row.internal.get("upload"):
            await self.storage.remove(staging_key(row.name, upload))
            await self.storage.remove(published_key(row.name, upload))


@cache
def files_of(settings: Settings) -> Files:
    return Files(Storage(settings.storage), Signer.load(settings.home / "keys" / "signing_key"))


def staging_key(model: str, upload: str) -> str:
    return f"staging/{model}/{upload}"


def published_key(model: str, upload: str) -> str:
    return f"models/{model}/{upload}"


def check_file_name(name: str) -> str:
    """Return a relative path that stays inside its folder; raise InvalidArgument for any other."""
    parts = name.split("/")
    if len(name) > 1024 or any(part in (".", "..") or not _SEGMENT.fullmatch(part) for part in parts):
        raise InvalidArgument(
            f"invalid file name {name[:80]!r}: use a relative path such as model.safetensors",
            param="filenameToSize",
        )
    return str(PurePosixPath(name))


def file_routes(store: Store, settings: Settings) -> list[Route]:
    """Return the routes of this module, to be added to the control plane's application."""
    transfer = _Transfer(store, settings)
    model = "accounts/{account}/models/{id}"
    return [
        Route(f"{UPLOADS}/{model}/{{upload}}/{{file:path}}", transfer.put, methods=["PUT"]),
        Route(f"{DOWNLOADS}/{model}/{{file:path}}", transfer.get, methods=["GET", "HEAD"]),
    ]


class _Transfer:
    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    async def put(self, request: Request) -> Response:
        model, upload, file = _model_name(request), request.path_params["upload"], request.path_params["file"]
        files = files_of(self._settings)
        size = files.signer.verify("PUT", f"{UPLOADS}/{model}/{upload}/{file}", request.query_params) or 0
        row = await self._store.get(model)
        if row is None or row.state != "UPLOADING" or row.internal.get("upload") != upload:
            raise FailedPrecondition(
                f'model "{model}" does not expect uploads under this URL: ask for a new one'
            )
        _check_length(request.headers, size)
        key = f"{staging_key(model, upload)}/{check_file_name(file)}"
        try:
            digest = await files.storage.write(
                key, request.stream(), size=size, digests=_digests(request.headers)
            )
        except ClientDisconnect:
            return Response(status_code=499)
        return Response(headers={"Repr-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:"})

    async def get(self, request: Request) -> Response:
        model, file = _model_name(request), check_file_name(request.path_params["file"])
        files_of(self._settings).signer.verify("GET", f"{DOWNLOADS}/{model}/{file}", request.query_params)
        row = await self._store.get(model)
        if row is None or not row.internal.get("path"):
            raise NotFound(f'file "{file}" of model "{model}" not found')
        published = _published(row.internal["path"])
        total = await published.size(file)
        headers = {
            "Accept-Ranges": "bytes",
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file)}",
        }
        span = _range(request.headers.get("range"), total)
        if span is None:
            headers |= {"Content-Range": f"bytes */{total}"}
            return Response(status_code=416, headers=headers)
        start, length, partial = span
        headers["Content-Length"] = str(length)
        if partial:
            headers["Content-Range"] = f"bytes {start}-{start + length - 1}/{total}"
        if request.method == "HEAD":
            return Response(headers=headers, media_type="application/octet-stream")
        return StreamingResponse(
            published.read(file, start, length),
            status_code=206 if partial else 200,
            headers=headers,
            media_type="application/octet-stream",
        )


@cache
def _published(url: str) -> Storage:
    return Storage(url)


def _model_name(request: Request) -> str:
    return f"accounts/{request.path_params['account']}/models/{request.path_params['id']}"


def _check_length(headers: Mapping[str, str], size: int) -> None:
    """Refuse a body of another length before reading it; a chunked one is counted as it comes."""
    announced = headers.get("content-length")
    if announced is not None and announced != str(size):
        raise InvalidArgument(f"the body has {announced} bytes, but the URL was made for {size}")
    allowed = headers.get("x-goog-content-length-range")
    if allowed is None:
        return
    match = re.fullmatch(r"\s*(\d+)\s*,\s*(\d+)\s*", allowed)
    if match is None:
        raise InvalidArgument("x-goog-content-length-range must be two numbers such as 0,1024")
    if not int(match[1]) <= size <= int(match[2]):
        raise InvalidArgument(f"{size} bytes are not within x-goog-content-length-range {allowed}")


def _digests(headers: Mapping[str, str]) -> dict[str, bytes]:
    """Return the hashes that the sender announced, in any of the three usual headers."""
    found: dict[str, str] = {}
    if "content-md5" in headers:
        found["md5"] = headers["content-md5"]
    for header, pattern in (
        ("x-goog-hash", r"(md5)=([A-Za-z0-9+/=]+)"),
        ("content-digest", r"(sha-256)=:([A-Za-z0-9+/=]+):"),
        ("repr-digest", r"(sha-256)=:([A-Za-z0-9+/=]+):"),
    ):
        for name, value in re.findall(pattern, headers.get(header, "")):
            found[name.replace("-", "")] = value
    try:
        return {name: base64.b64decode(value, validate=True) for name, value in found.items()}
    except binascii.Error:
        raise InvalidArgument("a checksum header is not valid base64") from None


def _range(header: str | None, total: int) -> tuple[int, int, bool] | None:
    """Return start, length and whether it is a part; None when the range cannot be satisfied."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip()) if header else None
    if match is None or not (
        match[1] or match[2]
    ):  # several ranges, or none: the whole file is a valid answer
        return 0, total, False
    if not match[1]:
        start, end = max(0, total - int(match[2])), total - 1
    else:
        start, end = int(match[1]), min(int(match[2] or total), total - 1)
    return (start, end - start + 1, True) if start <= end else None
