"""How a conversation went, in numbers, each with the stretches of the recording that it was made from.

All times are seconds from the start of the recording, to the millisecond. A number is None where it cannot
be told: nothing was said, the roles it speaks of are not known, or there is no word list for the language.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal

from app.schemas.audio import Span
from app.schemas.speaker import Role


@dataclass(frozen=True)
class Overlap:
    """A stretch in which at least two parties speak, always the same ones."""

    start_s: float
    end_s: float
    speakers: tuple[str, ...]


@dataclass(frozen=True)
class SpeakerSpan:
    """One party's stretch of the recording."""

    speaker: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class SpeakerTurn:
    """A party's speech with pauses under 3 s and no word of another between, except back-channels.

    A back-channel: at most 3 words, or at most 1 s, all of the language's list ("yeah", "uh-huh", "okay").
    ``words`` are those of the party; ``segment`` is the index of the segment in which the turn starts.
    """

    speaker: str
    start_s: float
    end_s: float
    words: int
    segment: int


@dataclass(frozen=True)
class Switch:
    """``to_speaker`` takes over from ``from_speaker``: the later turn starts ``gap_s`` after the end of the
    earlier one; negative where the two overlap. A turn within another party's turn takes nothing over."""

    from_speaker: str
    to_speaker: str
    end_s: float
    start_s: float
    gap_s: float


@dataclass(frozen=True)
class Patience:
    """How long the agent waits: median and 25th percentile (linear between neighbours) of ``gap_s`` over
    ``switches``, all those from a customer to an agent. Overlaps are negative and count."""

    median_s: float
    p25_s: float
    switches: tuple[Switch, ...]


@dataclass(frozen=True)
class Interruption:
    """``speaker`` starts while ``over`` speaks; ``start_s`` to ``end_s`` is the time in which both do.

    ``interruption``: ``over`` had spoken for at least 0.5 s, the two overlap for at least 0.3 s, the speaker
    gives no back-channel, and ``over`` stops within 2 s. Otherwise ``overtalk``. ``reliable`` is False where
    the parties share a channel: who speaks at once is a guess there.
    """

    kind: Literal["interruption", "overtalk"]
    speaker: str
    over: str
    start_s: float
    end_s: float
    length_s: float
    segment: int
    back_channel: bool
    reliable: bool


@dataclass(frozen=True)
class NonTalk:
    """At least 3 s in which nobody speaks; ``dead_air`` from 5 s.

    ``place``: before anyone spoke, between words, after the last one, or the ``whole`` call.
    """

    start_s: float
    end_s: float
    length_s: float
    dead_air: bool
    place: Literal["start", "between", "end", "whole"]


@dataclass(frozen=True)
class PaceWindow:
    """Words a minute over 15 s of a party's own talk, its pauses left out; so the span may be longer."""

    start_s: float
    end_s: float
    words_per_minute: float


@dataclass(frozen=True)
class Loudness:
    """Level in dB of full scale over the seconds in which the party speaks for at least half of the second.

    ``change_db[i]`` is how far the second that starts at ``seconds[i]`` lies above ``median_dbfs``. Seconds
    that another party heard in the same signal speaks in are left out.
    """

    median_dbfs: float
    seconds: tuple[int, ...]
    change_db: tuple[float, ...]


@dataclass(frozen=True)
class Question:
    """A question: written with "?" or, where no mark tells, known by its grammar. Back-channels and tags
    ("right?") are none. ``first_word`` and ``last_word`` are places in segment ``segment`` (the last word
    is in ``last_segment``)."""

    speaker: str
    start_s: float
    end_s: float
    segment: int
    first_word: int
    last_segment: int
    last_word: int
    known_by: Literal["mark", "grammar"]


@dataclass(frozen=True)
class Filler:
    """A hesitation ("um") or an aside ("you know") that commas set off; ``text`` as the list has it."""

    speaker: str
    text: str
    start_s: float
    end_s: float
    segment: int
    first_word: int


@dataclass(frozen=True)
class QuarterSentiment:
    """Mean of 5 × (P(positive) − P(negative)) over ``segments``, weighted by words, in [-5, 5].

    A segment belongs to the quarter of the call that holds its midpoint.
    """

    score: float | None
    words: int
    segments: tuple[int, ...]


@dataclass(frozen=True)
class SentimentCourse:
    """``score``: as for a quarter, over the whole call. ``shift``: fourth quarter − first."""

    score: float | None
    shift: float | None
    quarters: tuple[QuarterSentiment, ...]


@dataclass(frozen=True)
class PartyMetrics:
    """One party of the call.

    ``speech``: word times with gaps under 0.3 s closed. ``talk_s``: the length of their union.
    ``words_per_minute``: words / talk time. ``longest_turn``: other parties' turns under 2 s do not break it.
    ``questions_per_hour``: of the call. ``fillers_per_100_words``: speech engines tend to leave fillers out.
    """

    speaker: str
    role: Role
    words: int
    talk_s: float
    words_per_minute: float | None
    longest_turn: Span | None
    questions_per_hour: float | None
    fillers_per_100_words: float | None
    loudness: Loudness | None
    sentiment: SentimentCourse
    speech: tuple[Span, ...]
    pace: tuple[PaceWindow, ...]

    def talk_within_s(self, start_s: float, end_s: float) -> float:
        """How much of the time from ``start_s`` to ``end_s`` the party speaks."""
        first = bisect_left(self.speech, start_s, key=lambda span: span.end_s)
        last = bisect_left(self.speech, end_s, key=lambda span: span.start_s)
        talk = (min(span.end_s, end_s) - max(span.start_s, start_s) for span in self.speech[first:last])
        return round(sum(talk), 3)


@dataclass(frozen=True)
class Guide:
    """A figure that people quote, for comparison only: it is no pass mark. ``metric`` names the number it
    is about; None as ``least`` or ``most``: no bound on that side."""

    metric: str
    least: float | None
    most: float | None
    unit: str
    source: str


@dataclass(frozen=True)
class Metrics:
    """A conversation in numbers, by the published definitions ``metrics_version``.

    ``speech_s``: length of the union of all speech; ``silence_s``: duration − ``speech_s``. ``overlap_s``:
    time in which at least two speak; with two parties, talk + talk − overlap + silence = duration.
    ``share_of_speech``: agent / (agent + customer); None while anybody's role is unknown.
    ``share_of_call``: agent / duration. ``longest_monologue``: the agent's longest turn,
    ``longest_customer_story``: the customer's. ``interactivity``: switches of turn a minute of call.
    ``agent_fillers_per_100_words``: of all agents together. Where several speakers share a role, the
    union of their speech counts. ``back_channels`` and ``fillers`` are None without a list of words for the
    language; questions are then known by their marks alone. ``separate_channels``: each party was recorded
    alone, so that overlap is heard and not guessed.
    """

    metrics_version: str
    duration_s: float
    language: str | None
    separate_channels: bool
    parties: tuple[PartyMetrics, ...]
    speech_s: float
    silence_s: float
    overlap_s: float
    share_of_speech: float | None
    share_of_call: float | None
    interactivity: float | None
    patience: Patience | None
    longest_monologue: SpeakerSpan | None
    longest_customer_story: SpeakerSpan | None
    agent_fillers_per_100_words: float | None
    sentiment: SentimentCourse
    overlaps: tuple[Overlap, ...]
    turns: tuple[SpeakerTurn, ...]
    back_channels: tuple[SpeakerTurn, ...] | None
    switches: tuple[Switch, ...]
    interruptions: tuple[Interruption, ...]
    non_talk: tuple[NonTalk, ...]
    questions: tuple[Question, ...]
    fillers: tuple[Filler, ...] | None
    guides: tuple[Guide, ...]

    def role_of(self, speaker: str) -> Role:
        return next((party.role for party in self.parties if party.speaker == speaker), Role.UNKNOWN)
