"""Model files over a real socket: signed URLs, streamed uploads, validation, publication, ranges."""

from __future__ import annotations

import base64
import errno
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from sparrel.control import storage as storage_module
from sparrel.control.signing import Signer
from sparrel.errors import PermissionDenied
from tests.support import model_folders
from tests.support.control_server import ControlServer, control_server

BASE = {"kind": "HF_BASE_MODEL", "baseModelDetails": {}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlServer]:
    with control_server(tmp_path_factory.mktemp("platform")) as server:
        yield server


@pytest.fixture
def api(server: ControlServer) -> Iterator[httpx.Client]:
    with connected(server) as client:
        yield client


def connected(server: ControlServer) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server.api_key}"}
    return httpx.Client(base_url=f"{server.base_url}/v1/accounts/default", headers=headers, timeout=60)


@pytest.fixture
def model(request: pytest.FixtureRequest, api: httpx.Client) -> str:
    """The path of a new model that waits for its files."""
    name = f"m-{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"
    ok(api.post("/models", json={"modelId": name, "model": BASE}))
    return f"/models/{name}"


def ok(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json() if response.headers.get("content-type") == "application/json" else None


def message(response: httpx.Response, status: int) -> str:
    assert response.status_code == status, response.text
    assert set(response.json()) == {"code", "message", "details"}
    return str(response.json()["message"])


def announce(api: httpx.Client, model: str, sizes: dict[str, Any]) -> dict[str, str]:
    answer = ok(api.post(f"{model}:getUploadEndpoint", json={"filenameToSize": sizes}))
    assert answer["filenameToUnsignedUris"] == {}
    urls: dict[str, str] = answer["filenameToSignedUrls"]
    return urls


def upload(api: httpx.Client, model: str, folder: Path) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for name, url in announce(api, model, {name: len(data) for name, data in files.items()}).items():
        length = len(files[name])
        headers = {"x-goog-content-length-range": f"{length},{length}"}
        assert httpx.put(url, content=files[name], headers=headers).status_code == 200


def stored(server: ControlServer, *parts: str) -> list[Path]:
    return [path for path in (server.settings.home / "storage").joinpath(*parts).rglob("*") if path.is_file()]


def test_an_uploaded_model_is_published_with_what_its_files_say(
    api: httpx.Client, model: str, server: ControlServer, tmp_path: Path
) -> None:
    upload(api, model, model_folders.base_model(tmp_path / "m"))
    assert ok(api.get(model))["state"] == "UPLOADING"
    assert ok(api.get(f"{model}:validateUpload")) == {}
    document = ok(api.get(model))
    assert document["state"] == "READY"
    assert document["status"] == {"code": "OK", "message": ""}
    assert document["contextLength"] == 64
    assert document["supportsTools"] is True
    assert document["conversationConfig"]["template"] == model_folders.CHAT_TEMPLATE
    assert document["baseModelDetails"]["parameterCount"] == str(model_folders.PARAMETERS)
    assert stored(server, "staging", document["name"]) == []


def test_validating_a_published_model_again_changes_nothing(
    api: httpx.Client, model: str, tmp_path: Path
) -> None:
    upload(api, model, model_folders.base_model(tmp_path / "m"))
    ok(api.get(f"{model}:validateUpload"))
    before = ok(api.get(model))
    assert ok(api.get(f"{model}:validateUpload")) == {}
    assert ok(api.get(model)) == before


def test_a_published_model_takes_no_more_files(api: httpx.Client, model: str, tmp_path: Path) -> None:
    folder = model_folders.base_model(tmp_path / "m")
    urls = announce(api, model, {"config.json": (folder / "config.json").stat().st_size})
    upload(api, model, folder)
    ok(api.get(f"{model}:validateUpload"))
    answer = api.post(f"{model}:getUploadEndpoint", json={"filenameToSize": {"a": 1}})
    assert "can no longer change" in message(answer, 400)
    late = httpx.put(urls["config.json"], content=(folder / "config.json").read_bytes())
    assert "does not expect uploads" in message(late, 400)


def test_a_missing_shard_is_named_and_can_be_sent_later(
    api: httpx.Client, model: str, tmp_path: Path
) -> None:
    folder = model_folders.base_model(tmp_path / "m")
    shard = folder / "model-00002-of-00002.safetensors"
    data = shard.read_bytes()
    shard.unlink()
    upload(api, model, folder)
    reason = message(api.get(f"{model}:validateUpload"), 400)
    assert f"missing shard {shard.name}" in reason
    document = ok(api.get(model))
    assert (document["state"], document["status"]) == (
        "UPLOADING",
        {"code": "INVALID_ARGUMENT", "message": reason},
    )
    shard.write_bytes(data)
    upload(api, model, folder)
    ok(api.get(f"{model}:validateUpload"))
    assert ok(api.get(model))["state"] == "READY"


def test_an_unsupported_architecture_is_refused(api: httpx.Client, model: str, tmp_path: Path) -> None:
    upload(api, model, model_folders.base_model(tmp_path / "m", config={"architectures": ["Unheard"]}))
    assert "architecture Unheard is not supported" in message(api.get(f"{model}:validateUpload"), 400)


def test_a_context_longer_than_the_models_own_is_refused(
    api: httpx.Client, model: str, tmp_path: Path
) -> None:
    ok(api.patch(model, json={"contextLength": 4096}))
    upload(api, model, model_folders.base_model(tmp_path / "m"))
    assert "contextLength 4096 is more" in message(api.get(f"{model}:validateUpload"), 400)


def test_announced_files_that_did_not_arrive_are_named(api: httpx.Client, model: str, tmp_path: Path) -> None:
    upload(api, model, model_folders.base_model(tmp_path / "m"))
    announce(api, model, {"generation_config.json": 10})
    answer = message(api.get(f"{model}:validateUpload"), 400)
    assert "not uploaded completely: generation_config.json" in answer


def test_validating_before_any_upload_says_what_to_call(api: httpx.Client, model: str) -> None:
    assert "getUploadEndpoint first" in message(api.get(f"{model}:validateUpload"), 400)


def test_an_adapter_learns_its_details_from_its_files(api: httpx.Client, model: str, tmp_path: Path) -> None:
    upload(api, model, model_folders.base_model(tmp_path / "m"))
    ok(api.get(f"{model}:validateUpload"))
    base = ok(api.get(model))["name"]
    ok(api.post("/models", json={"modelId": "lora", "model": {}}))
    upload(api, "/models/lora", model_folders.adapter(tmp_path / "a", base=base))
    ok(api.get("/models/lora:validateUpload"))
    details = ok(api.get("/models/lora"))["peftDetails"]
    assert (details["baseModel"], details["r"], details["baseModelType"]) == (base, 8, "llama")
    assert details["targetModules"] == ["q_proj", "v_proj"]


def test_an_adapter_of_an_unknown_model_is_refused(api: httpx.Client, tmp_path: Path) -> None:
    ok(api.post("/models", json={"modelId": "orphan", "model": {}}))
    upload(api, "/models/orphan", model_folders.adapter(tmp_path / "a", base="meta-llama/Llama-2-7b"))
    assert "--base-model" in message(api.get("/models/orphan:validateUpload"), 400)


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/passwd", "a/../../b", "", ".", "a//b", "a\\b", "a\nb", "a/.", "x" * 300, "a/../b"],
)
def test_file_names_cannot_leave_the_folder(api: httpx.Client, model: str, name: str) -> None:
    answer = api.post(f"{model}:getUploadEndpoint", json={"filenameToSize": {name: 1}})
    assert "invalid file name" in message(answer, 400)


@pytest.mark.parametrize("size", [-1, "x", 1.5, None, True, 2**64, [1]])
def test_sizes_must_be_numbers_of_bytes(api: httpx.Client, model: str, size: Any) -> None:
    answer = api.post(f"{model}:getUploadEndpoint", json={"filenameToSize": {"a": size}})
    assert "must be a number of bytes" in message(answer, 400)


def test_sizes_may_be_int64_strings_and_names_may_have_folders(api: httpx.Client, model: str) -> None:
    urls = announce(api, model, {"sub/übung 1?.json": "3"})
    assert httpx.put(urls["sub/übung 1?.json"], content=b"abc").status_code == 200


@pytest.mark.parametrize("body", [{}, {"filenameToSize": {}}, {"filenameToSize": ["a"]}])
def test_nothing_announced_is_an_error(api: httpx.Client, model: str, body: Any) -> None:
    assert "filenameToSize" in message(api.post(f"{model}:getUploadEndpoint", json=body), 400)


def test_an_upload_larger_than_the_disk_is_refused_at_once(api: httpx.Client, model: str) -> None:
    answer = api.post(f"{model}:getUploadEndpoint", json={"filenameToSize": {"a.safetensors": 2**60}})
    assert "the storage has" in message(answer, 503)


def test_another_account_may_not_upload(server: ControlServer, api: httpx.Client, model: str) -> None:
    answer = httpx.post(
        f"{server.base_url}/v1/accounts/sparrel{model}:getUploadEndpoint",
        headers=dict(api.headers),
        json={"filenameToSize": {"a": 1}},
    )
    assert answer.status_code in (403, 404)


# --- the URLs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [("signature=", "signature=0"), ("size=3", "size=4"), ("expires=", "expires=9"), ("/a.json", "/b.json")],
)
def test_a_changed_url_is_refused(api: httpx.Client, model: str, old: str, new: str) -> None:
    url = announce(api, model, {"a.json": 3})["a.json"]
    assert "signature does not match" in message(httpx.put(url.replace(old, new), content=b"abc"), 403)


def test_an_upload_url_does_not_download(api: httpx.Client, model: str) -> None:
    url = announce(api, model, {"a.json": 3})["a.json"]
    assert httpx.get(url).status_code == 405


def test_an_expired_signature_is_refused() -> None:
    signer = Signer(b"secret")
    query = dict(parse_qsl(urlsplit(signer.sign("PUT", "/x", valid_s=-1)).query))
    with pytest.raises(PermissionDenied, match="expired"):
        signer.verify("PUT", "/x", query)


def test_a_signature_is_for_one_method_path_and_size() -> None:
    signer = Signer(b"secret")
    query = dict(parse_qsl(urlsplit(signer.sign("PUT", "/x", valid_s=60, size=5)).query))
    assert signer.verify("PUT", "/x", query) == 5
    for method, path, changed in [("GET", "/x", {}), ("PUT", "/y", {}), ("PUT", "/x", {"size": "6"})]:
        with pytest.raises(PermissionDenied):
            signer.verify(method, path, query | changed)


def test_two_processes_share_one_signing_key_that_only_the_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing_key"
    query = dict(parse_qsl(urlsplit(Signer.load(path).sign("GET", "/x", valid_s=60)).query))
    Signer.load(path).verify("GET", "/x", query)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["signing_key"]


# --- the bytes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "content", "status", "reason"),
    [
        ({}, b"abcd", 400, "the URL was made for 3"),
        ({}, b"ab", 400, "the URL was made for 3"),
        ({"x-goog-content-length-range": "4,9"}, b"abc", 400, "not within"),
        ({"x-goog-content-length-range": "many"}, b"abc", 400, "two numbers"),
        ({"content-md5": base64.b64encode(bytes(16)).decode()}, b"abc", 400, "md5 is not the announced one"),
        ({"x-goog-hash": f"md5={base64.b64encode(bytes(16)).decode()}"}, b"abc", 400, "md5 is not"),
        (
            {"content-digest": f"sha-256=:{base64.b64encode(bytes(32)).decode()}:"},
            b"abc",
            400,
            "sha256 is not",
        ),
        ({"content-md5": "%%%"}, b"abc", 400, "not valid base64"),
    ],
)
def test_a_body_that_is_not_the_announced_one_leaves_nothing(
    api: httpx.Client,
    model: str,
    server: ControlServer,
    headers: dict[str, str],
    content: bytes,
    status: int,
    reason: str,
) -> None:
    url = announce(api, model, {"a.json": 3})["a.json"]
    assert reason in message(httpx.put(url, content=content, headers=headers), status)
    assert stored(server, "staging", f"accounts/default{model}") == []
    assert stored(server, "parts") == []


def test_a_chunked_body_is_counted_as_it_comes(api: httpx.Client, model: str, server: ControlServer) -> None:
    url = announce(api, model, {"a.json": 3})["a.json"]
    assert "more than the announced 3" in message(httpx.put(url, content=iter([b"ab", b"cd"])), 413)
    assert "2 bytes were sent" in message(httpx.put(url, content=iter([b"ab"])), 400)
    assert stored(server, "parts") == []


def test_right_checksums_are_accepted_and_the_digest_comes_back(api: httpx.Client, model: str) -> None:
    url = announce(api, model, {"a.json": 3})["a.json"]
    digest = base64.b64encode(hashlib.sha256(b"abc").digest()).decode()
    md5 = base64.b64encode(hashlib.md5(b"abc").digest()).decode()
    answer = httpx.put(
        url, content=b"abc", headers={"x-goog-hash": f"md5={md5}", "repr-digest": f"sha-256=:{digest}:"}
    )
    assert answer.status_code == 200
    assert answer.headers["repr-digest"] == f"sha-256=:{digest}:"


def test_an_interrupted_upload_leaves_nothing_and_can_be_repeated(
    api: httpx.Client, model: str, server: ControlServer
) -> None:
    data = bytes(3 << 20)
    url = urlsplit(announce(api, model, {"big.bin": len(data)})["big.bin"])
    with socket.create_connection((url.hostname, url.port)) as connection:  # type: ignore[arg-type]
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\n"
        head += f"Content-Length: {len(data)}\r\n\r\n"
        connection.sendall(head.encode() + data[: 2 << 20])
        eventually(lambda: stored(server, "parts") != [])
    eventually(lambda: stored(server, "parts") == [])
    assert stored(server, "staging", f"accounts/default{model}") == []
    assert httpx.put(url.geturl(), content=data).status_code == 200
    assert [path.stat().st_size for path in stored(server, "staging", f"accounts/default{model}")] == [
        len(data)
    ]


def test_a_full_disk_is_a_typed_error_and_leaves_nothing(
    api: httpx.Client, model: str, server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    url = announce(api, model, {"a.json": 3})["a.json"]
    with monkeypatch.context() as patch:
        patch.setattr(storage_module, "_append", full)
        assert "the storage is full" in message(httpx.put(url, content=b"abc"), 503)
    assert stored(server, "parts") == []
    assert stored(server, "staging", f"accounts/default{model}") == []
    assert httpx.put(url, content=b"abc").status_code == 200


def test_a_full_disk_at_publication_leaves_the_model_uploading(
    api: httpx.Client, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    upload(api, model, model_folders.base_model(tmp_path / "m"))
    with monkeypatch.context() as patch:
        patch.setattr("fsspec.implementations.local.LocalFileSystem.mv", full)
        assert "the storage is full" in message(api.get(f"{model}:validateUpload"), 503)
    assert ok(api.get(model))["state"] == "UPLOADING"
    ok(api.get(f"{model}:validateUpload"))
    assert ok(api.get(model))["state"] == "READY"


def test_deleting_a_model_deletes_its_files(
    api: httpx.Client, model: str, server: ControlServer, tmp_path: Path
) -> None:
    upload(api, model, model_folders.base_model(tmp_path / "m"))
    ok(api.get(f"{model}:validateUpload"))
    name = f"accounts/default{model}"
    assert stored(server, "models", name) != []
    ok(api.delete(model))
    assert stored(server, "models", name) == []


# --- download --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(server: ControlServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """A download URL and the file's content."""
    folder = model_folders.base_model(tmp_path_factory.mktemp("published") / "m")
    with connected(server) as api:
        ok(api.post("/models", json={"modelId": "published", "model": BASE}))
        upload(api, "/models/published", folder)
        ok(api.get("/models/published:validateUpload"))
        urls = ok(api.get("/models/published:getDownloadEndpoint"))["filenameToSignedUrls"]
    assert sorted(urls) == sorted(path.name for path in folder.iterdir())
    name = "model-00001-of-00002.safetensors"
    return urls[name], (folder / name).read_bytes()


def test_a_downloaded_file_is_the_uploaded_one(published: tuple[str, bytes]) -> None:
    url, content = published
    answer = httpx.get(url)
    assert (answer.status_code, answer.content) == (200, content)
    assert answer.headers["content-length"] == str(len(content))
    head = httpx.head(url)
    assert (head.headers["content-length"], head.content) == (str(len(content)), b"")


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=5-", slice(5, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=2-999999", slice(2, None)),
        ("bytes=-99999999", slice(0, None)),
    ],
)
def test_ranges_are_served(published: tuple[str, bytes], header: str, part: slice) -> None:
    url, content = published
    answer = httpx.get(url, headers={"Range": header})
    assert (answer.status_code, answer.content) == (206, content[part])
    start = len(content) - len(content[part]) if part.stop is None or part.start else 0
    assert answer.headers["content-range"].startswith(f"bytes {start}-")
    assert answer.headers["content-range"].endswith(f"/{len(content)}")


@pytest.mark.parametrize("header", ["bytes=99999999-", "bytes=9-3"])
def test_an_impossible_range_is_416(published: tuple[str, bytes], header: str) -> None:
    url, content = published
    answer = httpx.get(url, headers={"Range": header})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(content)}")


def test_a_download_url_is_for_one_file(published: tuple[str, bytes]) -> None:
    url, _ = published
    other = url.replace("model-00001-of-00002.safetensors", "config.json")
    assert "signature does not match" in message(httpx.get(other), 403)


def test_a_model_without_files_has_nothing_to_download(api: httpx.Client, model: str) -> None:
    assert "no published files" in message(api.get(f"{model}:getDownloadEndpoint"), 400)


def eventually(condition: Callable[[], bool], deadline_s: float = 20) -> None:
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
