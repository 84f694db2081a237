"""How long the words of a long call take: rules, reader and sentiment on 600 segments, embedded engines."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.config import Settings
from app.schemas.transcript import Segment, Word
from app.services.coachable_service import CoachableService
from app.services.reading.artefact import calibrations_of, folder_of
from app.services.reading.network import network_in
from app.services.reading_service import ReadingService
from app.services.sentiment_service import SentimentService
from app.services.utterances import utterances_of
from bench.report import Figure, refuse_foreign_load, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TALK = Path(__file__).parent.parent / "training" / "moments" / "dev" / "en.jsonl"
SEGMENTS, ROUNDS, SEED = 600, 5, 20260301
WORD_S = 0.3


def measure() -> list[Figure]:
    refuse_foreign_load()
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    readers, judges = ReadingService(settings), SentimentService(settings)
    coachable = CoachableService(settings, calibrations_of(settings))
    segments = _call()
    utterances = utterances_of(segments)
    readers.load("embedding")
    coachable.find("warm", segments[:20], "en")
    seconds: dict[str, list[float]] = {"reader": [], "sentiment": [], "rules and merge": []}
    for _ in range(ROUNDS):
        _forget(settings)
        readings = _timed(seconds["reader"], lambda: readers.read("embedding", utterances, "en"))
        _timed(seconds["sentiment"], lambda: judges.analyse("embedding", utterances))
        merge = partial(coachable.find, "c", segments, "en", readings=readings)
        _timed(seconds["rules and merge"], merge)
    medians = {part: statistics.median(times) for part, times in seconds.items()}
    whole = statistics.median(map(sum, zip(*seconds.values(), strict=True)))
    figures = [
        Figure("600 segments: rules, reader and sentiment", whole, "s", 3.0),
        Figure("of which the reader", medians["reader"], "s"),
    ]

    def draw(axes: Axes) -> None:
        axes.barh(list(medians), list(medians.values()), color="#3b6ea8")
        axes.invert_yaxis()
        axes.set_xlabel("seconds for 600 segments (median)")

    write("analysis_speed", figures, draw, {"wall_s": seconds, "threads": settings.threads})
    return figures


def _timed(seconds: list[float], act: Callable[[], Any]) -> Any:
    began = time.perf_counter()
    answer = act()
    seconds.append(time.perf_counter() - began)
    return answer


def _forget(settings: Settings) -> None:
    """Let the reader read anew, as it does for every new call."""
    network_in(folder_of(settings), settings.threads).forget()


def _call() -> list[Segment]:
    """A call of 600 turns, by turns of the two parties, in the words of the development split."""
    lines = [json.loads(line) for line in TALK.read_text(encoding="utf-8").splitlines()]
    dice = random.Random(SEED)
    said = {role: [line["text"] for line in lines if line["role"] == role] for role in ("agent", "customer")}
    segments, at_s = [], 0.0
    for index in range(SEGMENTS):
        role = ("agent", "customer")[index % 2]
        texts = dice.choice(said[role]).split()
        words = tuple(
            Word(text, at_s + WORD_S * place, at_s + WORD_S * (place + 0.9))
            for place, text in enumerate(texts)
        )
        at_s += WORD_S * (len(texts) + 2)
        segments.append(Segment(index, f"speaker_{index % 2}", words, role))
    return segments


if __name__ == "__main__":
    measure()
