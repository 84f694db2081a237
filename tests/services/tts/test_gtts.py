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
from app.services.tts.gtts import TAGS, GttsEngine
from tests.services.tts.google_stand_in import closed_port, google
from tests.settings import make_settings

SENTENCE = "Then we start all over again, and that takes the whole evening. "


def make_engine(folder: Path, timeout_s: float = 30) -> GttsEngine:
    return GttsEngine(make_settings(folder, tts_timeout_s=timeout_s))


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


@pytest.mark.parametrize(("status", "says"), [(429, "429"), (403, "403"), (500, "500")])
def test_refusals_are_reported(
    status: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with google(monkeypatch) as server:
        server.status = status
        with pytest.raises(StageFailed, match=says) as failure:
            make_engine(tmp_path).synthesize("hello", "en", tmp_path)
    assert failure.value.code == "tts_failed"
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
