"""The scripted engine: its sidecar, its times and its faults."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.core.exceptions import ConfigurationError
from app.schemas.engine import EngineState
from app.services.stt.scripted import CRASH_EXIT_CODE, ScriptedEngine
from tests.services.stt.makers import request_for, sidecar, silence
from tests.settings import make_settings

WORDS = [
    {"text": "Hello", "start": 0.2, "end": 0.6, "confidence": 0.9},
    {"text": "there.", "start": 0.7, "end": 0.9, "ends_segment": True},
    {"text": "Later.", "start": 2.5, "end": 2.9},
]


def make_engine(folder: Path, **content: object) -> ScriptedEngine:
    return ScriptedEngine(make_settings(folder, scripted_transcript=sidecar(folder, **content)))


def test_words_of_the_window_come_in_window_time(tmp_path: Path) -> None:
    engine = make_engine(tmp_path, language="de", words=WORDS)
    # One second of the recording, a second left out, then another one.
    heard = engine.transcribe(request_for(silence(1), silence(1)))
    assert heard.language == "de"
    assert [word.text for word in heard.words] == ["Hello", "there.", "Later."]
    assert [word.start_s for word in heard.words] == pytest.approx([0.2, 0.7, 1.5])
    assert [word.end_s for word in heard.words] == pytest.approx([0.6, 0.9, 1.9])
    assert [word.confidence for word in heard.words] == [0.9, None, None]
    assert [word.ends_segment for word in heard.words] == [False, True, False]


def test_words_outside_the_window_stay_out(tmp_path: Path) -> None:
    heard = make_engine(tmp_path, words=WORDS).transcribe(request_for(silence(1)))
    assert [word.text for word in heard.words] == ["Hello", "there."]


def test_a_bare_text_is_spread_over_the_window(tmp_path: Path) -> None:
    heard = make_engine(tmp_path, text="one two three four").transcribe(request_for(silence(1), silence(1)))
    assert [word.text for word in heard.words] == ["one", "two", "three", "four"]
    assert [word.start_s for word in heard.words] == pytest.approx([0, 0.5, 1, 1.5])
    assert heard.words[-1].end_s == pytest.approx(2.0)
    assert heard.language == "en"


def test_an_empty_sidecar_says_nothing(tmp_path: Path) -> None:
    assert make_engine(tmp_path).transcribe(request_for(silence(1))).words == ()


def test_the_sidecar_is_read_again_on_every_request(tmp_path: Path) -> None:
    engine = make_engine(tmp_path, text="before")
    engine.load()
    sidecar(tmp_path, text="after", language="fr")
    heard = engine.transcribe(request_for(silence(1)))
    assert (heard.words[0].text, heard.language) == ("after", "fr")


def test_the_language_asked_for_is_obeyed(tmp_path: Path) -> None:
    heard = make_engine(tmp_path, text="hola").transcribe(request_for(silence(1), language="es"))
    assert heard.language == "es"


def test_a_raise_happens_as_often_as_told(tmp_path: Path) -> None:
    engine = make_engine(tmp_path, text="ok", faults=[{"do": "raise", "message": "boom", "times": 2}])
    for _ in range(2):
        with pytest.raises(RuntimeError, match="boom"):
            engine.transcribe(request_for(silence(1)))
    assert engine.transcribe(request_for(silence(1))).words[0].text == "ok"


def test_without_times_a_fault_happens_always(tmp_path: Path) -> None:
    engine = make_engine(tmp_path, faults=[{"do": "raise"}])
    for _ in range(3):
        with pytest.raises(RuntimeError, match="scripted fault"):
            engine.transcribe(request_for(silence(1)))


def test_it_sleeps(tmp_path: Path) -> None:
    engine = make_engine(tmp_path, faults=[{"do": "sleep", "seconds": 0.2}])
    began = time.perf_counter()
    engine.transcribe(request_for(silence(1)))
    assert time.perf_counter() - began >= 0.2


def test_it_prints(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make_engine(tmp_path, faults=[{"do": "print", "message": "noise"}]).transcribe(request_for(silence(1)))
    assert capfd.readouterr().out == "noise\n"


def test_it_leaks_and_keeps(tmp_path: Path) -> None:
    engine = make_engine(tmp_path, faults=[{"do": "leak", "megabytes": 8}])
    for _ in range(3):
        engine.transcribe(request_for(silence(1)))
    assert sum(map(len, engine._leaked)) == 3 * 8 * 1024 * 1024


def test_it_crashes_its_process(tmp_path: Path) -> None:
    sidecar(tmp_path, faults=[{"do": "crash"}])
    code = (
        "import sys; from pathlib import Path; from tests.services.stt.test_scripted import *; "
        "folder = Path(sys.argv[1]); "
        "ScriptedEngine(make_settings(folder, scripted_transcript=folder / 'sidecar.json'))"
        ".transcribe(request_for(silence(1)))"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=root, check=False)
    assert done.returncode == CRASH_EXIT_CODE


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "Invalid JSON"),
        ('{"words": [{"text": "a", "start": "x", "end": 1}]}', "words.0.start"),
        ('{"wrods": []}', "wrods"),
        ('{"faults": [{"do": "explode"}]}', "faults.0.do"),
    ],
)
def test_a_broken_sidecar_is_named_with_its_reason(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "broken.json"
    path.write_text(content)
    engine = ScriptedEngine(make_settings(tmp_path, scripted_transcript=path))
    with pytest.raises(ConfigurationError, match=named) as caught:
        engine.load()
    assert "broken.json" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_the_file_may_come_later(tmp_path: Path) -> None:
    engine = ScriptedEngine(make_settings(tmp_path, scripted_transcript=tmp_path / "sidecar.json"))
    assert engine.availability().state is EngineState.UNAVAILABLE
    with pytest.raises(ConfigurationError, match="cannot be read"):
        engine.load()
    sidecar(tmp_path, text="here")
    assert engine.availability().state is EngineState.READY
    engine.load()


def test_without_a_setting_it_says_which(tmp_path: Path) -> None:
    engine = ScriptedEngine(make_settings(tmp_path))
    seen = engine.availability()
    assert seen.state is EngineState.UNAVAILABLE
    assert "SCRIPTED_TRANSCRIPT" in (seen.fix or "")
    with pytest.raises(ConfigurationError, match="SCRIPTED_TRANSCRIPT"):
        engine.load()
