"""The speech facade: which engine answers, what happens when it fails, which file comes out, what is kept."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import pytest

from app.core.exceptions import EngineUnavailable, StageFailed, UnsupportedLanguage, ValidationFailed
from app.schemas.engine import Availability, Capabilities, EngineState
from app.services.audio_service import AudioService
from app.services.engine_chain import EngineChain
from app.services.tts.base import TtsEngine
from app.services.tts.cache import SpeechCache
from app.services.tts.pyttsx3 import Pyttsx3Engine
from app.services.tts_service import Media, TtsService, spoken_text
from tests.services.tts.processes import has_ended, take_offline
from tests.settings import make_settings


class Voice:
    """An engine that writes down what it was told to say, or fails as it is told."""

    def __init__(
        self,
        name: str,
        *,
        fails: Exception | None = None,
        seen: Availability | None = None,
        suffix: str = "wav",
        sends_data_out: bool = False,
        languages: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self.capabilities = Capabilities(sends_data_out=sends_data_out, languages=languages)
        self.timbre = "low"
        self.asked: list[tuple[str, str]] = []
        self._fails = fails
        self._seen = seen or Availability.ready()
        self._suffix = suffix
        self._lock = Lock()

    @property
    def label(self) -> str:
        return f"{self.name}:test"

    def availability(self) -> Availability:
        return self._seen

    def fetch(self) -> None: ...

    def load(self) -> None: ...

    def voice(self, language: str) -> str:
        return self.timbre

    def synthesize(self, text: str, language: str, folder: Path) -> Path:
        with self._lock:
            self.asked.append((text, language))
            path = folder / f"{self.name}-{len(self.asked)}.{self._suffix}"
        if self._fails is not None:
            raise self._fails
        path.write_text(f"{self.name} says {text}")
        return path


def copy(source: Path, target: Path, media: Media) -> None:
    target.write_text(f"{media} of {source.read_text()}")


def make_service(
    folder: Path, *voices: TtsEngine, convert: object = copy, cache: SpeechCache | None = None
) -> TtsService:
    chain = EngineChain("tts", voices, interval_s=3600)
    return TtsService(make_settings(folder), chain, convert=convert, cache=cache)  # type: ignore[arg-type]


def make_cache(folder: Path) -> SpeechCache:
    return SpeechCache(folder / "cache", limit_bytes=10**8, kept_s=3600, wait_s=60)


def broken(name: str, **options: object) -> Voice:
    return Voice(name, fails=StageFailed("tts", f"{name} is out of breath"), **options)  # type: ignore[arg-type]


def test_the_first_usable_engine_speaks(tmp_path: Path) -> None:
    away = Voice("away", seen=Availability.unavailable("needs the internet"))
    first, second = Voice("first"), Voice("second")
    spoken = make_service(tmp_path, away, first, second).speak("Hello.", "en", "wav", tmp_path, external=True)
    assert (spoken.engine_label, spoken.media) == ("first:test", "wav")
    assert spoken.path.read_text() == "first says Hello."
    assert first.asked == [("Hello.", "en")]
    assert away.asked == second.asked == []


@pytest.mark.parametrize(("suffix", "media"), [("wav", "mp3"), ("mp3", "wav")])
def test_another_medium_is_converted_and_its_source_removed(
    suffix: str, media: Media, tmp_path: Path
) -> None:
    spoken = make_service(tmp_path, Voice("one", suffix=suffix)).speak(
        "Hi", "en", media, tmp_path, external=True
    )
    assert spoken.path.suffix == f".{media}"
    assert spoken.path.read_text() == f"{media} of one says Hi"
    assert list(tmp_path.iterdir()) == [spoken.path]


@pytest.mark.parametrize("error", [StageFailed("tts", "429"), RuntimeError("a bug"), OSError("a disk")])
def test_the_next_engine_answers_for_one_that_fails(
    error: Exception, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    service = make_service(tmp_path, Voice("first", fails=error), Voice("second"))
    with caplog.at_level(logging.WARNING):
        spoken = service.speak("Hello.", "en", "wav", tmp_path, external=True)
    assert spoken.engine_label == "second:test"
    record = next(record for record in caplog.records if record.message == "tts.engine_failed")
    assert (record.engine, record.next) == ("first", "second")


def test_only_one_substitute_is_tried(tmp_path: Path) -> None:
    third = Voice("third")
    service = make_service(tmp_path, broken("first"), broken("second"), third)
    with pytest.raises(StageFailed, match="second is out of breath"):
        service.speak("Hello.", "en", "wav", tmp_path, external=True)
    assert third.asked == []


@pytest.mark.parametrize(
    "other",
    [
        Voice("away", seen=Availability.unavailable("not installed")),
        Voice("outside", sends_data_out=True),
        Voice("french", languages=frozenset({"fr"})),
    ],
    ids=lambda voice: voice.name,
)
def test_an_engine_that_may_not_answer_is_no_substitute(other: Voice, tmp_path: Path) -> None:
    service = make_service(tmp_path, broken("first"), other)
    with pytest.raises(StageFailed, match="first is out of breath"):
        service.speak("Hello.", "en", "wav", tmp_path, external=False)
    assert other.asked == []


def test_a_text_that_one_engine_cannot_speak_does_not_shut_it_out(tmp_path: Path) -> None:
    first = broken("first")
    service = make_service(tmp_path, first)
    for _ in range(2):
        with pytest.raises(StageFailed):
            service.speak("Hello.", "en", "wav", tmp_path, external=True)
    assert len(first.asked) == 2


def test_a_conversion_that_fails_is_tried_with_the_other_engine(tmp_path: Path) -> None:
    def convert(source: Path, target: Path, media: Media) -> None:
        if source.name.startswith("first"):
            raise StageFailed("audio", "the speech could not be encoded")
        copy(source, target, media)

    service = make_service(tmp_path, Voice("first"), Voice("second"), convert=convert)
    spoken = service.speak("Hello.", "en", "mp3", tmp_path, external=True)
    assert spoken.engine_label == "second:test"
    assert list(tmp_path.iterdir()) == [spoken.path]


def test_words_of_a_call_stay_on_this_machine(tmp_path: Path) -> None:
    outside, local = Voice("outside", sends_data_out=True), Voice("local")
    service = make_service(tmp_path, outside, local)
    assert service.speak("Hi", "en", "wav", tmp_path, external=False).engine_label == "local:test"
    assert service.speak("Hi", "en", "wav", tmp_path, external=True).engine_label == "outside:test"
    assert len(outside.asked) == 1


def test_without_an_engine_it_is_unavailable(tmp_path: Path) -> None:
    service = make_service(tmp_path, Voice("outside", sends_data_out=True))
    with pytest.raises(EngineUnavailable) as failure:
        service.speak("Hi", "en", "wav", tmp_path, external=False)
    assert failure.value.code == "tts_unavailable"


def test_a_language_that_no_engine_speaks_is_refused(tmp_path: Path) -> None:
    service = make_service(tmp_path, Voice("french", languages=frozenset({"fr"})))
    with pytest.raises(UnsupportedLanguage):
        service.speak("Hi", "en", "wav", tmp_path, external=True)


@pytest.mark.parametrize("text", ["", " \n\t ", "\0\x07\x1b", "\ud800"])
def test_a_text_without_anything_to_say_is_refused(text: str, tmp_path: Path) -> None:
    voice = Voice("one")
    with pytest.raises(ValidationFailed) as failure:
        make_service(tmp_path, voice).speak(text, "en", "wav", tmp_path, external=True)
    assert failure.value.errors[0]["field"] == "text"
    assert voice.asked == []


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Hello, world.", "Hello, world."),
        ("one\0two\x1b[31m three\x7f", "one two [31m three"),
        ("  tabs\tand \r\n\r\n lines \u2028", "tabs and\nlines"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("half \ud83d a pair", "half a pair"),
        ("नमस्ते 👩‍💻 你好", "नमस्ते 👩‍💻 你好"),
    ],
)
def test_what_is_spoken_of_a_text(text: str, spoken: str) -> None:
    assert spoken_text(text) == spoken


def test_its_engines_never_seem_to_be_loading(tmp_path: Path) -> None:
    chain = EngineChain("tts", [Voice("first"), Voice("second")], interval_s=3600)
    TtsService(make_settings(tmp_path), chain, convert=copy)
    chain.look()
    assert {view.state for view in chain.views()} == {EngineState.READY}


def test_the_same_text_is_spoken_once_whatever_the_medium(tmp_path: Path) -> None:
    voice = Voice("one")
    service = make_service(tmp_path, voice, cache=make_cache(tmp_path))
    out = tmp_path / "out"
    out.mkdir()
    files = [
        service.speak(text, "en", media, out, external=True, scope="a").path.read_text()
        for text, media in (("Hi", "wav"), (" Hi\n", "wav"), ("Hi", "mp3"))
    ]
    assert files == ["one says Hi", "one says Hi", "mp3 of one says Hi"]
    assert voice.asked == [("Hi", "en")]
    assert len(list(out.iterdir())) == 3


def test_another_voice_language_or_scope_is_spoken_anew(tmp_path: Path) -> None:
    voice = Voice("one")
    service = make_service(tmp_path, voice, cache=make_cache(tmp_path))

    def speak(language: str, scope: str) -> None:
        service.speak("Hi", language, "wav", tmp_path, external=True, scope=scope)

    for language, scope in (("en", "a"), ("de", "a"), ("en", "b")):
        speak(language, scope)
    voice.timbre = "high"
    speak("en", "a")
    assert len(voice.asked) == 4


def test_without_a_scope_nothing_is_kept(tmp_path: Path) -> None:
    voice, cache = Voice("one"), make_cache(tmp_path)
    service = make_service(tmp_path, voice, cache=cache)
    for _ in range(2):
        service.speak("Hi", "en", "wav", tmp_path, external=True)
    assert len(voice.asked) == 2
    assert not cache.root.exists()


def test_a_substitute_answers_without_lending_its_voice_to_the_first(tmp_path: Path) -> None:
    first, second = broken("first"), Voice("second")
    service = make_service(tmp_path, first, second, cache=make_cache(tmp_path))
    labels = [
        service.speak("Hi", "en", "wav", tmp_path, external=True, scope="a").engine_label for _ in range(2)
    ]
    assert labels == ["second:test"] * 2
    assert (len(first.asked), len(second.asked)) == (2, 1)


def test_words_spoken_outside_do_not_answer_for_a_local_voice(tmp_path: Path) -> None:
    outside, local = Voice("outside", sends_data_out=True), Voice("local")
    service = make_service(tmp_path, outside, local, cache=make_cache(tmp_path))
    labels = [
        service.speak("Hi", "en", "wav", tmp_path, external=external, scope="a").engine_label
        for external in (True, False)
    ]
    assert labels == ["outside:test", "local:test"]


def test_a_forgotten_scope_is_spoken_anew(tmp_path: Path) -> None:
    voice = Voice("one")
    service = make_service(tmp_path, voice, cache=make_cache(tmp_path))
    for _ in range(2):
        service.speak("Hi", "en", "wav", tmp_path, external=True, scope="a")
        service.forget("a")
    assert len(voice.asked) == 2
    assert service.sweep() == 0


def test_twenty_texts_are_spoken_beside_one_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With real voices, without a network."""
    take_offline(tmp_path, monkeypatch)
    pids = tmp_path / "pids"
    engine = Pyttsx3Engine(make_settings(tmp_path, tts_timeout_s=10))
    script = f"""
        text=$(cat); echo spoken >> {tmp_path}/log
        case "$text" in *hang*) echo $$ > {pids}; sleep 600 & echo $! >> {pids}; wait;; esac
        printf %s "$text" | "$@"
    """
    engine.command = ("sh", "-c", script, "sh", *engine.command)
    service = make_service(tmp_path, engine, cache=make_cache(tmp_path))
    out = tmp_path / "out"
    out.mkdir()

    def speak(text: str) -> Path:
        return service.speak(text, "en", "wav", out, external=False, scope="a").path

    with ThreadPoolExecutor(3) as pool:
        hung = pool.submit(speak, "hang")
        spoken = list(pool.map(speak, [f"number {number}" for number in range(20)]))
        with pytest.raises(StageFailed, match="longer than 10 s"):
            hung.result()
    assert all(path.stat().st_size > 10_000 for path in spoken)
    assert sorted(out.iterdir()) == sorted(spoken)
    assert all(has_ended(int(pid)) for pid in pids.read_text().split())
    for number in range(20):
        speak(f"number {number}")
    assert (tmp_path / "log").read_text().count("spoken") == 21


@pytest.mark.parametrize("media", ["mp3", "wav"])
def test_a_real_voice_in_a_real_file(media: Media, tmp_path: Path) -> None:
    settings = make_settings(tmp_path)
    audio = AudioService(settings)
    service = TtsService(settings, convert=audio.encode)
    spoken = service.speak("Tuesday at ten works well for us.", "en", media, tmp_path, external=False)
    assert spoken.engine_label == "pyttsx3:espeak-ng"
    assert 1.0 < audio.duration_s(spoken.path) < 5.0
    head = spoken.path.read_bytes()[:4]
    assert head == b"RIFF" if media == "wav" else head[:3] == b"ID3" or head[0] == 0xFF
    assert list(tmp_path.iterdir()) == [spoken.path]
