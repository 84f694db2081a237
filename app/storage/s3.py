"""Recordings in a bucket of an S3-compatible server (``s3://BUCKET/PREFIX``)."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

from app.core.clock import utc_now
from app.core.config import Settings
from app.core.exceptions import AppError, ConfigurationError, InsufficientStorage, StorageUnavailable
from app.core.registry import install_hint, missing_module
from app.storage.base import KEY_PATTERN, ListedFile, StoredFile, key_path
from app.storage.locked_file import translated_errors
from app.storage.s3_errors import status_of, translated
from app.storage.scratch import Scratch, scratch_of

log = logging.getLogger(__name__)

PART_BYTES = 5 * 2**20
"""The least that S3 takes; all parts but the last are alike, as some servers insist."""
COPY_BYTES = 256 * 1024
CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 30
ATTEMPTS = 4
CHECK_TIMEOUT_S = 4
FETCHES = 3
"""Times that a recording is asked for whose bytes break off on the way."""
CONNECTIONS = 32
STALE_UPLOAD = timedelta(hours=24)
"""No upload takes longer; a younger one may still be on its way to another process."""
LEAST_FREE_BYTES = 1024 * 1024


class S3Storage:
    """``PREFIX/audio/ab/…``: the same names as in a folder, so that the one can be copied to the other.

    An object appears whole or not at all. Nothing of an upload touches this machine's disk; reading makes
    a copy in a scratch folder, of ``MAX_UPLOAD_SIZE_MB`` at most, for as long as it is read.
    """

    def __init__(self, settings: Settings, scratch: Scratch) -> None:
        """Raises ConfigurationError where boto3 is not installed."""
        if missing_module("boto3"):
            raise ConfigurationError(f"STORAGE_URL=s3://… needs boto3: {install_hint('s3')}")
        url = urlsplit(settings.storage_url)
        self.bucket = url.netloc
        self._root = "/".join(part for part in url.path.split("/") if part)
        self._settings = settings
        self._scratch = scratch
        self._clients: dict[bool, Any] = {}
        self._lock = threading.Lock()

    @classmethod
    def opened(cls, settings: Settings) -> Self:
        return cls(settings, scratch_of(settings))

    def create(self) -> S3Writer:
        key = uuid4().hex
        return S3Writer(self._client(), key, {"Bucket": self.bucket, "Key": self._name(key_path(key))})

    @contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        with self._scratch.folder() as folder:
            path = folder / "recording"
            self._fetch(key, path)
            yield path

    def read(self, key: str, first: int = 0, count: int | None = None) -> Iterator[bytes]:
        if count == 0:
            return iter(())
        last = "" if count is None else str(first + count - 1)
        # A range of an empty object can be satisfied by no server.
        asked = {"Range": f"bytes={first}-{last}"} if first or count is not None else {}
        found = self._found("get_object", key, **asked)
        if found is None:
            raise StorageUnavailable("the recording is missing from the storage")
        return _pieces(found["Body"])

    def delete(self, key: str) -> None:
        with translated():
            self._client().delete_object(Bucket=self.bucket, Key=self._name(key_path(key)))

    def exists(self, key: str) -> bool:
        return self._found("head_object", key) is not None

    def listed(self, after: str = "") -> Iterator[ListedFile]:
        asked = {"Bucket": self.bucket, "Prefix": self._name("audio/")}
        if after:
            asked["StartAfter"] = self._name(key_path(after))
        pages = self._pages("list_objects_v2", "Contents", asked)
        for item in pages:
            key = item["Key"].rpartition("/")[2]
            if KEY_PATTERN.fullmatch(key) and item["Key"] == self._name(key_path(key)):
                yield ListedFile(key, item["LastModified"].astimezone(UTC))

    def check(self) -> None:
        with translated():
            self._client(quick=True).head_bucket(Bucket=self.bucket)

    def sweep(self) -> int:
        """End uploads that nobody finished; servers that cannot list them do this by themselves."""
        before = utc_now() - STALE_UPLOAD
        asked = {"Bucket": self.bucket, "Prefix": self._name("audio/")}
        removed = 0
        try:
            for upload in self._pages("list_multipart_uploads", "Uploads", asked):
                if upload["Initiated"] < before:
                    with translated():
                        self._client().abort_multipart_upload(
                            Bucket=self.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                        )
                    removed += 1
        except StorageUnavailable as error:
            log.warning("storage.uploads_not_swept", extra={"detail": error.detail})
        return removed

    def _name(self, path: str) -> str:
        return f"{self._root}/{path}" if self._root else path

    def _client(self, *, quick: bool = False) -> Any:
        """Made on first use; ``quick`` asks once and soon gives up."""
        with self._lock:
            if quick not in self._clients:
                with translated():
                    self._clients[quick] = _connected(self._settings, quick=quick)
            return self._clients[quick]

    def _pages(self, operation: str, field: str, asked: dict[str, str]) -> Iterator[dict[str, Any]]:
        with translated():
            pages = iter(self._client().get_paginator(operation).paginate(**asked))
        while True:
            with translated():
                page = next(pages, None)
            if page is None:
                return
            yield from page.get(field, ())

    def _found(self, operation: str, key: str, **asked: str) -> dict[str, Any] | None:
        """The server's answer about an object; None where it has none."""
        from botocore.exceptions import ClientError

        with translated():
            try:
                call = getattr(self._client(), operation)
                answer: dict[str, Any] = call(Bucket=self.bucket, Key=self._name(key_path(key)), **asked)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if status_of(error.response) == 404 and code != "NoSuchBucket":
                    return None
                raise
        return answer

    def _fetch(self, key: str, path: Path) -> None:
        for attempt in range(1, FETCHES + 1):
            found = self._found("get_object", key)
            if found is None:
                raise StorageUnavailable("the recording is missing from the storage")
            self._check_room(found["ContentLength"], path.parent)
            try:
                return _copy(found["Body"], path)
            except StorageUnavailable:
                if attempt == FETCHES:
                    raise
                log.warning("storage.read_again", extra={"attempt": attempt})
        return None

    def _check_room(self, size: int, folder: Path) -> None:
        if size > self._settings.max_upload_bytes:
            raise StorageUnavailable("the recording in the storage is larger than MAX_UPLOAD_SIZE_MB")
        with translated_errors():
            room = os.statvfs(folder)
        if room.f_bavail * room.f_frsize < size + LEAST_FREE_BYTES:
            raise InsufficientStorage


class S3Writer:
    """One upload on its way to the bucket: small ones in one request, others part by part as they come."""

    def __init__(self, client: Any, key: str, target: dict[str, str]) -> None:
        self._client = client
        self.key = key
        self._target = target
        self._digest = sha256()
        self._size = 0
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[dict[str, Any]] = []
        self._is_sent = False
        self._is_open = True

    def write(self, chunk: bytes) -> None:
        self._check_open()
        self._digest.update(chunk)
        self._size += len(chunk)
        self._buffer += chunk
        while len(self._buffer) >= PART_BYTES:
            part = bytes(memoryview(self._buffer)[:PART_BYTES])
            del self._buffer[:PART_BYTES]
            self._send(part)

    def commit(self) -> StoredFile:
        self._check_open()
        rest = bytes(self._buffer)
        self._is_sent = True
        if self._upload_id is None:
            with translated():
                self._client.put_object(**self._target, Body=rest)
        else:
            if rest:
                self._send(rest)
            with translated():
                self._client.complete_multipart_upload(
                    **self._target, UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}
                )
        self._is_open = False
        return StoredFile(self.key, self._size, self._digest.hexdigest())

    def discard(self) -> None:
        if not self._is_open:
            return
        self._is_open = False
        self._buffer.clear()
        try:
            with translated():
                if self._upload_id is not None:
                    self._abort(self._upload_id)
                if self._is_sent:  # an answer that never came may have been a yes
                    self._client.delete_object(**self._target)
        except AppError as error:
            log.warning("storage.not_discarded", extra={"detail": error.detail})

    def _check_open(self) -> None:
        if not self._is_open:
            raise StorageUnavailable("the upload is closed")

    def _send(self, part: bytes) -> None:
        number = len(self._parts) + 1
        with translated():
            if self._upload_id is None:
                self._upload_id = self._client.create_multipart_upload(**self._target)["UploadId"]
            answer = self._client.upload_part(
                **self._target, UploadId=self._upload_id, PartNumber=number, Body=part
            )
        self._parts.append({"PartNumber": number, "ETag": answer["ETag"]})

    def _abort(self, upload_id: str) -> None:
        from botocore.exceptions import ClientError

        try:
            self._client.abort_multipart_upload(**self._target, UploadId=upload_id)
        except ClientError as error:
            if status_of(error.response) != 404:
                raise


def _connected(settings: Settings, *, quick: bool) -> Any:
    import boto3
    from botocore.config import Config

    key, secret = settings.s3_access_key_id, settings.s3_secret_access_key
    session = boto3.session.Session(
        aws_access_key_id=key and key.get_secret_value(),
        aws_secret_access_key=secret and secret.get_secret_value(),
        region_name=settings.s3_region,
    )
    endpoint = settings.s3_endpoint_url
    config = Config(
        connect_timeout=CHECK_TIMEOUT_S if quick else CONNECT_TIMEOUT_S,
        read_timeout=CHECK_TIMEOUT_S if quick else READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": 1 if quick else ATTEMPTS},
        max_pool_connections=CONNECTIONS,
        # Buckets as host names and checksums in trailers are Amazon's: other servers often know neither.
        s3={"addressing_style": "path"} if endpoint else None,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    region = session.region_name or "us-east-1"
    client = session.client("s3", endpoint_url=endpoint, region_name=region, config=config)
    client.meta.events.register_first("needs-retry.s3", _follow_no_circle)
    return client


def _follow_no_circle(request_dict: dict[str, Any], response: Any, **_: object) -> None:
    """A redirect that names no region ends here: boto3 would ask for the region, and be redirected again."""
    if response is None:
        return
    headers = response[1].get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if 300 <= status_of(response[1]) < 400 and "x-amz-bucket-region" not in headers:
        request_dict["context"].setdefault("s3_redirect", {})["redirected"] = True


def _pieces(body: Any) -> Iterator[bytes]:
    try:
        while piece := _read(body):
            yield piece
    finally:
        body.close()


def _copy(body: Any, path: Path) -> None:
    """The bytes of an answer as a file of this user alone."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with translated_errors(), os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            while chunk := _read(body):
                file.write(chunk)
    finally:
        body.close()


def _read(body: Any) -> bytes:
    with translated():
        chunk: bytes = body.read(COPY_BYTES)
    return chunk
