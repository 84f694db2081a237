"""Recordings and clips over HTTP: byte ranges by the book, safe headers, and clips that begin with words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.schemas.audio import SAMPLE_RATE
from app.services.bootstrap import Services
from app.services.retention_service import RetentionService
from app.storage.registry import STORAGES
from app.storage.removals import RemovalKeeper
from tests.api.clients import services_of, started
from tests.services.audio.recordings import convert, make_decoder
from tests.services.reel.calls import VBR, objections, recording_of, store_call
from tests.services.webhooks.calls import FakeClock
from tests.storage.s3_server import s3_server

AUDIO = "/calls/CALL:1/audio"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="module")
def vbr(folder: Path) -> Path:
    return recording_of(objections(), folder, "call.mp3", *VBR)


@pytest.fixture(scope="module", params=STORAGES.names())
def client(request: pytest.FixtureRequest, folder: Path, vbr: Path) -> Iterator[TestClient]:
    if request.param == "file":
        with started(folder) as client:
            store_call(services_of(client), "CALL:1", vbr, objections())
            yield client
        return
    with s3_server(folder / "s3") as server, started(folder, work_dir=folder, **server.settings) as client:
        store_call(services_of(client), "CALL:1", vbr, objections())
        yield client


def code(answer: Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.fixture(scope="module")
def whole(vbr: Path) -> bytes:
    return vbr.read_bytes()


def get(client: TestClient, asked: str | None = None, **headers: str) -> Response:
    return client.get(AUDIO, headers={**({"range": asked} if asked else {}), **headers})


def test_all_of_it(client: TestClient, whole: bytes) -> None:
    answer = get(client)
    assert (answer.status_code, answer.content) == (200, whole)
    assert answer.headers["content-type"] == "audio/mpeg"
    assert answer.headers["content-length"] == str(len(whole))
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == 'inline; filename="CALL_1.mp3"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-range" not in answer.headers


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [
        ("bytes=0-1", 0, 2), ("bytes=0-0", 0, 1), ("bytes=1000-", 1000, None), ("bytes=-500", -500, None),
        ("bytes=-99999999", 0, None), ("bytes=100-99999999", 100, None), ("Bytes = 5 - 9", 5, 10),
        ("bytes=-1", -1, None),
    ],
)  # fmt: skip
def test_one_range_is_those_bytes(
    asked: str, first: int, end: int | None, client: TestClient, whole: bytes
) -> None:
    answer = get(client, asked)
    wanted = whole[first:end]
    assert (answer.status_code, answer.content) == (206, wanted)
    start = first % len(whole) if first < 0 else first
    assert answer.headers["content-range"] == f"bytes {start}-{start + len(wanted) - 1}/{len(whole)}"
    assert answer.headers["content-length"] == str(len(wanted))


@pytest.mark.parametrize("asked", ["bytes={size}-", "bytes={size}-{size}", "bytes=99999999-", "bytes=-0"])
def test_beyond_the_end_there_is_nothing(asked: str, client: TestClient, whole: bytes) -> None:
    answer = get(client, asked.format(size=len(whole)))
    assert code(answer) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=9-5", "bytes=", "bytes=-", "bytes=a-b", "items=0-1", "0-1", "bytes=0-1,5-6", "bytes=--5",
        "bytes=" + ",".join(f"{at}-{at + 1}" for at in range(10_000)),
        "bytes=" + "9" * 5000 + "-", "bytes=0-" + "," * 9000,
    ],
)  # fmt: skip
def test_what_is_no_single_range_is_ignored(asked: str, client: TestClient, whole: bytes) -> None:
    answer = get(client, asked)
    assert (answer.status_code, answer.content) == (200, whole)


def test_a_part_is_sent_only_while_it_is_the_same_file(client: TestClient) -> None:
    tag = get(client).headers["etag"]
    assert get(client, "bytes=0-1", **{"if-range": tag}).status_code == 206
    for other in ('"another"', f"W/{tag}", "Sat, 29 Oct 1994 19:43:31 GMT"):
        assert get(client, "bytes=0-1", **{"if-range": other}).status_code == 200
    # A range that cannot be satisfied is none where its condition does not hold.
    assert get(client, "bytes=99999999-", **{"if-range": '"another"'}).status_code == 200
    for known in (tag, f'"x", W/{tag}', "*"):
        answer = get(client, "bytes=0-1", **{"if-none-match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)


def test_head_tells_the_same_without_the_bytes(client: TestClient, whole: bytes) -> None:
    for asked in ({}, {"range": "bytes=0-9"}):
        answers = [client.request(method, AUDIO, headers=asked) for method in ("GET", "HEAD")]
        told = [{**answer.headers, "x-request-id": ""} for answer in answers]
        assert told[0] == told[1]
        assert answers[0].status_code == answers[1].status_code
        assert answers[1].content == b""
    assert client.head(AUDIO).headers["content-length"] == str(len(whole))


def test_a_clip_begins_and_ends_within_100_ms_of_words(client: TestClient, tmp_path: Path) -> None:
    analysis = objections()
    words = [word for part in analysis.segments for word in part.segment.words]
    for number, moment in enumerate(analysis.moments):
        answer = client.get(f"/calls/CALL:1/moments/{moment.id}/clip")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "audio/mpeg"
        start_s, end_s = (float(answer.headers[f"x-clip-{name}"]) for name in ("start", "end"))
        (folder := tmp_path / str(number)).mkdir()
        (folder / "clip").write_bytes(answer.content)
        heard = make_decoder().decode(folder / "clip", folder)
        assert heard.duration_s == pytest.approx(end_s - start_s, abs=0.05)

        inside = [word for word in words if word.start_s >= start_s - 0.01 and word.end_s <= end_s + 0.01]
        assert moment.evidence.start_s >= inside[0].start_s
        assert moment.evidence.end_s <= inside[-1].end_s
        assert not [
            word for word in words if word not in inside and start_s < word.end_s and word.start_s < end_s
        ]
        assert inside[0].start_s - start_s <= 0.1
        assert end_s - inside[-1].end_s <= 0.1
        # Where sound is heard in the clip is where the words are in the recording.
        levels = np.abs(heard.read())[: heard.sample_count // 160 * 160].reshape(-1, 160).max(axis=1)
        places = np.flatnonzero(levels > 0.01) / 100
        assert places[0] == pytest.approx(inside[0].start_s - start_s, abs=0.05)
        assert places[-1] == pytest.approx(inside[-1].end_s - start_s, abs=0.05)
    assert heard.sample_count > SAMPLE_RATE


def test_a_clip_can_be_sought_too(client: TestClient) -> None:
    url = f"/calls/CALL:1/moments/{objections().moments[0].id}/clip"
    first, part = client.get(url), client.get(url, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, first.content[10:20])
    assert part.headers["etag"] == first.headers["etag"]
    assert first.headers["content-disposition"].startswith('inline; filename="CALL_1-m_')


def test_what_is_not_there(client: TestClient) -> None:
    assert code(client.get("/calls/NONE/audio")) == (404, "call_not_found")
    assert code(client.get("/calls/NONE/moments/m_1/clip")) == (404, "call_not_found")
    assert code(client.get("/calls/CALL:1/moments/m_1/clip")) == (404, "moment_not_found")
    assert code(client.get("/calls/CALL:1/moments/..%2f..%2fx/clip"))[0] == 404


KINDS = {
    "a.wav": ("audio/wav", ()),
    "a.flac": ("audio/flac", ()),
    "a.ogg": ("audio/ogg", ()),
    "a.m4a": ("audio/mp4", ()),
    "a.aac": ("audio/aac", ()),
    "a.aiff": ("audio/aiff", ()),
    "a.webm": ("audio/webm", ("-c:a", "libopus")),
}


def test_the_type_is_told_by_the_bytes(vbr: Path, tmp_path: Path) -> None:
    with started(tmp_path) as client:
        for name, (media_type, options) in KINDS.items():
            recording = convert(vbr, tmp_path / name, "-t", "1", *options)
            store_call(services_of(client), name, recording, objections())
            answer = client.get(f"/calls/{name}/audio", headers={"range": "bytes=0-3"})
            assert (answer.status_code, answer.headers["content-type"]) == (206, media_type)
            suffix = name.partition(".")[2]
            assert answer.headers["content-disposition"] == f'inline; filename="{name}.{suffix}"'


def test_bytes_that_tell_no_type_are_shown_by_no_browser(tmp_path: Path) -> None:
    with started(tmp_path) as client:
        store_call(services_of(client), "CALL:1", b"<html><script>alert(1)</script>", objections())
        answer = get(client)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


def release_recordings(services: Services) -> None:
    clock = FakeClock()
    clock.advance(days=3)
    retention = RetentionService(
        services.database,
        RemovalKeeper(services.storage),
        audio_days=1,
        text_days=None,
        forget_elsewhere=print,
        remove_withdrawn=services.reels.sweep,
        clock=clock,
    )
    assert retention.sweep().recordings == 1


def test_a_recording_that_is_gone_says_so(tmp_path: Path) -> None:
    clip = f"/calls/CALL:1/moments/{objections().moments[0].id}/clip"
    with started(tmp_path) as client:
        services = services_of(client)
        store_call(services, "CALL:1", b"RIFF", objections())
        for path in (tmp_path / "data" / "audio").rglob("*"):
            if path.is_file():
                path.unlink()
        for url in (AUDIO, clip):
            assert code(client.get(url)) == (404, "audio_missing")
        release_recordings(services)
        for url in (AUDIO, clip):
            assert code(client.get(url)) == (410, "audio_deleted")
        assert client.head(AUDIO).status_code == 410
