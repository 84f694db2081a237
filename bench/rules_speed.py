"""The rule engine on one core: 200 rules of every kind over 600 segments; twice the call, twice the time."""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from app.schemas.conversation import Conversation
from app.schemas.metrics import Metrics
from app.services.coachable.loader import parse_playbook
from app.services.coachable.rules import RuleSet
from app.services.coachable.view import CallView
from app.services.metrics_service import measure as measure_metrics
from bench.report import Figure, refuse_foreign_load, write
from tests.services.metrics.factories import AGENT, CUSTOMER, Line, conversation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SEGMENTS = 600
ROUNDS = 15
SEED = 20261126
TARGET_MS = 50.0
UTTERANCES = Path(__file__).parent.parent / "tests" / "services" / "coachable" / "utterances.yaml"
TYPES = ("buying_signal", "hesitation", "churn_risk", "escalation", "confusion", "next_step", "empathy")
RULES_OF_KIND = {
    "phrases": 60, "negated": 20, "any order": 20, "regex": 20, "questions": 10, "place": 10,
    "sequence": 20, "measured": 20, "interruption, monologue": 10, "nested": 10,
}  # fmt: skip

Condition = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A call as the pipeline hands it over."""

    conversation: Conversation
    metrics: Metrics

    def milliseconds(self, rules: RuleSet) -> float:
        """Processor time of one analysis; what it looks at is laid out anew, as it is for each call."""
        began = time.process_time()
        self.findings(rules)
        return (time.process_time() - began) * 1000

    def findings(self, rules: RuleSet) -> list[str]:
        """The ids of rules, once for each finding."""
        view = CallView(self.conversation.segments, self.metrics, self.conversation.sentiments)
        return [finding.rule.id for findings in rules.find(view) for finding in findings]


def measure(*, quick: bool = False) -> list[Figure]:
    """``quick``: the ratio alone has a target."""
    refuse_foreign_load()
    dice = random.Random(SEED)
    texts = _texts()
    by_kind = {kind: [_rule(kind, number, texts, dice) for number in range(count)]
               for kind, count in RULES_OF_KIND.items()}  # fmt: skip
    everything = [rule for rules in by_kind.values() for rule in rules]
    rules = _compiled(everything)
    call, longer = _call(texts, SEGMENTS, dice), _call(texts, 2 * SEGMENTS, dice)
    first_ms = call.milliseconds(rules)
    longer.milliseconds(rules)
    rounds = [(call.milliseconds(rules), longer.milliseconds(rules)) for _ in range(ROUNDS)]
    once_ms = statistics.median(once for once, _ in rounds)
    alone_ms = {kind: _alone(_compiled(rules), call) for kind, rules in by_kind.items()}
    figures = [
        Figure(f"{len(everything)} rules, {SEGMENTS} segments", once_ms, "ms", None if quick else TARGET_MS),
        Figure("the first call, which makes the automaton's states", first_ms, "ms"),
        Figure("twice as many segments", statistics.median(two / one for one, two in rounds), "x", 2.5),
    ]
    found = call.findings(rules)
    details = {
        "words": sum(len(segment.words) for segment in call.conversation.segments),
        "findings": len(found),
        "rules_with_findings": len(set(found)),
        "rounds_ms": rounds,
        "kinds_alone_ms": alone_ms,
    }

    def draw(axes: Axes) -> None:
        names = [f"{kind} ({count})" for kind, count in RULES_OF_KIND.items()]
        axes.barh([f"all ({len(everything)})", *names], [once_ms, *alone_ms.values()], color="#3b6ea8")
        axes.axvline(TARGET_MS, color="#b03a2e", linewidth=1)
        axes.invert_yaxis()
        axes.set_xlabel(f"ms for {SEGMENTS} segments: all rules, and each kind alone")

    write("rules_speed", figures, draw, details)
    return figures


def _alone(rules: RuleSet, call: Call) -> float:
    call.milliseconds(rules)
    return statistics.median(call.milliseconds(rules) for _ in range(5))


def _compiled(rules: list[Condition]) -> RuleSet:
    # A sequence speaks of this rule, so that it stands in every playbook.
    first = _rule_of("first", {"phrases": ["(price|cost|budget|expensive)"]}, "objection", subtype="price")
    silence = {"id": "silence", "type": "dead_air", "role": "anyone", "confidence": 0.9, "why": "W.",
               "tip": "T.", "condition": {"dead_air": {"at_least_s": 5}}}  # fmt: skip
    families = {"us": ["(us|me|our|my)"], "soon": ["(today|tomorrow|next week|in {number} days)"]}
    playbook = {"name": "speed", "version": "1", "families": families, "rules": [first, silence, *rules]}
    text = yaml.safe_dump(playbook, sort_keys=False, allow_unicode=True)
    return RuleSet(parse_playbook(text, "speed.yaml", "speed"), "en")


def _rule(kind: str, number: int, texts: list[str], dice: random.Random) -> Condition:
    words = _words(texts, dice)
    few = [next(words) for _ in range(6)]
    condition: Condition = {
        "phrases": {"phrases": [*few[:4], f"{few[4]} ...5 {few[5]}"], "unless": ["not ...2 @", next(words)]},
        "negated": {"phrases": few, "negated": dice.choice(("excluded", "required"))},
        "any order": {"phrases": [max(two.split(), key=len) for two in few[:2]], "order": "any",
                      "within_words": 8},
        "regex": {"regex": [rf"\b{few[0].split()[0]}\w* \w+ {few[1].split()[0]}", rf"{few[2]}[^.?!]*\d+"]},
        "questions": {"phrases": few, "only_questions": True, "at_least": 1 + number % 2},
        "place": {"phrases": few, "place": dice.choice(({"first_percent": 20}, {"last_s": 300}))},
        "sequence": dice.choice((
            {"after": {"rule": "first", "by": "other", "within_s": dice.choice((0.5, 2, 10))}},
            {"phrases": few, "before": {"type": "objection", "within_s": 30}},
            {"phrases": few, "after": {"type": "dead_air", "within_s": 5}},
        )),
        "measured": dice.choice((
            {"sentiment": {"below": -2 - dice.random()}}, {"pace": {"over_words_per_minute": 280}},
            {"silence": {"before_at_least_s": 5}}, {"loudness": {"louder_by_db": 8 + dice.random()}},
        )),
        "interruption, monologue": dice.choice((
            {"interruption": {"by": "either", "overlap_at_least_s": 0.5}},
            {"monologue": {"longer_than_s": 30 + number}},
        )),
        "nested": {"all": [{"any": [{"phrases": few[:3]}, {"regex": [few[3]]}]},
                           {"not": {"phrases": few[4:]}},
                           {"any": [{"sentiment": {"below": 0}}, {"place": {"first_s": 600}}]}]},
    }[kind]  # fmt: skip
    name = "".join(letter if letter.isalpha() else "_" for letter in kind)
    return _rule_of(f"{name}_{number}", condition, dice.choice(TYPES))


def _rule_of(name: str, condition: Condition, type_: str, **more: str) -> Condition:
    return {"id": name, "type": type_, **more, "role": "anyone", "confidence": 0.7, "why": "W.", "tip": "T.",
            "condition": condition, "match": ["unused"], "no_match": ["unused"]}  # fmt: skip


def _words(texts: list[str], dice: random.Random) -> Iterator[str]:
    """Two or three words in a row of something that was said."""
    while True:
        said = [word for word in dice.choice(texts).lower().split() if word.isascii() and word.isalpha()]
        length = dice.choice((2, 3))
        if len(said) > length and not {"um", "uh", "er", "hm", "ah"} & set(said):
            place = dice.randrange(len(said) - length)
            yield " ".join(said[place : place + length])


def _texts() -> list[str]:
    parts: dict[str, list[dict[str, Any]]] = yaml.safe_load(UTTERANCES.read_text(encoding="utf-8"))
    return [utterance["text"] for utterances in parts.values() for utterance in utterances]


def _call(texts: list[str], count: int, dice: random.Random) -> Call:
    """Both sides speak in turn, at times at once or after a silence, some segments of two utterances."""
    lines: list[Line] = []
    at_s = 0.0
    for number in range(count):
        text = " ".join(dice.choices(texts, k=dice.choice((1, 1, 2))))
        end_s = at_s + len(text.split()) * dice.uniform(0.2, 0.5)
        feeling = (dice.uniform(0, 0.5), dice.uniform(0, 0.5))
        lines.append(Line((AGENT, CUSTOMER)[number % 2], at_s, end_s, text, feeling))
        at_s = end_s + dice.choice((-0.8, 0.1, 0.3, 0.6, 3.5, 6.0))
    levels = tuple(tuple(dice.uniform(-40, -10) for _ in range(int(at_s) + 10)) for _ in range(2))
    call = conversation(*lines, duration_s=at_s + 8, loudness=levels)
    return Call(call, measure_metrics(call))


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv)
