"""Twenty lines are spoken and one voice hangs: its process is ended, the reel is made, the line is named.

The voice is a process like the real ones, but says every line as the same short tone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.db.migrate import prepare
from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.reel import MomentFilter, ReelSource, ReelWish
from app.services.bootstrap import Services, build_services
from app.services.engine_chain import EngineChain
from app.services.tts.pyttsx3 import Pyttsx3Engine
from tests.analyses import analysis_of, moment_in, spoken
from tests.services.reel.calls import store_call
from tests.settings import make_settings

GOOD = 20
HANGS_AT = 7
TIMEOUT_S = 6
"""For good lines on a busy machine; the one that hangs takes all of it."""

VOICE = """
import math, os, struct, sys, time, wave
from pathlib import Path
folder = Path(sys.argv[1])
text = sys.stdin.read()
with (folder / "texts").open("a") as file:
    file.write(text + "\\n")
if "the one that hangs" in text and (folder / "hangs").exists():
    (folder / "pid").write_text(str(os.getpid()))
    time.sleep(1000)
with wave.open(sys.argv[-1], "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(22050)
    file.writeframes(b"".join(struct.pack("<h", round(9000 * math.sin(at / 9))) for at in range(11025)))
"""


def calls_of_lines() -> Analysis:
    parts = []
    for number in range(GOOD + 1):
        words = "this is the one that hangs" if number == HANGS_AT else f"this is the line of number {number}"
        segment = spoken(words, 4.0 * number, number)
        moment = moment_in(segment, "this is", "objection")
        parts.append(AnalysedSegment(segment, None, (replace(moment, tip="Ask."),), True, "objection"))
    return analysis_of(*parts)


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    (tmp_path / "voice.py").write_text(VOICE)
    settings = make_settings(tmp_path, tts_timeout_s=TIMEOUT_S)
    voice = Pyttsx3Engine(settings)
    voice.command = (sys.executable, str(tmp_path / "voice.py"), str(tmp_path))
    services = build_services(settings, tts_chain=EngineChain("tts", [voice], interval_s=3600))
    prepare(services.database)
    store_call(services, "CALL-1", b"RIFF", calls_of_lines())
    yield services
    services.database.dispose()


def texts(folder: Path) -> list[str]:
    return (folder / "texts").read_text().splitlines()


def test_one_voice_that_hangs_costs_one_line(services: Services, tmp_path: Path) -> None:
    (tmp_path / "hangs").touch()
    before = services.calls.read("CALL-1")

    reel = services.reels.replay("CALL-1", MomentFilter(), ReelWish(ReelSource.TTS))

    assert len(reel.cues) == GOOD + 1
    assert [number for number, cue in enumerate(reel.cues) if cue.unspoken] == [HANGS_AT]
    assert reel.cues[HANGS_AT].unspoken == ("moment",)
    assert reel.engine == "pyttsx3:espeak-ng"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
    assert services.calls.read("CALL-1") == before
    assert len(texts(tmp_path)) == len(set(texts(tmp_path))) == GOOD + 1

    (tmp_path / "hangs").unlink()
    whole = services.reels.replay("CALL-1", MomentFilter(), ReelWish(ReelSource.TTS))

    assert whole.unspoken == 0
    # What was spoken before was kept: only the missing line is spoken, and then nothing.
    assert len(texts(tmp_path)) == GOOD + 2
    assert services.reels.replay("CALL-1", MomentFilter(), ReelWish(ReelSource.TTS)) == whole
    assert len(texts(tmp_path)) == GOOD + 2
