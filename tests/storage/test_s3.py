"""What is S3's own: broken connections, refusals in words, uploads that nobody ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.core.exceptions import InsufficientStorage, StorageUnavailable
from app.storage import s3
from app.storage.registry import open_storage
from app.storage.s3 import S3Storage
from tests.process.service import free_port
from tests.settings import make_settings
from tests.storage.s3_server import PREFIX, S3Server, s3_server

MB = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


def opened(server: S3Server, tmp_path: Path, **changes: Any) -> S3Storage:
    storage = open_storage(make_settings(tmp_path, **{**server.settings, "work_dir": tmp_path, **changes}))
    assert isinstance(storage, S3Storage)
    return storage


def test_objects_have_the_names_of_files_in_a_folder(server: S3Server, tmp_path: Path) -> None:
    writer = opened(server, tmp_path).create()
    writer.write(b"x")
    key = writer.commit().key
    assert f"{PREFIX}/audio/{key[:2]}/{key}" in server.objects()


def test_what_others_keep_under_the_same_prefix_is_passed_over(server: S3Server, tmp_path: Path) -> None:
    storage = opened(server, tmp_path, storage_url="s3://recordings/shared")
    for name in ("shared/audio/notes.txt", "shared/audio/ab/" + "0" * 32, "shared/other/" + "a" * 32):
        server.client().put_object(Bucket="recordings", Key=name, Body=b"x")
    assert list(storage.listed()) == []


def test_an_upload_touches_no_local_disk(server: S3Server, tmp_path: Path) -> None:
    writer = opened(server, tmp_path).create()
    writer.write(b"x" * 12 * MB)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert server.unfinished_uploads() == 1
    writer.discard()
    assert server.unfinished_uploads() == 0


def test_old_unfinished_uploads_are_ended_and_young_ones_spared(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = opened(server, tmp_path)
    writer = storage.create()
    writer.write(b"x" * 6 * MB)
    assert storage.sweep() == 0
    monkeypatch.setattr(s3, "STALE_UPLOAD", timedelta(seconds=-60))
    assert storage.sweep() == 1
    assert server.unfinished_uploads() == 0
    with pytest.raises(StorageUnavailable):
        writer.commit()
    writer.discard()


def test_a_copy_is_bounded(server: S3Server, tmp_path: Path) -> None:
    storage = opened(server, tmp_path, max_upload_size_mb=1)
    writer = storage.create()
    writer.write(b"x" * 2 * MB)
    key = writer.commit().key
    with pytest.raises(StorageUnavailable, match="MAX_UPLOAD_SIZE_MB"), storage.local_path(key):
        pass
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"storage_url": "s3://no-such-bucket/x"}, "the bucket does not exist: create it"),
        ({"s3_secret_access_key": "wrong"}, "refuses the key"),
        ({"s3_access_key_id": "nobody"}, "refuses the key"),
        ({"s3_endpoint_url": "http://127.0.0.1:{closed}"}, "cannot be reached .*S3_ENDPOINT_URL"),
    ],
)
def test_a_check_says_what_to_do(
    server: S3Server, tmp_path: Path, changes: dict[str, str], told: str
) -> None:
    port = free_port()
    storage = opened(server, tmp_path, **{name: text.format(closed=port) for name, text in changes.items()})
    with pytest.raises(StorageUnavailable, match=told):
        storage.check()


@pytest.mark.parametrize(
    ("status", "headers", "body", "error", "told"),
    [
        (
            301,
            {"x-amz-bucket-region": "eu-central-1"},
            "",
            StorageUnavailable,
            "set S3_REGION to eu-central-1",
        ),
        (307, {"location": "https://elsewhere/"}, "", StorageUnavailable, "redirect: set S3_ENDPOINT_URL"),
        (507, {}, "", InsufficientStorage, "no room"),
        (400, {}, "XMinioStorageFull", InsufficientStorage, "no room"),
        (501, {}, "Strange", StorageUnavailable, "answered 501"),
    ],
)
def test_refusals_of_a_server(
    tmp_path: Path,
    status: int,
    headers: dict[str, str],
    body: str,
    error: type[Exception],
    told: str,
) -> None:
    with refusing(status, headers, body) as url:
        settings = {"storage_url": "s3://bucket", "s3_endpoint_url": url}
        keys = {"s3_access_key_id": "a", "s3_secret_access_key": "b", "work_dir": tmp_path}
        writer = open_storage(make_settings(tmp_path, **settings, **keys)).create()
        writer.write(b"x")
        with pytest.raises(error, match=told):
            writer.commit()
        writer.discard()


def refusing(status: int, headers: dict[str, str], code: str) -> Any:
    """A server that gives every request the same answer."""
    from contextlib import contextmanager

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            text = f"<Error><Code>{code}</Code></Error>".encode() if code else b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_PUT = do_DELETE = do_HEAD = do_GET = answer

        def log_message(self, *_: object) -> None:
            pass

    @contextmanager
    def served() -> Iterator[str]:
        with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
            threading.Thread(target=http.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{http.server_port}"
            http.shutdown()

    return served()
