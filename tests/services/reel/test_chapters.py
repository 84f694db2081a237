"""Chapters as other programs read them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from app.schemas.reel import Cue
from app.services.audio.encoder import RATE
from app.services.reel.chapters import write_with_chapters
from tests.services.audio.recordings import convert, ffmpeg, sweep, write_wav
from tests.services.reel.id3 import read_tag


def cue(start_s: float, end_s: float, title: str) -> Cue:
    return Cue("C", "m_1", "objection", None, title, start_s, end_s, 0, 1, None, "customer", 0.5, "Ask.")


CUES = (
    cue(0.0, 1.2, "Objection: price (12:40)"),
    cue(1.9, 2.5, "CALL-2 · Größe \N{GRINNING FACE} (0:05)"),
    cue(3.2, 3.987, "Next step (1:02:40)"),
)


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return convert(
        write_wav(tmp_path / "a.wav", sweep(4, RATE), RATE), tmp_path / "a.mp3", "-id3v2_version", "0"
    )


def test_the_tag_lists_each_chapter_with_its_title(sound: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.mp3"
    write_with_chapters(sound, target, "Replay of CALL-1", CUES)

    tag = read_tag(target.read_bytes())

    assert tag.title == "Replay of CALL-1"
    assert tag.flags == 0b11
    assert tag.listed == tuple(chapter.name for chapter in tag.chapters)
    assert [chapter.title for chapter in tag.chapters] == [each.title for each in CUES]
    assert [(each.start_ms, each.end_ms) for each in tag.chapters] == [(0, 1900), (1900, 3200), (3200, 3987)]
    assert target.read_bytes()[tag.size :] == sound.read_bytes()


def test_ffmpeg_finds_them(sound: Path, tmp_path: Path) -> None:
    target = tmp_path / "b.mp3"
    write_with_chapters(sound, target, "Replay of CALL-1", CUES)

    said = subprocess.run(
        [ffmpeg().program, "-nostdin", "-hide_banner", "-i", target],
        capture_output=True,
        text=True,
        check=False,
    ).stderr

    times = re.findall(r"Chapter #0:\d+: start ([\d.]+), end ([\d.]+)", said)
    assert [(float(start), float(end)) for start, end in times] == [(0, 1.9), (1.9, 3.2), (3.2, 3.987)]
    titles = re.findall(r"title\s+: (.+)", said)
    assert titles == ["Replay of CALL-1", *(each.title for each in CUES)]


def test_a_list_that_is_too_long_is_refused(sound: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="255"):
        write_with_chapters(sound, tmp_path / "b.mp3", "", CUES[:1] * 256)
