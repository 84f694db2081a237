"""A recording and its fields, parsed as they stream in: bytes go to storage, never to memory or a name."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from app.core.exceptions import (
    EmptyAudio,
    MalformedRequest,
    UploadTimeout,
    UploadTooLarge,
    ValidationFailed,
)
from app.storage.base import Storage, StorageWriter, StoredFile

AUDIO_FIELD = "audio"
NOT_AUDIO = f"is a file; the recording belongs into the field '{AUDIO_FIELD}'"
MOST_PARTS = 40
LONGEST_FIELD = 64 * 1024
WRITE_BYTES = 256 * 1024
LEAST_BYTES_PER_S = 1024


@dataclass
class Upload:
    """A finished upload: text fields by name, the stored recording (or None) and its first bytes.

    ``file_name`` is what the sender calls the recording: unchecked, and never the name of a file here.
    """

    fields: dict[str, str] = field(default_factory=dict)
    audio: StoredFile | None = None
    head: bytes = b""
    file_name: str | None = None


class UploadReceiver:
    """Reads one multipart body. ``receive`` leaves either a whole stored file or nothing at all."""

    def __init__(self, storage: Storage, *, limit: int, timeout_s: float, head_bytes: int) -> None:
        self._storage = storage
        self._head_bytes = head_bytes
        self._limit = limit
        self._timeout_s = timeout_s
        self._upload = Upload()
        self._fields: dict[str, bytearray] = {}
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._field: str | None = None
        self._is_file = False
        self._parts = 0
        self._size = 0
        self._buffer = bytearray()
        self._writer: StorageWriter | None = None
        self._complete = False

    async def receive(self, request: Request) -> Upload:
        """Raises EmptyAudio (no form), MalformedRequest, UploadTooLarge, UploadTimeout, ValidationFailed,
        InsufficientStorage or StorageUnavailable."""
        parser = self._parser(request.headers.get("content-type", ""))
        try:
            await self._feed(parser, request)
            await self._flush()
            self._upload.fields = {name: _text(name, value) for name, value in self._fields.items()}
            if self._writer is not None:
                self._upload.audio = await asyncio.to_thread(self._writer.commit)
        except FormParserError as error:
            raise MalformedRequest(f"the form cannot be read: {error}") from error
        finally:
            if self._writer is not None and self._upload.audio is None:
                await asyncio.to_thread(self._writer.discard)
        return self._upload

    def _parser(self, content_type: str) -> MultipartParser:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            raise EmptyAudio("send a multipart/form-data body with the recording in the field 'audio'")
        boundary = options.get(b"boundary")
        if not boundary:
            raise MalformedRequest("the form has no boundary")
        callbacks: Any = {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_end": self._on_end,
        }
        try:
            return MultipartParser(boundary, callbacks)
        except FormParserError as error:
            raise MalformedRequest(f"the form cannot be read: {error}") from error

    async def _feed(self, parser: MultipartParser, request: Request) -> None:
        window_began, window_bytes = time.monotonic(), 0
        more = True
        while more:
            try:
                message = await asyncio.wait_for(request.receive(), self._timeout_s)
            except TimeoutError:
                raise UploadTimeout(f"nothing came for {self._timeout_s:g} s") from None
            if message["type"] == "http.disconnect":
                raise MalformedRequest("the client went away")
            chunk, more = message.get("body", b""), message.get("more_body", False)
            parser.write(chunk)
            if len(self._buffer) >= WRITE_BYTES:
                await self._flush()
            window_bytes += len(chunk)
            elapsed = time.monotonic() - window_began
            if elapsed >= self._timeout_s:
                if window_bytes < LEAST_BYTES_PER_S * elapsed:
                    raise UploadTimeout(f"less than {LEAST_BYTES_PER_S} bytes a second came")
                window_began, window_bytes = time.monotonic(), 0
        parser.finalize()
        if not self._complete:
            raise MalformedRequest("the form ends before its last boundary")

    async def _flush(self) -> None:
        if not self._buffer:
            return
        chunk, self._buffer = bytes(self._buffer), bytearray()
        self._upload.head += chunk[: self._head_bytes - len(self._upload.head)]
        if self._writer is None:
            self._writer = await asyncio.to_thread(self._storage.create)
        await asyncio.to_thread(self._writer.write, chunk)

    def _on_part_begin(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise MalformedRequest(f"the form has more than {MOST_PARTS} parts")
        self._disposition = b""
        self._field = None

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if bytes(self._header_name).lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header_name, self._header_value = bytearray(), bytearray()

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if not name:
            raise MalformedRequest("a part of the form has no name")
        if name in self._fields or (name == AUDIO_FIELD and self._size):
            raise ValidationFailed(errors=[{"field": name, "message": "is there twice"}])
        self._field = name
        self._is_file = b"filename" in options
        if name == AUDIO_FIELD:
            self._upload.file_name = _file_name(options.get(b"filename", b""))
        else:
            self._fields[name] = bytearray()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._field == AUDIO_FIELD:
            self._size += end - start
            if self._size > self._limit:
                raise UploadTooLarge(f"a recording may have at most {self._limit >> 20} MB")
            self._buffer += data[start:end]
        elif self._field is not None:
            value = self._fields[self._field]
            value += data[start:end]
            if len(value) > LONGEST_FIELD:
                if self._is_file:
                    errors = [{"field": self._field, "message": NOT_AUDIO}]
                    raise ValidationFailed(f"{self._field}: {NOT_AUDIO}", errors=errors)
                raise UploadTooLarge(f"a text field may have at most {LONGEST_FIELD} bytes")

    def _on_end(self) -> None:
        self._complete = True


def _file_name(value: bytes) -> str | None:
    """As it was before it was sent: browsers write a quotation mark in it as `%22`."""
    said = value.decode("utf-8", "replace").replace("%22", '"')
    return "".join(filter(str.isprintable, said)) or None


def _text(name: str, value: bytearray) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise ValidationFailed(errors=[{"field": name, "message": "is not UTF-8"}]) from None
