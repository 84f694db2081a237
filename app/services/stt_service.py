"""Speech to text for the pipeline: runs an engine on a window and makes its words true to the recording."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, cast

from app.core.exceptions import AppError, StageFailed
from app.schemas.transcript import Transcript, Word
from app.services.stt.base import BatchingSttEngine, SttEngine, SttRequest
from app.services.stt.loops import without_loops, without_sound
from app.services.stt.registry import STT_ENGINES
from app.services.stt.word_times import interpolated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.core.config import Settings
    from app.services.audio.windows import SpeechWindow

log = logging.getLogger(__name__)

STAGE = "stt"


class SttService:
    """The engines of the chain by name, behind checks that none of them can be trusted to make itself.

    Not thread-safe: ``load`` and ``transcribe`` belong to one thread of the engine process.
    """

    def __init__(self, settings: Settings, engines: Mapping[str, SttEngine] | None = None) -> None:
        if engines is None:
            engines = {name: STT_ENGINES.create(name, settings) for name in settings.stt_provider}
        self.engines: Mapping[str, SttEngine] = dict(engines)

    def load(self, name: str) -> None:
        """Bring the engine's model into memory. Raises StageFailed."""
        engine = self.engines[name]
        with _translated(f"{engine.label} could not be loaded"):
            engine.load()

    def transcribe(self, name: str, requests: Sequence[SttRequest]) -> tuple[Transcript, ...]:
        """What is said in each window, in recording time.

        The words are in order, do not overlap, each has a text and lies in one piece of its window; loops,
        and words where there is no sound, are cut. ``language`` is None where there is no word. Raises
        StageFailed for whatever the engine raises, apart from errors of our own.
        """
        engine = self.engines[name]
        started = time.perf_counter()
        with _translated(f"{engine.label} failed on this recording"):
            parts = [
                _credible(answer, request, listens=engine.capabilities.voice_activity)
                for answer, request in zip(_answers(engine, requests), requests, strict=True)
            ]
        log.info(
            "stt.windows_done",
            extra={
                "engine": name,
                "windows": len(parts),
                "audio_s": round(sum(request.window.length_s for request in requests), 2),
                "took_s": round(time.perf_counter() - started, 3),
                "words": sum(len(part.words) for part in parts),
            },
        )
        return tuple(parts)


def _answers(engine: SttEngine, requests: Sequence[SttRequest]) -> Sequence[Transcript]:
    if engine.capabilities.batch > 1:
        return cast(BatchingSttEngine, engine).transcribe_many(requests)
    return [engine.transcribe(request) for request in requests]


def _credible(heard: Transcript, request: SttRequest, *, listens: bool) -> Transcript:
    """The words in recording time, less those that nobody said. ``listens``: the engine goes by sound."""
    said = repaired(heard.words, request.window.length_s)
    sounding = without_sound(said, request.samples) if listens else said
    kept = without_loops(sounding)
    if len(kept) < len(said):
        cut = {"words_in_silence": len(said) - len(sounding), "words_in_loops": len(sounding) - len(kept)}
        log.info("stt.words_cut", extra=cut)
    if not kept:
        return Transcript((), None)
    words = tuple(to_recording(kept, request.window))
    return Transcript(words, heard.language, _probability(heard.language_confidence))


def merge(parts: Sequence[Transcript]) -> Transcript:
    """Join the transcripts of windows; the language is that of the first part with words.

    Words come in order of their start, those of several channels in between one another.
    """
    spoken = [part for part in parts if part.words]
    if not spoken:
        return Transcript((), None)
    words = sorted((word for part in spoken for word in part.words), key=_start)
    return Transcript(tuple(words), spoken[0].language, spoken[0].language_confidence)


def repaired(words: Iterable[Word], length_s: float) -> list[Word]:
    """Sort, clamp to [0, ``length_s``] and cut overlaps; drop words without text.

    A word whose times are no numbers takes its place between its neighbours, and is marked as estimated, as
    one is that lies beyond the window.
    """
    named = [replace(word, text=text) for word in words if (text := " ".join(word.text.split()))]
    placed = sorted((_within(word, length_s) for word in interpolated(named, length_s)), key=_start)
    ends = [min(word.end_s, following.start_s) for word, following in pairwise(placed)]
    return [replace(word, end_s=end_s) for word, end_s in zip(placed[:-1], ends, strict=True)] + placed[-1:]


def _within(word: Word, length_s: float) -> Word:
    start_s = min(max(word.start_s, 0.0), length_s)
    return replace(
        word,
        start_s=start_s,
        end_s=min(max(word.end_s, start_s), length_s),
        confidence=_probability(word.confidence),
        estimated=word.estimated or word.start_s > length_s or word.end_s < 0,
    )


def to_recording(words: Iterable[Word], window: SpeechWindow) -> Iterator[Word]:
    """Map repaired words from window time to recording time, and mark the channel that they are of.

    A word that an engine laid across the seam of two pieces goes to the piece that holds more of it: it must
    not span the pause that was cut out between them.
    """
    seams = [0.0, *accumulate(piece.length_s for piece in window.pieces)]
    pieces = list(pairwise(seams))
    for word in words:
        begins_s, ends_s = max(pieces, key=_share_of(word))
        start_s = window.to_recording(min(max(word.start_s, begins_s), ends_s))
        end_s = window.to_recording(min(max(word.end_s, begins_s), ends_s), is_end=True)
        yield replace(word, start_s=start_s, end_s=max(start_s, end_s), channel=window.channel)


def _share_of(word: Word) -> Callable[[tuple[float, float]], float]:
    return lambda piece: min(word.end_s, piece[1]) - max(word.start_s, piece[0])


def _start(word: Word) -> float:
    return word.start_s


def _probability(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return min(max(float(value), 0.0), 1.0)


@contextmanager
def _translated(what: str) -> Iterator[None]:
    try:
        yield
    except AppError:
        raise
    except Exception as error:
        raise StageFailed(STAGE, f"{what} ({type(error).__name__})") from error
