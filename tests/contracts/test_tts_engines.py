"""What every text-to-speech engine promises, asked of each that the registry knows.

gTTS speaks to a local server here: its sound is not heard, but its files and failures are the real ones.
"""

from __future__ import annotations

import atexit
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from app.core.exceptions import StageFailed
from app.schemas.engine import EngineState
from app.services.tts.base import TtsEngine
from app.services.tts.registry import TTS_ENGINES
from scripts.make_mini_piper_voice import write_voice
from tests.services.tts.google_stand_in import google
from tests.settings import make_settings

NAMES = pytest.mark.parametrize("name", TTS_ENGINES.names())
LIBRARIES = {"gtts": "gtts", "piper": "piper", "pyttsx3": "pyttsx3"}
SENDS_DATA_OUT = {"gtts": True, "piper": False, "pyttsx3": False}
ONE_LANGUAGE = frozenset({"piper"})
"""Engines that speak the language of the voice they were given."""
TEXTS = ["Hello.", "Überraschung — 9,99 € für 你好", "-v /etc/hostname", "one, two.\nthree!", "a" * 400]


@pytest.fixture(autouse=True)
def _far_end(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with google(monkeypatch):
        yield


def make_engine(name: str, folder: Path) -> TtsEngine:
    return TTS_ENGINES.create(name, make_settings(folder, piper_voice=mini_voice()))


@cache
def mini_voice() -> Path:
    folder = TemporaryDirectory(prefix="darwix-voice-")
    atexit.register(folder.cleanup)
    return write_voice(Path(folder.name))


def test_every_engine_is_covered() -> None:
    assert set(LIBRARIES) == set(SENDS_DATA_OUT) == set(TTS_ENGINES.names())


@NAMES
def test_what_the_engine_says_of_itself(name: str, tmp_path: Path) -> None:
    engine = make_engine(name, tmp_path)
    assert engine.name == name
    assert engine.label.partition(":")[0] == name
    assert engine.capabilities.sends_data_out is SENDS_DATA_OUT[name]
    languages = engine.capabilities.languages or frozenset()
    assert ({"en"} if name in ONE_LANGUAGE else {"en", "es", "fr", "de", "hi", "pt"}) <= languages
    assert all(len(code) == 2 and code.isalpha() and code.islower() for code in languages)


@NAMES
def test_it_names_the_voice_of_a_language(name: str, tmp_path: Path) -> None:
    voices = [make_engine(name, tmp_path).voice(language) for language in ("en", "en", "de")]
    assert all(voices)
    assert voices[0] == voices[1]
    assert (voices[1] == voices[2]) is (name in ONE_LANGUAGE)


@NAMES
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_it_writes_one_sound_file_into_the_folder(name: str, text: str, tmp_path: Path) -> None:
    spoken = make_engine(name, tmp_path).synthesize(text, "en", tmp_path)
    assert list(tmp_path.iterdir()) == [spoken]
    assert spoken.suffix in (".wav", ".mp3")
    assert spoken.stat().st_size > 0


@NAMES
def test_several_threads_speak_at_once(name: str, tmp_path: Path) -> None:
    engine = make_engine(name, tmp_path)
    with ThreadPoolExecutor(4) as pool:
        files = list(pool.map(lambda _: engine.synthesize("Hello.", "en", tmp_path), range(6)))
    assert len(set(files)) == 6
    assert len({path.read_bytes() for path in files}) == 1


@NAMES
def test_a_relative_folder_will_do(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sounds").mkdir()
    assert make_engine(name, tmp_path).synthesize("Hello.", "en", Path("sounds")).exists()


@NAMES
def test_a_language_it_does_not_speak_is_a_failure(name: str, tmp_path: Path) -> None:
    with pytest.raises(StageFailed) as failure:
        make_engine(name, tmp_path).synthesize("Hello.", "xx", tmp_path)
    assert failure.value.code == "tts_failed"
    assert list(tmp_path.iterdir()) == []


@NAMES
def test_a_folder_that_is_gone_is_a_failure(name: str, tmp_path: Path) -> None:
    with pytest.raises(StageFailed) as failure:
        make_engine(name, tmp_path).synthesize("Hello.", "en", tmp_path / "gone")
    assert str(tmp_path) not in failure.value.detail


@NAMES
def test_fetch_and_load_need_nothing_and_may_be_called_again(name: str, tmp_path: Path) -> None:
    engine = make_engine(name, tmp_path)
    for _ in range(2):
        engine.fetch()
        engine.load()
    assert list(tmp_path.iterdir()) == []


@NAMES
def test_a_missing_library_says_what_to_install(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "app.core.registry.find_spec",
        lambda module: None if module == LIBRARIES[name] else find_spec(module),
    )
    seen = make_engine(name, tmp_path).availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert seen.fix == f'pip install "darwix-ai[{name}]"'


@NAMES
def test_only_an_engine_that_sends_data_out_opens_connections(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []

    def refuse(_socket: socket.socket, address: object) -> None:
        opened.append(address)
        raise OSError("closed in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_arguments: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))],
    )
    seen = make_engine(name, tmp_path).availability()
    assert bool(opened) is SENDS_DATA_OUT[name]
    assert seen.state is (EngineState.UNAVAILABLE if SENDS_DATA_OUT[name] else EngineState.READY)
