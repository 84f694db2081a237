"""Turns, back-channels and switches: who holds the floor. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TypeVar

from app.services.metrics.intervals import MS, Finder, Interval, Timed
from app.services.metrics.vocabulary import Vocabulary, made_of
from app.services.metrics.voices import SpokenWord, Stretch, Voice

TURN_GAP_MS = 3 * MS
BACK_CHANNEL_WORDS = 3
BACK_CHANNEL_MS = 1 * MS

T = TypeVar("T", bound=Timed)


@dataclass(frozen=True)
class Utterance:
    """A turn or a back-channel of the party number ``party``, made of ``stretches`` of its speech."""

    party: int
    stretches: tuple[Stretch, ...]
    back_channel: bool

    @property
    def start(self) -> int:
        return self.stretches[0].start

    @property
    def end(self) -> int:
        return max(stretch.end for stretch in self.stretches)

    @property
    def segment(self) -> int:
        """The index of the segment in which it starts."""
        return self.stretches[0].words[0].segment

    @property
    def words(self) -> tuple[SpokenWord, ...]:
        return tuple(chain.from_iterable(stretch.words for stretch in self.stretches))


def find_utterances(voices: Sequence[Voice], vocabulary: Vocabulary | None) -> tuple[Utterance, ...]:
    """All turns and back-channels in order of start; without a vocabulary there are only turns.

    First runs: a party's speech with gaps under 3 s and no word of another between. Runs of a back-channel's
    words and length break nobody's turn; runs that nothing else parts are one turn.
    """
    speech = [Finder(voice.stretches) for voice in voices]
    runs = [
        [_run(number, group, vocabulary) for group in _groups(voice.stretches, _others(speech, number))]
        for number, voice in enumerate(voices)
    ]
    breaking = [Finder(run for run in own if not run.back_channel) for own in runs]
    found = [
        utterance
        for number, own in enumerate(runs)
        for group in _groups(own, _others(breaking, number))
        for utterance in _joined(group)
    ]
    return tuple(sorted(found, key=lambda each: (each.start, each.end, _first_said(each))))


def _first_said(utterance: Utterance) -> tuple[int, int]:
    """Breaks ties by what was written down first, whatever the parties are called."""
    first = utterance.stretches[0].words[0]
    return first.segment, first.place


def _others(finders: Sequence[Finder], number: int) -> Callable[[Interval], bool]:
    """Whether somebody other than the party ``number`` is in a gap."""
    others = [finder for other, finder in enumerate(finders) if other != number]
    return lambda gap: any(finder.any_in(gap) for finder in others)


def _groups(pieces: Sequence[T], taken: Callable[[Interval], bool]) -> list[list[T]]:
    """Pieces in order of time, put together over gaps under 3 s that nobody has ``taken``."""
    groups: list[list[T]] = []
    for piece in pieces:
        if groups:
            gap = Interval(groups[-1][-1].end, piece.start)
            if gap.end - gap.start < TURN_GAP_MS and not taken(gap):
                groups[-1].append(piece)
                continue
        groups.append([piece])
    return groups


def _run(party: int, stretches: Sequence[Stretch], vocabulary: Vocabulary | None) -> Utterance:
    run = Utterance(party, tuple(stretches), back_channel=False)
    words = run.words
    short = len(words) <= BACK_CHANNEL_WORDS or run.end - run.start <= BACK_CHANNEL_MS
    if vocabulary is None or not short:
        return run
    tokens = tuple(token for word in words for token in word.tokens)
    return Utterance(party, run.stretches, made_of(tokens, vocabulary.back_channels))


def _joined(runs: Sequence[Utterance]) -> list[Utterance]:
    """One turn, or each back-channel by itself where there is nothing else."""
    if all(run.back_channel for run in runs):
        return list(runs)
    stretches = tuple(chain.from_iterable(run.stretches for run in runs))
    return [Utterance(runs[0].party, stretches, back_channel=False)]


def find_switches(turns: Sequence[Utterance]) -> tuple[tuple[Utterance, Utterance], ...]:
    """Each turn that takes over from another party's, with that turn.

    Turns that lie within another party's turn take nothing over and are passed by.
    """
    holding: list[Utterance] = []
    for turn in turns:
        # In order of start, a turn lies within an earlier one where it does not outlast the latest end.
        if not holding or turn.end > holding[-1].end or turn.start >= holding[-1].end:
            holding.append(turn)
    return tuple((one, other) for one, other in pairwise(holding) if one.party != other.party)
