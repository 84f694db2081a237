"""The figures of a call of two parties, worked out from its stored rows alone, the plain way.

Nothing of the service's arithmetic is used: times in whole milliseconds, loops within loops.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

BACK_CHANNELS = {"yeah", "okay"}
Piece = tuple[int, int, list[str]]
"""Start and end in milliseconds, and the words."""


@dataclass(frozen=True)
class Said:
    """What one party says in one go."""

    party: str
    start: int
    end: int
    first_stretch: tuple[int, int]
    stretches: list[Piece]
    back_channel: bool


def recomputed(session: Session, call_id: str) -> dict[str, Any]:
    """What ``CallFigures`` says of the call's current result."""
    rows = _Rows(session, call_id)
    speech = {party: _stretches(words) for party, words in rows.words.items()}
    said = _said(speech)
    turns = [each for each in said if not each.back_channel]
    talk = {party: sum(end - start for start, end, _ in own) for party, own in speech.items()}
    agent, customer = talk.get("agent", 0), talk.get("customer", 0)
    waits = [
        later.start - earlier.end
        for earlier, later in pairwise(_holding(turns))
        if (earlier.party, later.party) == ("customer", "agent")
    ]
    return {
        "share_of_speech": round(agent / (agent + customer), 4),
        "patience_s": round(median(waits) / 1000, 4) if waits else None,
        "longest_monologue_s": _monologue(turns),
        "agent_interruptions": _interruptions(said, "agent"),
        "customer_interruptions": _interruptions(said, "customer"),
        "sentiment_shift": _shift(rows),
        "moments": {
            kind: [m.type for m in rows.moments].count(kind) for kind in {m.type for m in rows.moments}
        },
        "objections": [_outcome(rows, moment) for moment in rows.moments if moment.type == "objection"],
    }


class _Rows:
    def __init__(self, session: Session, call_id: str) -> None:
        def read(query: str) -> list[Any]:
            return list(session.execute(text(query), {"call_id": call_id}))

        at = "= (SELECT current_result_id FROM calls WHERE call_id = :call_id)"
        self.duration_s = read(f"SELECT duration_s FROM results WHERE id {at}")[0].duration_s
        self.segments = read(f"SELECT * FROM segments WHERE result_id {at} ORDER BY idx")
        self.moments = sorted(
            read(f"SELECT * FROM moments WHERE result_id {at}"),
            key=lambda row: (row.evidence_start_s, -row.confidence, row.public_id),
        )
        roles = {row.idx: row.role for row in self.segments}
        self.words: dict[str, list[Piece]] = {}
        self.counts = dict.fromkeys(roles, 0)
        for row in read(f"SELECT * FROM words WHERE result_id {at} ORDER BY segment, idx"):
            piece = (round(row.start_s * 1000), round(row.end_s * 1000), [row.text])
            self.words.setdefault(roles[row.segment], []).append(piece)
            self.counts[row.segment] += 1

    def score(self, row: Any) -> float:
        return 5 * (row.sentiment_positive - row.sentiment_negative)

    def mean(self, rows: list[Any]) -> float | None:
        weight = sum(self.counts[row.idx] for row in rows)
        return (
            round(sum(self.score(row) * self.counts[row.idx] for row in rows) / weight, 4) if weight else None
        )

    @property
    def felt(self) -> list[Any]:
        return [row for row in self.segments if row.role == "customer" and row.sentiment_score is not None]


def _stretches(words: list[Piece]) -> list[Piece]:
    closed: list[Piece] = []
    for start, end, what in sorted(words, key=lambda word: word[:2]):
        if closed and start - closed[-1][1] < 300:
            closed[-1] = (closed[-1][0], max(end, closed[-1][1]), closed[-1][2] + what)
        else:
            closed.append((start, end, what))
    return closed


def _said(speech: dict[str, list[Piece]]) -> list[Said]:
    runs = {
        party: [
            _one(party, group)
            for group in _grouped(
                own, [piece for other in speech if other != party for piece in speech[other]]
            )
        ]
        for party, own in speech.items()
    }
    found: list[Said] = []
    for party, own in runs.items():
        others = [run for other in runs if other != party for run in runs[other] if not run.back_channel]
        pieces: list[Piece] = [(run.start, run.end, []) for run in own]
        walls: list[Piece] = [(run.start, run.end, []) for run in others]
        place = 0
        for group in _grouped(pieces, walls):
            members = own[place : place + len(group)]
            place += len(group)
            if all(run.back_channel for run in members):
                found += members
            else:
                stretches = [piece for run in members for piece in run.stretches]
                found.append(_one(party, stretches, turn=True))
    return sorted(found, key=lambda each: (each.start, each.end))


def _grouped(pieces: list[Piece], walls: list[Piece]) -> list[list[Piece]]:
    groups: list[list[Piece]] = []
    for piece in pieces:
        if groups:
            gap = (groups[-1][-1][1], piece[0])
            parted = any(start < gap[1] and end > gap[0] for start, end, _ in walls)
            if gap[1] - gap[0] < 3000 and not parted:
                groups[-1].append(piece)
                continue
        groups.append([piece])
    return groups


def _one(party: str, stretches: list[Piece], *, turn: bool = False) -> Said:
    words = [word for _, _, what in stretches for word in what]
    start, end = stretches[0][0], max(piece[1] for piece in stretches)
    short = len(words) <= 3 or end - start <= 1000
    back_channel = not turn and short and all(word in BACK_CHANNELS for word in words)
    return Said(party, start, end, stretches[0][:2], stretches, back_channel)


def _holding(turns: list[Said]) -> list[Said]:
    holding: list[Said] = []
    for turn in turns:
        if not holding or turn.end > holding[-1].end or turn.start >= holding[-1].end:
            holding.append(turn)
    return holding


def _monologue(turns: list[Said]) -> float | None:
    longest, held = None, None
    for turn in (turn for turn in turns if turn.party == "agent"):
        if held is not None:
            between = [each for each in turns if each.party != "agent" and each.start < turn.start]
            between = [each for each in between if each.end > held[1]]
            spoken = {at for each in between for at in range(each.start, each.end)}
            covered = len(spoken.intersection(range(held[1], turn.start)))
            broken = any(each.end - each.start >= 2000 for each in between)
            if not broken and turn.start - held[1] - covered < 3000:
                held = (held[0], turn.end)
            else:
                held = (turn.start, turn.end)
        else:
            held = (turn.start, turn.end)
        longest = max(longest or 0, held[1] - held[0])
    return None if longest is None else longest / 1000


def _interruptions(said: list[Said], party: str) -> int:
    count = 0
    spoken = [
        piece for each in said if each.party != party and not each.back_channel for piece in each.stretches
    ]
    for each in said:
        earlier = [piece for piece in spoken if piece[0] < each.start]
        if each.party != party or each.back_channel or not earlier:
            continue
        start, end, _ = max(earlier)
        overlap = min(end, each.end) - each.start
        count += (
            end > each.start and each.start - start >= 500 and overlap >= 300 and end - each.start <= 2000
        )
    return count


def _shift(rows: _Rows) -> float | None:
    quarters: list[list[Any]] = [[], [], [], []]
    for row in rows.felt:
        middle_s = (row.start_s + row.end_s) / 2
        quarters[min(3, int(4 * middle_s / rows.duration_s))].append(row)
    first, last = rows.mean(quarters[0]), rows.mean(quarters[3])
    return None if first is None or last is None else round(last - first, 4)


def _outcome(rows: _Rows, moment: Any) -> tuple[str | None, list[str], float | None, float | None]:
    start_s, end_s = moment.evidence_start_s, moment.evidence_end_s
    following: list[str] = []
    for other in rows.moments:
        is_next = end_s <= other.evidence_start_s <= end_s + 60
        if is_next and other.type not in following:
            following.append(other.type)
    before, after = [], []
    for row in rows.felt:
        middle_s = (row.start_s + row.end_s) / 2
        if row.idx != moment.segment and start_s - 60 <= middle_s < start_s:
            before.append(row)
        if row.idx != moment.segment and end_s < middle_s <= end_s + 60:
            after.append(row)
    return moment.subtype, following, rows.mean(before), rows.mean(after)
