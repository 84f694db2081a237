"""Measures a conversation: talk, turns, interruptions, pace, loudness, questions, fillers, feeling. Pure.

The formulas stand at the values in ``app/schemas/metrics.py``; whoever changes one changes the version.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from app.schemas.audio import Span
from app.schemas.conversation import Conversation
from app.schemas.metrics import (
    Filler,
    Loudness,
    Metrics,
    PartyMetrics,
    Question,
    SpeakerSpan,
    SpeakerTurn,
)
from app.schemas.speaker import Role
from app.services.metrics.fillers import find_fillers
from app.services.metrics.findings import (
    find_non_talk,
    measure_patience,
    told_interruptions,
    told_overlaps,
    told_switch,
    told_turn,
)
from app.services.metrics.guides import GUIDES
from app.services.metrics.intervals import (
    MS,
    length,
    milliseconds,
    seconds,
    simultaneous,
    union,
)
from app.services.metrics.loudness import measure_loudness
from app.services.metrics.pace import pace_windows, words_per_minute
from app.services.metrics.questions import find_questions
from app.services.metrics.sentiment import ScoredSegment, course_of, score_segments
from app.services.metrics.turns import find_switches, find_utterances
from app.services.metrics.vocabulary import vocabulary_of
from app.services.metrics.voices import Voice, voices_of
from app.services.monologues import held_floor

METRICS_VERSION = "1"
INTERJECTION_UNDER_S = 2.0


def measure(conversation: Conversation) -> Metrics:
    """All numbers of ``Metrics``. Those that cannot be told are None, and nothing fails."""
    duration = milliseconds(conversation.duration_s)
    vocabulary = vocabulary_of(conversation.language)
    voices = voices_of(conversation)
    utterances = find_utterances(voices, vocabulary)
    turns = [utterance for utterance in utterances if not utterance.back_channel]
    spoken = union(chain.from_iterable(voice.stretches for voice in voices))
    at_once = simultaneous([voice.stretches for voice in voices])
    switches = tuple(told_switch(*pair, voices) for pair in find_switches(turns))
    told_turns = tuple(told_turn(turn, voices) for turn in turns)
    back_channels = tuple(told_turn(each, voices) for each in utterances if each.back_channel)
    questions = find_questions(conversation.segments, vocabulary, duration)
    fillers = find_fillers(conversation.segments, vocabulary, duration)
    feelings = score_segments(conversation)
    loudness = measure_loudness(conversation, voices)
    parties = tuple(
        _party(voice, level, told_turns, questions, fillers, feelings, duration)
        for voice, level in zip(voices, loudness, strict=True)
    )
    share_of_speech, share_of_call = _talk_ratio(voices, duration)
    return Metrics(
        metrics_version=METRICS_VERSION,
        duration_s=seconds(duration),
        language=conversation.language,
        separate_channels=conversation.separate_channels,
        parties=parties,
        speech_s=seconds(length(spoken)),
        silence_s=seconds(duration - length(spoken)),
        overlap_s=seconds(length(stretch for stretch, _ in at_once)),
        share_of_speech=share_of_speech,
        share_of_call=share_of_call,
        interactivity=_per(len(switches), duration, 60 * MS),
        patience=measure_patience(switches, voices),
        longest_monologue=_longest(parties, Role.AGENT),
        longest_customer_story=_longest(parties, Role.CUSTOMER),
        agent_fillers_per_100_words=_fillers_per_100_words(fillers, _of_role(voices, Role.AGENT)),
        sentiment=course_of(feelings),
        overlaps=told_overlaps(at_once, voices),
        turns=told_turns,
        back_channels=None if vocabulary is None else back_channels,
        switches=switches,
        interruptions=told_interruptions(utterances, voices, conversation.separate_channels),
        non_talk=find_non_talk(spoken, duration),
        questions=questions,
        fillers=fillers,
        guides=GUIDES,
    )


def measured(conversation: Conversation, stored: Metrics | None) -> Metrics:
    """``stored``, or the conversation measured anew where that is missing or follows older definitions."""
    if stored is not None and stored.metrics_version == METRICS_VERSION:
        return stored
    return measure(conversation)


def _party(
    voice: Voice,
    loudness: Loudness | None,
    turns: Sequence[SpeakerTurn],
    questions: Sequence[Question],
    fillers: Sequence[Filler] | None,
    feelings: Sequence[ScoredSegment],
    duration: int,
) -> PartyMetrics:
    name = voice.speaker.id
    speech = union(voice.stretches)
    held = held_floor(turns, name, INTERJECTION_UNDER_S)
    longest = max(held, key=lambda span: span.end_s - span.start_s, default=None)
    asked = sum(question.speaker == name for question in questions)
    return PartyMetrics(
        speaker=name,
        role=voice.speaker.role,
        words=len(voice.words),
        talk_s=seconds(length(speech)),
        words_per_minute=words_per_minute(voice),
        longest_turn=Span(longest.start_s, longest.end_s) if longest else None,
        questions_per_hour=_per(asked, duration, 3600 * MS),
        fillers_per_100_words=_fillers_per_100_words(fillers, [voice]),
        loudness=loudness,
        sentiment=course_of([segment for segment in feelings if segment.speaker == name]),
        speech=tuple(Span(seconds(start), seconds(end)) for start, end in speech),
        pace=pace_windows(voice),
    )


def _of_role(voices: Iterable[Voice], role: Role) -> list[Voice]:
    return [voice for voice in voices if voice.speaker.role == role]


def _talk(voices: Iterable[Voice]) -> int:
    return length(union(chain.from_iterable(voice.stretches for voice in voices)))


def _per(count: float, amount: int, unit: int) -> float | None:
    return round(count * unit / amount, 4) if amount else None


def _talk_ratio(voices: Sequence[Voice], duration: int) -> tuple[float | None, float | None]:
    """The agent's share of speech and of the call; who has no role may be anybody."""
    agents, customers = _of_role(voices, Role.AGENT), _of_role(voices, Role.CUSTOMER)
    if not agents:
        return None, None
    agent = _talk(agents)
    if len(agents) + len(customers) < len(voices):
        return None, _per(agent, duration, 1)
    return _per(agent, agent + _talk(customers), 1), _per(agent, duration, 1)


def _fillers_per_100_words(fillers: Sequence[Filler] | None, voices: Sequence[Voice]) -> float | None:
    if fillers is None:
        return None
    names = {voice.speaker.id for voice in voices}
    said = sum(filler.speaker in names for filler in fillers)
    return _per(said, sum(len(voice.words) for voice in voices), 100)


def _longest(parties: Iterable[PartyMetrics], role: Role) -> SpeakerSpan | None:
    spans = [
        SpeakerSpan(party.speaker, party.longest_turn.start_s, party.longest_turn.end_s)
        for party in parties
        if party.role == role and party.longest_turn
    ]
    return max(spans, key=lambda span: span.end_s - span.start_s, default=None)
