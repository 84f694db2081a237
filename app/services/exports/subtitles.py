"""Subtitles of a call, with the names of the speakers: SubRip (.srt) and WebVTT (.vtt)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.schemas.analysis import Analysis
from app.schemas.transcript import Segment, Word
from app.services.exports.labels import one_line, speaker_labels

LINE_WIDTH = 42
MAX_LINES = 2
MAX_CUE_MS = 7_000
_LONGEST_PAUSE_MS = 1_500
_LONGEST_NAME = 32

_SRT_SAFE = str.maketrans({"<": "‹", ">": "›", "{": "(", "}": ")"})
"""SubRip knows no escape; players read tags in <> and commands in {}, and "-->" ends a time."""
_VTT_SAFE = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


@dataclass(frozen=True)
class Cue:
    """What is shown from ``start_ms`` until before ``end_ms``; ``start_ms < end_ms``."""

    speaker: str
    start_ms: int
    end_ms: int
    lines: tuple[str, ...]


def to_srt(analysis: Analysis) -> str:
    """SubRip: each cue begins with the speaker's name and a colon. "<", ">", "{" and "}" are replaced."""
    blocks = []
    for number, cue in enumerate(cues_of(analysis, named=True), start=1):
        shown = "\n".join(cue.lines).translate(_SRT_SAFE)
        times = f"{_clock(cue.start_ms, ',')} --> {_clock(cue.end_ms, ',')}"
        blocks.append(f"{number}\n{times}\n{shown}\n")
    return "\n".join(blocks)


def to_vtt(analysis: Analysis) -> str:
    """WebVTT: each cue in a voice span of its speaker, ``<v Name>``; &, < and > as entities."""
    blocks = ["WEBVTT\n"]
    for cue in cues_of(analysis, named=False):
        shown = "\n".join(cue.lines).translate(_VTT_SAFE)
        times = f"{_clock(cue.start_ms, '.')} --> {_clock(cue.end_ms, '.')}"
        blocks.append(f"{times}\n<v {cue.speaker.translate(_VTT_SAFE)}>{shown}</v>\n")
    return "\n".join(blocks)


def cues_of(analysis: Analysis, named: bool) -> list[Cue]:
    """Cues in order of their start; those of speakers who speak at once overlap.

    A cue has at most two lines of 42 characters, lasts 7 s at most and holds no pause of 1.5 s or more; only
    a word longer than a line is broken, over more lines if need be. ``named``: the first line begins with
    the speaker's name, cut to 32 characters.
    """
    labels = speaker_labels(analysis.speakers)
    cues = []
    for analysed in analysis.segments:
        segment = analysed.segment
        label = labels.get(segment.speaker, segment.speaker)
        prefix = f"{_short(label)}: " if named else ""
        cues += [_cue(label, words, prefix) for words in _parts(segment, prefix)]
    return sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))


def _parts(segment: Segment, prefix: str) -> Iterator[Sequence[Word]]:
    part: list[Word] = []
    for word in segment.words:
        if not one_line(word.text):
            continue
        if part and not _fits(part, word, prefix):
            yield part
            part = []
        part.append(word)
    if part:
        yield part


def _fits(part: Sequence[Word], word: Word, prefix: str) -> bool:
    return (
        _ms(word.start_s) - _ms(part[-1].end_s) < _LONGEST_PAUSE_MS
        and _ms(word.end_s) - _ms(part[0].start_s) <= MAX_CUE_MS
        and len(_lines([*part, word], prefix)) <= MAX_LINES
    )


def _cue(label: str, words: Sequence[Word], prefix: str) -> Cue:
    start = _ms(min(word.start_s for word in words))
    end = _ms(max(word.end_s for word in words))
    return Cue(label, start, min(max(end, start + 1), start + MAX_CUE_MS), tuple(_lines(words, prefix)))


def _lines(words: Iterable[Word], prefix: str) -> list[str]:
    """Words laid out in lines, the first of which begins with ``prefix``."""
    lines = [prefix]
    for word in words:
        text = one_line(word.text)
        blank = lines[-1] in ("", prefix)
        piece = f" {text}" if word.space_before and not blank else text
        if len(lines[-1] + piece) <= LINE_WIDTH:
            lines[-1] += piece
            continue
        if not blank:
            lines.append("")
        while text:
            room = LINE_WIDTH - len(lines[-1])
            lines[-1] += text[:room]
            text = text[room:]
            if text:
                lines.append("")
    return lines


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1].rstrip() + "…"


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))


def _clock(at_ms: int, mark: str) -> str:
    seconds, ms = divmod(at_ms, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{mark}{ms:03d}"
