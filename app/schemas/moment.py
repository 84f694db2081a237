"""Coachable moments: the vocabulary and the value that carries one with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256


class MomentType(StrEnum):
    """Types found in words."""

    BUYING_SIGNAL = "buying_signal"
    OBJECTION = "objection"
    COMPETITOR_MENTION = "competitor_mention"
    HESITATION = "hesitation"
    CHURN_RISK = "churn_risk"
    ESCALATION = "escalation"
    CONFUSION = "confusion"
    DISCOVERY_QUESTION = "discovery_question"
    NEXT_STEP = "next_step"
    EMPATHY = "empathy"
    WEAK_LANGUAGE = "weak_language"
    OVERPROMISE = "overpromise"
    PRESSURE = "pressure"
    DISCOUNT_OFFER = "discount_offer"


SAID_BY_AGENT = frozenset({
    MomentType.DISCOVERY_QUESTION, MomentType.EMPATHY, MomentType.WEAK_LANGUAGE, MomentType.OVERPROMISE,
    MomentType.PRESSURE, MomentType.DISCOUNT_OFFER,
})  # fmt: skip
SAID_BY_CUSTOMER = frozenset({
    MomentType.BUYING_SIGNAL, MomentType.OBJECTION, MomentType.HESITATION, MomentType.CHURN_RISK,
    MomentType.ESCALATION, MomentType.CONFUSION,
})  # fmt: skip
"""Types that are only ever about one party's words; the others may be either's."""


class TimedMomentType(StrEnum):
    """Types found in time."""

    MONOLOGUE = "monologue"
    INTERRUPTION = "interruption"
    DEAD_AIR = "dead_air"
    FAST_PACE = "fast_pace"
    SLOW_RESPONSE = "slow_response"


class ObjectionSubtype(StrEnum):
    PRICE = "price"
    TIMING = "timing"
    AUTHORITY = "authority"
    NEED = "need"
    TRUST = "trust"
    COMPETITOR = "competitor"
    PRODUCT_GAP = "product_gap"
    CONTRACT = "contract"


def may_be_said_by(role: str, kind: str) -> bool:
    """Whether a moment of this type, in words, can be that of somebody in this role; unknown: of anybody."""
    return kind not in {"agent": SAID_BY_CUSTOMER, "customer": SAID_BY_AGENT}.get(role, frozenset())


@dataclass(frozen=True)
class Evidence:
    """The exact words: ``text == segment.text[start_char:end_char]``, with their times in seconds.

    Of a moment found in time, ``start_s`` and ``end_s`` are its own, and the words are those of its segment
    that lie in it; where there are none, ``text`` is empty and the places are 0.
    """

    text: str
    start_char: int
    end_char: int
    start_s: float
    end_s: float
    first_word: int
    last_word: int


class MomentSource(StrEnum):
    """Who found a moment."""

    RULE = "rule"
    CLASSIFIER = "classifier"
    BOTH = "rule+classifier"


@dataclass(frozen=True)
class Moment:
    """A stretch of the call at which a coach would stop the tape.

    ``source`` says who found it: ``rule``, ``classifier`` or ``rule+classifier``; ``rule`` names the rule, or
    the classifier where no rule found it. ``confidence`` is in [0, 1]. ``segment`` is an index: the segment
    in which the moment starts, None (and ``speaker`` too) for one that belongs to the call.
    """

    id: str
    type: str
    subtype: str | None
    confidence: float
    source: str
    rule: str
    why: str
    tip: str
    segment: int | None
    speaker: str | None
    role: str
    evidence: Evidence

    @property
    def place(self) -> tuple[float, float, str]:
        """Sorts moments by time, the surest first."""
        return (self.evidence.start_s, -self.confidence, self.id)


def moment_id(call_id: str, kind: str, start_s: float, end_s: float) -> str:
    """A public id that a new analysis finds again: a hash of call, type and the span of words.

    The span is its times in hundredths of a second, so that neither a rule's name nor the way words were
    cut into segments alters it.
    """
    span = f"{call_id}\x00{kind}\x00{round(start_s * 100)}\x00{round(end_s * 100)}"
    return "m_" + sha256(span.encode()).hexdigest()[:20]
