"""eSpeak NG through pyttsx3: real speech, and processes that hang, crash or lie."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from app.core.exceptions import InsufficientStorage, StageFailed
from app.services.tts.pyttsx3 import PROCESS, VOICES, Pyttsx3Engine
from tests.services.tts.processes import has_ended
from tests.settings import make_settings

SENTENCE = "Hello there, my friend. "
SECRET = "the codeword is marmalade"
LAST = "for target; do :; done; "
"""Shell: the last argument is the file that the process has to write."""


def make_engine(folder: Path, timeout_s: float = 60, script: str | None = None) -> Pyttsx3Engine:
    """An engine; with ``script``, one whose process is that shell script."""
    engine = Pyttsx3Engine(make_settings(folder, tts_timeout_s=timeout_s))
    if script is not None:
        engine.command = ("sh", "-c", LAST + script, "sh")
    return engine


def read(path: Path) -> tuple[np.ndarray, int]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2"), file.getframerate()


def length_s(path: Path) -> float:
    samples, rate = read(path)
    return samples.size / rate


def test_it_speaks(tmp_path: Path) -> None:
    spoken = make_engine(tmp_path).synthesize("Tuesday at ten works well for us.", "en", tmp_path)
    samples, rate = read(spoken)
    assert rate == 22_050
    assert 1.0 < samples.size / rate < 5.0
    assert 1_000 < np.abs(samples).max() < 32_767
    assert list(tmp_path.iterdir()) == [spoken]


def test_a_long_text_is_spoken_whole(tmp_path: Path) -> None:
    engine = make_engine(tmp_path)
    short, long = (length_s(engine.synthesize(SENTENCE * count, "en", tmp_path)) for count in (8, 200))
    assert long == pytest.approx(short * 25, rel=0.05)


def test_one_engine_speaks_many_times_and_at_once(tmp_path: Path) -> None:
    engine = make_engine(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        files = list(pool.map(lambda count: engine.synthesize("one " * count, "en", tmp_path), range(1, 7)))
    lengths = [length_s(path) for path in files]
    assert lengths == sorted(lengths)
    assert len(set(files)) == 6


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("es", "Buenos días, ¿cómo está usted?"),
        ("fr", "Ça ne marche pas très bien."),
        ("de", "Überraschung für die Größe"),
        ("pt", "Não, obrigado."),
        ("hi", "नमस्ते, आप कैसे हैं?"),
        ("no", "God morgen"),
        ("zh", "你好"),
        ("ja", "こんにちは"),
        ("ar", "صباح الخير"),
    ],
)
def test_it_speaks_other_languages(language: str, text: str, tmp_path: Path) -> None:
    samples, rate = read(make_engine(tmp_path).synthesize(text, language, tmp_path))
    assert samples.size / rate > 0.4
    assert np.abs(samples).max() > 1_000


def test_the_languages_are_those_of_the_library() -> None:
    import espeakng_loader

    carried = {
        line.split()[1]
        for path in Path(espeakng_loader.get_data_path(), "lang").rglob("*")
        if path.is_file()
        for line in path.read_text(errors="replace").splitlines()
        if line.startswith("language ")
    }
    languages = Pyttsx3Engine.capabilities.languages or frozenset()
    assert {VOICES.get(language, language).split("-")[0] for language in languages} <= carried
    without_dictionary, no_iso_code = {"fo"}, {"py"}
    assert {code for code in carried if len(code) == 2} - languages == without_dictionary | no_iso_code


@pytest.mark.parametrize(
    "text",
    [
        "-f /etc/hostname",
        "<speak><break time='5000s'/>hello</speak>",
        "[[h@l'oU]]",
        "a\0b c d e f",
        "…",
        "🙂",
    ],
)
def test_odd_texts_are_only_texts(text: str, tmp_path: Path) -> None:
    spoken = make_engine(tmp_path).synthesize(text, "en", tmp_path)
    assert 0.1 < length_s(spoken) < 20


def test_a_zero_byte_does_not_end_the_text(tmp_path: Path) -> None:
    engine = make_engine(tmp_path)
    whole = engine.synthesize("one\0two three four five", "en", tmp_path)
    assert length_s(whole) > 1.5 * length_s(engine.synthesize("one", "en", tmp_path))


def test_the_text_is_no_argument_of_the_process(tmp_path: Path) -> None:
    engine = make_engine(tmp_path, script=f'printf "%s " "$@" > {tmp_path}/arguments; cat > {tmp_path}/text')
    with pytest.raises(StageFailed, match="no sound"):
        engine.synthesize(SECRET, "en", tmp_path)
    assert (tmp_path / "text").read_text() == SECRET
    assert "marmalade" not in (tmp_path / "arguments").read_text()


def test_a_process_that_hangs_is_ended_with_all_its_children(tmp_path: Path) -> None:
    script = f'sleep 600 & echo $! > {tmp_path}/child; : > "$target"; wait'
    engine = make_engine(tmp_path, timeout_s=2, script=script)
    with pytest.raises(StageFailed, match="longer than 2 s") as failure:
        engine.synthesize("hello", "en", tmp_path)
    assert failure.value.code == "tts_failed"
    assert has_ended(int((tmp_path / "child").read_text()))
    assert [path.name for path in tmp_path.iterdir()] == ["child"]


def test_the_timeout_holds_for_the_real_process(tmp_path: Path) -> None:
    with pytest.raises(StageFailed, match="longer than"):
        make_engine(tmp_path, timeout_s=0.01).synthesize(SENTENCE * 200, "en", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_crash_is_reported_without_the_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = make_engine(tmp_path, script='echo half > "$target"; echo bad voice >&2; kill -SEGV $$')
    with caplog.at_level(logging.INFO), pytest.raises(StageFailed, match="code -11"):
        engine.synthesize(SECRET, "en", tmp_path)
    record = next(record for record in caplog.records if record.message == "tts.process_failed")
    assert record.said == "bad voice"
    assert "marmalade" not in str([vars(each) for each in caplog.records])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    script = 'echo half > "$target"; echo "RuntimeError: [Errno 28] No space left" >&2; exit 1'
    with pytest.raises(InsufficientStorage):
        make_engine(tmp_path, script=script).synthesize("hello", "en", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_the_process_says_when_the_disk_is_full() -> None:
    ended = run_process("en-us", "165", "30", "/dev/full", input=b"hello")
    assert ended.returncode == 1
    assert b"[Errno 28]" in ended.stderr.splitlines()[-1]


def test_a_file_that_is_cut_off_is_not_taken(tmp_path: Path) -> None:
    whole = make_engine(tmp_path).synthesize("hello", "en", tmp_path)
    cut = tmp_path / "cut"
    cut.write_bytes(whole.read_bytes()[:-1000])
    with pytest.raises(StageFailed, match="no sound"):
        make_engine(tmp_path, script=f'cp {cut} "$target"').synthesize("hello", "en", tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([whole, cut])


def run_process(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-P", str(PROCESS), *arguments]
    return subprocess.run(command, capture_output=True, check=False, **options)  # type: ignore[call-overload]


def test_the_process_says_when_there_is_no_such_voice(tmp_path: Path) -> None:
    ended = run_process("xx-none", "165", "30", str(tmp_path / "a.wav"), input=b"hello")
    assert ended.returncode == 1
    assert b"voice" in ended.stderr


def test_the_process_ends_by_itself_when_nobody_is_left_to_end_it(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    try:
        ended = run_process("en-us", "165", "1", str(tmp_path / "a.wav"), stdin=reader)
    finally:
        os.close(reader)
        os.close(writer)
    assert ended.returncode == -signal.SIGALRM


def test_the_library_works_from_a_folder_with_a_long_name(tmp_path: Path) -> None:
    import espeakng_loader

    deep = tmp_path.joinpath(*["d" * 60] * 4)
    deep.mkdir(parents=True)
    (deep / "espeakng_loader").symlink_to(Path(espeakng_loader.__file__).parent)
    target = tmp_path / "a.wav"
    environment = {**os.environ, "PYTHONPATH": str(deep)}
    ended = run_process("en-us", "165", "30", str(target), input=b"hello", env=environment)
    assert ended.returncode == 0, ended.stderr
    assert length_s(target) > 0.3
