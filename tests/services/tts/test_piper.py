"""Piper on a miniature voice that a script makes: the real library loads and drives it, in real processes."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import wave
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.core.exceptions import InsufficientStorage, StageFailed
from app.schemas.engine import EngineState
from app.services.tts.piper import PROCESS, PiperEngine
from scripts.make_mini_piper_voice import RATE, TONE_SAMPLES, write_voice
from tests.services.tts.processes import take_offline
from tests.settings import make_settings

SECRET = "the codeword is marmalade"


@pytest.fixture(scope="module")
def made_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_voice(tmp_path_factory.mktemp("voice"))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def make_engine(folder: Path, voice: Path | None, timeout_s: float = 60) -> PiperEngine:
    return PiperEngine(make_settings(folder, piper_voice=voice, tts_timeout_s=timeout_s))


def read(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def changed(voice: Path, **changes: Any) -> None:
    """Alter the voice's description; a value of None takes the field away."""
    described = voice.with_name(f"{voice.name}.json")
    config = {**json.loads(described.read_text()), **changes}
    described.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))


def test_it_speaks_every_phoneme(made_voice: Path, tmp_path: Path, out: Path) -> None:
    engine = make_engine(tmp_path, made_voice)
    spoken = engine.synthesize("Tuesday at ten.", "en", out)
    samples = read(spoken)
    assert samples.size % TONE_SAMPLES == 0
    # Begin, end, a pad after each phoneme: /tjuːzdeɪ æt tɛn./ or so.
    assert 25 <= samples.size / TONE_SAMPLES <= 60
    assert np.abs(samples).max() > 30_000
    assert list(out.iterdir()) == [spoken]


def test_more_text_is_more_sound_and_other_text_another(made_voice: Path, tmp_path: Path, out: Path) -> None:
    engine = make_engine(tmp_path, made_voice)
    one, two, six, ten = (
        read(engine.synthesize(text, "en", out)) for text in ("one.", "one, one.", "six.", "ten.")
    )
    assert 1.5 * one.size < two.size < 2.5 * one.size
    assert not np.array_equal(six[: ten.size], ten[: six.size])


def test_lines_are_spoken_apart(made_voice: Path, tmp_path: Path, out: Path) -> None:
    engine = make_engine(tmp_path, made_voice)
    one = read(engine.synthesize("one.", "en", out))
    lines = read(engine.synthesize("one.\n\none.", "en", out))
    pause = lines[one.size : lines.size - one.size]
    assert pause.size == 0.3 * RATE
    assert not pause.any()


def test_the_same_text_sounds_the_same_from_several_threads(
    made_voice: Path, tmp_path: Path, out: Path
) -> None:
    engine = make_engine(tmp_path, made_voice)
    with ThreadPoolExecutor(3) as pool:
        files = list(pool.map(lambda _: engine.synthesize("Hello.", "en", out), range(3)))
    assert len(set(files)) == 3
    assert len({path.read_bytes() for path in files}) == 1


def test_brackets_are_no_phonemes(made_voice: Path, tmp_path: Path, out: Path) -> None:
    engine = make_engine(tmp_path, made_voice)
    raw = read(engine.synthesize("[[ttttttttttttttttttttttttttttttttttttt]]", "en", out))
    plain = read(engine.synthesize("ttttttttttttttttttttttttttttttttttttt", "en", out))
    assert raw.size == pytest.approx(plain.size, rel=0.1)


@pytest.mark.parametrize(
    ("language", "family", "speaks"),
    [("de", "de", {"de"}), ("cmn", "zh", {"zh"}), ("nb", "no", {"nb", "no"}), ("pt-br", "pt", {"pt"})],
)
def test_the_language_is_that_of_the_voice(
    language: str, family: str, speaks: set[str], tmp_path: Path
) -> None:
    voice = write_voice(tmp_path / "voice")
    changed(voice, espeak={"voice": language}, language={"family": family})
    engine = make_engine(tmp_path, voice)
    assert engine.capabilities.languages == speaks
    changed(voice, language=None)  # as voices of the first years are
    assert make_engine(tmp_path, voice).capabilities.languages == speaks
    assert engine.availability().state is EngineState.READY


def test_another_language_is_refused(made_voice: Path, tmp_path: Path, out: Path) -> None:
    with pytest.raises(StageFailed, match="does not speak 'de'"):
        make_engine(tmp_path, made_voice).synthesize("Hallo.", "de", out)


def without_weights(voice: Path) -> None:
    voice.unlink()


def without_description(voice: Path) -> None:
    voice.with_name(f"{voice.name}.json").unlink()


def with_broken_description(voice: Path) -> None:
    voice.with_name(f"{voice.name}.json").write_text('{"espeak": [')


def with_list_for_description(voice: Path) -> None:
    voice.with_name(f"{voice.name}.json").write_text("[1, 2]")


def in_chinese_phonemes(voice: Path) -> None:
    changed(voice, phoneme_type="pinyin")


def in_no_language(voice: Path) -> None:
    changed(voice, language=None, espeak={"voice": "klingon"})


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (without_weights, r"en_US-mini-low\.onnx is missing"),
        (without_description, r"en_US-mini-low\.onnx\.json is missing"),
        (with_broken_description, "does not describe a Piper voice"),
        (with_list_for_description, "does not describe a Piper voice"),
        (in_chinese_phonemes, "'pinyin' phonemes"),
        (in_no_language, "does not tell the voice's language"),
    ],
)
def test_a_voice_that_cannot_be_used_says_so_at_once(
    spoil: Callable[[Path], None], says: str, tmp_path: Path, out: Path
) -> None:
    voice = write_voice(tmp_path / "voice")
    spoil(voice)
    engine = make_engine(tmp_path, voice)
    seen = engine.availability()
    assert seen.state is EngineState.UNAVAILABLE
    with pytest.raises(StageFailed, match=says) as failure:
        engine.synthesize("Hello.", "en", out)
    assert seen.reason is not None and seen.reason in failure.value.detail
    assert "PIPER_VOICE" in (seen.fix or "")
    assert str(tmp_path) not in failure.value.detail + seen.reason
    assert list(out.iterdir()) == []


def test_without_a_voice_it_says_how_to_get_one(tmp_path: Path) -> None:
    engine = make_engine(tmp_path, None)
    seen = engine.availability()
    assert (seen.state, seen.reason) == (EngineState.UNAVAILABLE, "PIPER_VOICE names no voice")
    assert "piper.download_voices" in (seen.fix or "")
    assert not engine.capabilities.speaks("en")


def test_a_voice_that_arrives_later_is_found(tmp_path: Path) -> None:
    engine = make_engine(tmp_path, tmp_path / "voice" / "en_US-mini-low.onnx")
    assert engine.availability().state is EngineState.UNAVAILABLE
    write_voice(tmp_path / "voice")
    assert engine.availability().state is EngineState.READY
    assert engine.capabilities.speaks("en")


def test_another_file_is_another_voice(tmp_path: Path) -> None:
    voice = write_voice(tmp_path / "voice")
    engine = make_engine(tmp_path, voice)
    before = engine.voice("en")
    assert engine.voice("en") == before
    os.utime(voice, (0, 0))
    assert engine.voice("en") != before
    assert engine.label == "piper:en_US-mini-low"


def test_a_file_that_is_no_network_is_a_failure(
    tmp_path: Path, out: Path, caplog: pytest.LogCaptureFixture
) -> None:
    voice = write_voice(tmp_path / "voice")
    voice.write_bytes(b"no network")
    with caplog.at_level(logging.INFO), pytest.raises(StageFailed, match="code 1"):
        make_engine(tmp_path, voice).synthesize(SECRET, "en", out)
    assert "marmalade" not in str([vars(record) for record in caplog.records])
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("text", ["…", "\n \n"])
def test_a_text_without_sounds_is_a_failure(text: str, made_voice: Path, tmp_path: Path, out: Path) -> None:
    with pytest.raises(StageFailed, match="no sound"):
        make_engine(tmp_path, made_voice).synthesize(text, "en", out)
    assert list(out.iterdir()) == []


def test_the_timeout_holds_for_the_real_process(made_voice: Path, tmp_path: Path, out: Path) -> None:
    with pytest.raises(StageFailed, match="longer than"):
        make_engine(tmp_path, made_voice, timeout_s=0.01).synthesize("Hello.", "en", out)
    assert list(out.iterdir()) == []


def test_it_works_offline(
    made_voice: Path, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_offline(tmp_path, monkeypatch)
    assert read(make_engine(tmp_path, made_voice).synthesize("Hello.", "en", out)).any()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_named(made_voice: Path, tmp_path: Path, out: Path) -> None:
    engine = make_engine(tmp_path, made_voice)
    script = 'for target; do :; done; ln -s /dev/full "$target"; exec "$@"'
    engine.command = ("sh", "-c", script, "sh", *engine.command)
    with pytest.raises(InsufficientStorage):
        engine.synthesize("Hello.", "en", out)
    assert list(out.iterdir()) == []


def test_the_process_says_nothing_of_the_text(made_voice: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-P", str(PROCESS), str(made_voice), "30", str(tmp_path / "a.wav")]
    done = subprocess.run(command, input="你好 ☎ ẞ hello".encode(), capture_output=True, check=True)
    assert done.stdout + done.stderr == b""
