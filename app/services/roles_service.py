"""Tells which speaker is the agent and which the customer: by channel, by metadata, else by what they say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from app.schemas.speaker import Role, RoleSource, Speaker
from app.schemas.transcript import Segment
from app.services.roles.introductions import introduced
from app.services.roles.scorer import Heard, PartyTurn, hear, leaning

_TEMPER = 0.35
"""The acts of one party depend on one another, so their log odds do not simply add up to a probability's."""
_CLEAR = 2.0
"""Log odds from which somebody counts as an agent (or a customer) with nobody to compare with."""
_DIRECTION_WEIGHT = 1.0
_MOST_CONFIDENT = 0.99
_BY_NAME = 0.95
"""Names are misheard and shared; a channel is not."""

_OTHER = {Role.AGENT: Role.CUSTOMER, Role.CUSTOMER: Role.AGENT}


@dataclass(frozen=True)
class RoleHints:
    """What is known of a call besides its words.

    ``agent_channel``: the channel (from 0) that the agent was recorded in. ``direction``: ``inbound`` calls
    are answered by the agent, who speaks first; ``outbound`` ones by the customer; a weak sign. ``metadata``:
    the client's own; read are ``agent_channel`` ("0", "1"), ``agent_name`` and ``customer_name``, whatever
    else it holds. ``language``: an ISO 639-1 code.
    """

    agent_channel: int | None = None
    direction: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None


@dataclass(frozen=True)
class _Verdict:
    role: Role
    confidence: float
    source: RoleSource


_UNKNOWN = _Verdict(Role.UNKNOWN, 0.0, RoleSource.NONE)


def assign_roles(
    segments: Sequence[Segment], channels: Mapping[str, int | None], hints: RoleHints
) -> tuple[Speaker, ...]:
    """One speaker for each speaker id in ``segments``, in order of appearance; pure and deterministic.

    ``channels``: for each id, the channel that holds this speaker alone, or None; where it is None, the
    channel that all of the speaker's words were heard in counts. A known agent's channel decides for all
    who have a channel, then names decide, then words. Speakers in one of two channels share a role.
    """
    ids = list(dict.fromkeys(segment.speaker for segment in segments))
    heard_in = {speaker: _channel_of(speaker, segments, channels) for speaker in ids}
    verdicts = _by_channel(heard_in, hints)
    if verdicts is None:
        parties = _parties(heard_in)
        by_party = _by_name(segments, parties, hints) or _by_words(segments, parties, hints)
        verdicts = {speaker: by_party[parties[speaker]] for speaker in ids}
    speakers = tuple(
        Speaker(
            speaker,
            verdicts[speaker].role,
            round(verdicts[speaker].confidence, 3),
            verdicts[speaker].source,
            channel=channels.get(speaker),
        )
        for speaker in ids
    )
    return _named(speakers, hints.metadata)


def _channel_of(speaker: str, segments: Sequence[Segment], channels: Mapping[str, int | None]) -> int | None:
    known = channels.get(speaker)
    if known is not None:
        return known
    used = {word.channel for segment in segments if segment.speaker == speaker for word in segment.words}
    return used.pop() if len(used) == 1 else None


def _parties(heard_in: Mapping[str, int | None]) -> dict[str, str]:
    """For each speaker the party it belongs to: its channel, where the call has two parties by channel."""
    used = set(heard_in.values())
    if None in used or len(used) != 2:
        return {speaker: speaker for speaker in heard_in}
    return {speaker: f"channel {channel}" for speaker, channel in heard_in.items()}


def _by_channel(heard_in: Mapping[str, int | None], hints: RoleHints) -> dict[str, _Verdict] | None:
    agent_channel, source = hints.agent_channel, RoleSource.CHANNEL
    if agent_channel is None:
        told = hints.metadata.get("agent_channel", "").strip()
        agent_channel, source = (int(told) if told in ("0", "1") else None), RoleSource.METADATA
    if agent_channel is None or None in heard_in.values():
        return None
    return {
        speaker: _Verdict(Role.AGENT if channel == agent_channel else Role.CUSTOMER, 1.0, source)
        for speaker, channel in heard_in.items()
    }


def _by_name(
    segments: Sequence[Segment], parties: Mapping[str, str], hints: RoleHints
) -> dict[str, _Verdict] | None:
    """Roles of those who say that they are the agent or the customer named in the metadata.

    None where nobody does, or two parties claim the same role. Of two parties the other one has the other
    role; of more, the rest goes by its words.
    """
    turns = _turns(segments, parties)
    claims: dict[str, Role] = {}
    for key, role in (("agent_name", Role.AGENT), ("customer_name", Role.CUSTOMER)):
        named = {turn.party for turn in turns if introduced(turn.text, hints.metadata.get(key, ""))}
        if len(named) == 1:
            claims.setdefault(named.pop(), role)
    everyone = list(dict.fromkeys(parties.values()))
    if len(everyone) == 2 and len(claims) == 1:
        ((party, role),) = claims.items()
        claims[next(other for other in everyone if other != party)] = _OTHER[role]
    if not claims or (len(everyone) == 2 and len(set(claims.values())) == 1):
        return None
    by_words = _by_words(segments, parties, hints)
    return {
        party: _Verdict(claims[party], _BY_NAME, RoleSource.METADATA) if party in claims else by_words[party]
        for party in everyone
    }


def _by_words(
    segments: Sequence[Segment], parties: Mapping[str, str], hints: RoleHints
) -> dict[str, _Verdict]:
    turns = _turns(segments, parties)
    heard = hear(turns, hints.language)
    everyone = list(dict.fromkeys(parties.values()))
    scores = _scores(everyone, heard)
    if len(everyone) == 1:
        return {everyone[0]: _alone(scores[everyone[0]])}
    if len(everyone) == 2:
        lead = {"inbound": _DIRECTION_WEIGHT, "outbound": -_DIRECTION_WEIGHT}.get(hints.direction or "", 0.0)
        leans = leaning(turns, hints.language)
        first, second = everyone
        margin = scores[first] - scores[second] + leans[first] - leans[second]
        source = RoleSource.WORDS if heard or margin else RoleSource.METADATA
        return _of_two(first, second, margin + lead, source)
    return _of_many(scores) if heard else dict.fromkeys(everyone, _UNKNOWN)


def _turns(segments: Sequence[Segment], parties: Mapping[str, str]) -> list[PartyTurn]:
    runs = groupby(segments, key=lambda segment: parties[segment.speaker])
    return [PartyTurn(party, " ".join(segment.text for segment in run)) for party, run in runs]


def _scores(everyone: Iterable[str], heard: Iterable[Heard]) -> dict[str, float]:
    scores = dict.fromkeys(everyone, 0.0)
    for act in heard:
        scores[act.party] += act.weight
    return scores


def _alone(score: float) -> _Verdict:
    """Nobody to compare with: a voicemail tells who left it only where it is clear."""
    if abs(score) < _CLEAR:
        return _UNKNOWN
    return _Verdict(Role.AGENT if score > 0 else Role.CUSTOMER, _probability(abs(score)), RoleSource.WORDS)


def _of_two(first: str, second: str, margin: float, source: RoleSource) -> dict[str, _Verdict]:
    """One agent and one customer, however small ``margin`` (the first's lead as an agent) is."""
    if margin == 0.0:
        return {first: _UNKNOWN, second: _UNKNOWN}
    confidence = _probability(abs(margin))
    agent, customer = (first, second) if margin > 0 else (second, first)
    return {
        agent: _Verdict(Role.AGENT, confidence, source),
        customer: _Verdict(Role.CUSTOMER, confidence, source),
    }


def _of_many(scores: Mapping[str, float]) -> dict[str, _Verdict]:
    """The best is an agent; so is who clearly sounds like one (a supervisor joins); the rest: customers."""
    best, second = sorted(scores.values(), reverse=True)[:2]
    verdicts: dict[str, _Verdict] = {}
    for party, score in scores.items():
        if score == best and (best > second or best >= _CLEAR):
            surely = _probability(max(best - second, best))
            verdicts[party] = _Verdict(Role.AGENT, surely, RoleSource.WORDS)
        else:
            agent = score >= _CLEAR
            surely = _probability(abs(score - _CLEAR))
            verdicts[party] = _Verdict(Role.AGENT if agent else Role.CUSTOMER, surely, RoleSource.WORDS)
    return verdicts


def _probability(log_odds: float) -> float:
    return min(_MOST_CONFIDENT, 1.0 / (1.0 + math.exp(-_TEMPER * log_odds)))


def _named(speakers: tuple[Speaker, ...], metadata: Mapping[str, str]) -> tuple[Speaker, ...]:
    """With the names of the metadata, where a role is not guessed and one speaker alone has it."""
    names = {Role.AGENT: metadata.get("agent_name"), Role.CUSTOMER: metadata.get("customer_name")}
    certain = (RoleSource.CHANNEL, RoleSource.METADATA)
    holders = {role: sum(speaker.role is role for speaker in speakers) for role in Role}
    return tuple(
        replace(speaker, name=(names.get(speaker.role) or "").strip() or None)
        if speaker.role_source in certain and holders[speaker.role] == 1
        else speaker
        for speaker in speakers
    )
