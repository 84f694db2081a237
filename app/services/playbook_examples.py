"""A playbook's own examples: whether each rule finds what it says that it finds, and nothing else. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.schemas.conversation import Conversation
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, Speaker
from app.schemas.transcript import Segment, Word
from app.services.coachable.compiled_playbook import CompiledPlaybook
from app.services.coachable.playbook import Said, WordsRule
from app.services.coachable.rules import UNKNOWN_ROLE, RuleSet
from app.services.metrics_service import measure

WORD_S = 0.4
GAP_S = 0.5
_SPEAKERS = {"agent": "speaker_0", "customer": "speaker_1", UNKNOWN_ROLE: "speaker_2"}

Example = str | tuple[Said, ...]


@dataclass(frozen=True)
class FailedExample:
    """``text``, of the ``part`` ``match`` or ``no_match`` of ``rule``, does not do what it is there for."""

    rule: str
    language: str
    part: str
    text: str

    def __str__(self) -> str:
        verb = "does not find" if self.part == "match" else "finds"
        return f"rule {self.rule} ({self.language}) {verb}: {self.text}"


def failed_examples(playbook: CompiledPlaybook) -> Iterator[FailedExample]:
    """Those of all rules in words, each rule in its first language."""
    for language in sorted(playbook.playbook.languages):
        compiled = playbook.rules_of(language)
        for rule, _ in playbook.playbook.rules_in(language):
            if compiled is not None and rule.languages[0] == language:
                yield from _failed(rule, language, compiled)


def _failed(rule: WordsRule, language: str, compiled: RuleSet) -> Iterator[FailedExample]:
    for part, examples in (("match", rule.match), ("no_match", rule.no_match)):
        for example in examples:
            if _is_found(rule, example, language, compiled) != (part == "match"):
                yield FailedExample(rule.id, language, part, _told(example))


def _is_found(rule: WordsRule, example: Example, language: str, compiled: RuleSet) -> bool:
    from app.services.coachable.view import CallView

    if isinstance(example, str):
        role = UNKNOWN_ROLE if rule.role == "anyone" else rule.role
        view = CallView([Segment(0, _SPEAKERS[role], _words(example, 0.0, 1.0), role)])
    else:
        call = conversation_of(example, language)
        view = CallView(call.segments, measure(call), call.sentiments)
    return any(finding.rule.id == rule.id for findings in compiled.find(view) for finding in findings)


def conversation_of(parts: Sequence[Said], language: str) -> Conversation:
    """The call that an example tells, each party in a channel of its own.

    Where a part has no times it takes 0.4 s a word, half a second after the one before it.
    """
    segments: list[Segment] = []
    end_s = -GAP_S
    for index, part in enumerate(parts):
        start_s = end_s + GAP_S if part.start_s is None else part.start_s
        end_s = start_s + WORD_S * len(part.text.split()) if part.end_s is None else part.end_s
        segments.append(Segment(index, _SPEAKERS[part.role], _words(part.text, start_s, end_s), part.role))
    roles = dict.fromkeys(part.role for part in parts)
    return Conversation(
        duration_s=max(segment.end_s for segment in segments),
        segments=tuple(segments),
        sentiments=tuple(_sentiment(part.sentiment) for part in parts),
        speakers=tuple(
            Speaker(_SPEAKERS[role], Role(role), channel=channel) for channel, role in enumerate(roles)
        ),
        separate_channels=True,
        language=language,
    )


def _words(text: str, start_s: float, end_s: float) -> tuple[Word, ...]:
    words = text.split()
    step_s = (end_s - start_s) / len(words)
    return tuple(
        Word(word, start_s + place * step_s, start_s + (place + 1) * step_s)
        for place, word in enumerate(words)
    )


def _sentiment(score: float | None) -> Sentiment | None:
    """``score`` in [-5, 5] is five times positive minus negative."""
    if score is None:
        return None
    positive, negative = max(score, 0.0) / 5, max(-score, 0.0) / 5
    return Sentiment(SentimentLabel.NEUTRAL, 0.5, positive, 1 - positive - negative, negative)


def _told(example: Example) -> str:
    if isinstance(example, str):
        return example
    return " / ".join(f"{part.role}: {part.text}" for part in example)
