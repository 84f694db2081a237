"""gTTS against a local server: its protocol, its failures, and whether it is looked for at all."""

from __future__ import annotations

import errno
import re
import socket
from pathlib import Path
from threading import Event

import pytest

from app.core.exceptions import InsufficientStorage, StageFailed
from app.schemas.engine import EngineState
from app.services.tts.gtts import RETRIES, TAGS, GttsEngine
from tests.services.tts.google_stand_in import closed_port, google
from tests.settings import make_settings

SENTENCE = "Then we start all over again, and that takes the whole evening. "


def make_engine(folder: Path, timeout_s: float = 30) -> GttsEngine:
    engine = GttsEngine(make_settings(folder, tts_timeout_s=timeout_s))
    engine.backoff_s = 0.001
    return engine


def test_the_text_goes_out_in_parts_and_comes_back_as_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google(monkeypatch) as server:
        spoken = make_engine(tmp_path).synthesize(SENTENCE * 4, "en", tmp_path)
    assert len(server.asked) >= 3
    assert all(len(text) <= 100 for text, _ in server.asked)
    said = " ".join(text for text, _ in server.asked)
    assert re.findall(r"\w+", said) == re.findall(r"\w+", SENTENCE * 4)
    assert spoken.suffix == ".mp3"
    assert spoken.read_bytes() == b"".join(server.sound_of(text) for text, _ in server.asked)


@pytest.mark.parametrize(("language", "tag"), [("de", "de"), *TAGS.items()])
def test_google_is_asked_in_its_own_names_of_languages(
    language: str, tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google(monkeypatch) as server:
        make_engine(tmp_path).synthesize("1 2 3", language, tmp_path)
    assert server.asked == [("1 2 3", tag)]


@pytest.mark.parametrize(("status", "requests"), [(429, 1 + RETRIES), (500, 1 + RETRIES), (403, 1)])
def test_refusals_are_reported_after_as_many_tries_as_make_sense(
    status: int, requests: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google(monkeypatch) as server:
        server.status = status
        with pytest.raises(StageFailed, match=str(status)) as failure:
            make_engine(tmp_path).synthesize("hello", "en", tmp_path)
    assert failure.value.code == "tts_failed"
    assert len(server.asked) == requests
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_that_passes_is_waited_for(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google(monkeypatch) as server:
        server.status, server.failures = status, 2
        spoken = make_engine(tmp_path).synthesize(SENTENCE * 4, "en", tmp_path)
    parts = [text for text, _ in server.asked]
    assert parts[0] == parts[1] == parts[2]
    assert spoken.read_bytes() == b"".join(server.sound_of(text) for text in parts[2:])


def test_only_the_part_that_failed_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google(monkeypatch) as server:
        whole = make_engine(tmp_path).synthesize(SENTENCE * 4, "en", tmp_path).read_bytes()
        parts = len(server.asked)
        server.asked.clear()
        server.refused.add(2)
        again = make_engine(tmp_path).synthesize(SENTENCE * 4, "en", tmp_path).read_bytes()
    assert again == whole
    assert len(server.asked) == parts + 1
    assert server.asked[1] == server.asked[2]


def test_the_retries_are_counted_over_the_whole_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with google(monkeypatch) as server:
        server.refused.update(range(1, 100, 2))
        with pytest.raises(StageFailed, match="503"):
            make_engine(tmp_path).synthesize(SENTENCE * 10, "en", tmp_path)
    assert len(server.asked) == 2 * RETRIES + 1


def test_a_pause_that_google_asks_for_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("app.services.tts.gtts.time.sleep", slept.append)
    with google(monkeypatch) as server:
        server.status, server.failures, server.retry_after = 429, 1, "7"
        make_engine(tmp_path).synthesize("hello", "en", tmp_path)
        server.asked.clear()
        server.retry_after = "Wed, 21 Oct 2026 07:28:00 GMT"
        make_engine(tmp_path).synthesize("hello", "en", tmp_path)
    assert slept == [7.0, 0.001]


def test_a_pause_beyond_the_timeout_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with google(monkeypatch) as server:
        server.status, server.retry_after = 429, "3600"
        with pytest.raises(StageFailed, match="429"):
            make_engine(tmp_path).synthesize("hello", "en", tmp_path)
    assert len(server.asked) == 1


def test_the_timeout_holds_for_an_answer_in_drips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with google(monkeypatch) as server:
        server.drips = True
        with pytest.raises(StageFailed, match=r"longer than 0\.5 s"):
            make_engine(tmp_path, timeout_s=0.5).synthesize("hello " * 15, "en", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_answer_without_sound_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with google(monkeypatch) as server:
        server.is_silent = True
        with pytest.raises(StageFailed):
            make_engine(tmp_path).synthesize("hello", "en", tmp_path)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, audio: bytes) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write)
    with google(monkeypatch), pytest.raises(InsufficientStorage):
        make_engine(tmp_path).synthesize("hello", "en", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_lost_connection_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with google(monkeypatch):
        url = f"http://127.0.0.1:{closed_port()}/"
        monkeypatch.setattr("gtts.tts._translate_url", lambda tld, path: url)
        with pytest.raises(StageFailed, match="connect"):
            make_engine(tmp_path).synthesize("hello", "en", tmp_path)


@pytest.mark.parametrize("waits_s", [0.3, 60.0], ids=["slow", "silent"])
def test_the_timeout_holds_for_all_requests_together(
    waits_s: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google(monkeypatch) as server:
        server.waits_s = waits_s
        with pytest.raises(StageFailed):
            make_engine(tmp_path, timeout_s=0.7).synthesize(SENTENCE * 20, "en", tmp_path)
        assert len(server.asked) <= 3
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["…", "?!", "..."])
def test_a_text_without_words_is_a_failure(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google(monkeypatch) as server, pytest.raises(StageFailed):
        make_engine(tmp_path).synthesize(text, "en", tmp_path)
    assert server.asked == []


def test_it_is_ready_where_google_answers(tmp_path: Path) -> None:
    engine = make_engine(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        engine.address = listener.getsockname()
        assert engine.availability().state is EngineState.READY


def test_it_is_unavailable_without_the_internet(tmp_path: Path) -> None:
    engine = make_engine(tmp_path)
    engine.address = ("127.0.0.1", closed_port())
    seen = engine.availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert "needs the internet" in (seen.reason or "")
    assert "TTS_PROVIDER" in (seen.fix or "")


def test_a_name_server_that_does_not_answer_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, asked = Event(), Event()

    def look_up(*arguments: object) -> list[object]:
        asked.set()
        answered.wait()
        return []

    engine = make_engine(tmp_path)
    engine.look_timeout_s = 0.1
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        assert engine.availability().state is EngineState.UNAVAILABLE
        assert asked.is_set()
    finally:
        answered.set()


def test_the_languages_are_those_of_the_library() -> None:
    from gtts.lang import tts_langs

    known = {code for code in tts_langs() if len(code) == 2} - {"iw", "jw"} | {"he", "jv"}
    assert GttsEngine.capabilities.languages == known
