"""Invented text: one phrase that an engine says over and over, and words where there is no sound."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import TYPE_CHECKING

from app.schemas.audio import SAMPLE_RATE
from app.schemas.transcript import Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SOME = 5
"""So many times in a row a phrase may be said, whatever else speaks against it."""
MANY_WORDS = 24
"""A run of so many words is an engine's: laughter and "no, no, no" end long before."""
LONGEST_PHRASE = 40
"""Words: six times as many are more than 30 s hold."""
FASTEST_WORD_S = 0.08
FASTEST_LETTER_S = 0.025
"""Nobody is faster: twelve words or forty letters a second."""
OFF_BEAT_S = 0.0101
"""Half of the step in which Whisper gives times: who keeps time better is no person."""
UNLIKELY = exp(-1.0)
"""Whisper's own limit of the mean probability of what it takes for heard."""

SILENT_DB = -70.0
AIMING_ERROR_S = 0.1
"""By so much a word's times may miss the sound of it."""


@dataclass(frozen=True)
class _Run:
    """``times`` repeats of ``phrase`` words, from the word ``first`` on."""

    first: int
    phrase: int
    times: int

    @property
    def end(self) -> int:
        return self.first + self.phrase * self.times


def without_loops(words: Sequence[Word]) -> list[Word]:
    """``words``, in order and in seconds of one window, with each loop cut to the first saying of its phrase.

    What is said up to ``SOME`` times in a row is kept. More is a loop where there is evidence of it: faster
    than anybody speaks, as regular as a clock, unlikely in the engine's own eyes, or ``MANY_WORDS`` long.
    """
    kept = list(words)
    for phrase in range(1, LONGEST_PHRASE + 1):
        keys = [_key(word.text) for word in kept]
        # From the last on, so that a cut leaves the places before it as they were.
        for run in reversed(list(_runs(keys, phrase))):
            if _is_invented(kept[run.first : run.end], run):
                _cut(kept, keys, run)
    return kept


def without_sound(words: Sequence[Word], samples: NDArray[np.float32]) -> list[Word]:
    """``words`` less those that lie in digital silence whole; both in seconds of one window at 16 kHz.

    Words whose times are estimated stand or fall together, by the stretch over which they were spread.
    """
    return [
        word
        for stretch in _stretches(words)
        if _has_sound(samples, stretch[0].start_s, stretch[-1].end_s)
        for word in stretch
    ]


def _runs(keys: Sequence[str], phrase: int) -> Iterator[_Run]:
    """Where ``phrase`` words, that are not themselves repeats of fewer, come more than ``SOME`` times."""
    first = 0
    while first + phrase < len(keys):
        alike = first
        while alike + phrase < len(keys) and keys[alike] == keys[alike + phrase]:
            alike += 1
        times = (alike - first) // phrase + 1
        if times > SOME and _is_simple(keys[first : first + phrase]):
            yield _Run(first, phrase, times)
        first = alike + 1


def _is_simple(keys: Sequence[str]) -> bool:
    return not any(
        len(keys) % part == 0 and all(keys[at] == keys[at - part] for at in range(part, len(keys)))
        for part in range(1, len(keys))
    )


def _is_invented(said: Sequence[Word], run: _Run) -> bool:
    if _is_too_fast(said):
        return True
    # Account numbers and numbers to dial are read out by machines, and hold long rows of one digit.
    if all(_key(word.text).isnumeric() for word in said[: run.phrase]):
        return False
    return len(said) >= MANY_WORDS or _is_unlikely(said) or _is_clockwork(said[:: run.phrase])


def _is_too_fast(said: Sequence[Word]) -> bool:
    letters = sum(len(_key(word.text)) for word in said)
    least_s = max(FASTEST_WORD_S * len(said), FASTEST_LETTER_S * letters)
    empty = sum(word.end_s <= word.start_s for word in said)
    return said[-1].end_s - said[0].start_s < least_s or empty * 2 > len(said)


def _is_unlikely(said: Sequence[Word]) -> bool:
    given = [word.confidence for word in said if word.confidence is not None]
    return bool(given) and sum(given) / len(given) < UNLIKELY


def _is_clockwork(firsts: Sequence[Word]) -> bool:
    """Whether all sayings begin on a regular beat, by times that were measured."""
    if any(word.estimated for word in firsts):
        return False
    begin_s, beats = firsts[0].start_s, len(firsts) - 1
    beat_s = (firsts[-1].start_s - begin_s) / beats
    return all(abs(word.start_s - begin_s - beat_s * at) <= OFF_BEAT_S for at, word in enumerate(firsts))


def _cut(words: list[Word], keys: list[str], run: _Run) -> None:
    """Leave the first saying; one that the window broke off goes with the others."""
    end = run.end
    rest = keys[end : end + run.phrase]
    if end + len(rest) == len(keys) and rest == keys[run.first : run.first + len(rest)]:
        end = len(keys)
    last = run.first + run.phrase - 1
    ends_segment = any(word.ends_segment for word in words[last:end])
    words[last:end] = [replace(words[last], ends_segment=ends_segment)]
    del keys[last + 1 : end]


def _key(text: str) -> str:
    """What is compared: letters and digits, or the text as it is where it has none."""
    return "".join(filter(str.isalnum, text)).casefold() or text


def _stretches(words: Sequence[Word]) -> Iterator[list[Word]]:
    stretch: list[Word] = []
    for word in words:
        if stretch and not (word.estimated and stretch[-1].estimated and not stretch[-1].ends_segment):
            yield stretch
            stretch = []
        stretch.append(word)
    if stretch:
        yield stretch


def _has_sound(samples: NDArray[np.float32], start_s: float, end_s: float) -> bool:
    import numpy as np

    first = max(round((start_s - AIMING_ERROR_S) * SAMPLE_RATE), 0)
    heard = samples[first : round((end_s + AIMING_ERROR_S) * SAMPLE_RATE)]
    if len(heard) == 0:
        return False
    return bool(np.mean(np.square(heard, dtype=np.float64)) >= 10 ** (SILENT_DB / 10))
