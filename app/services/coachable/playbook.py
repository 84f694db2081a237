"""The schema of a playbook: a named, versioned set of rules that say what makes which moment."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    StringConstraints,
    Tag,
    model_serializer,
    model_validator,
)

from app.schemas.moment import MomentType, ObjectionSubtype, TimedMomentType
from app.services.coachable.conditions import Condition, Text
from app.services.coachable.detectors.registry import SignalCondition
from app.services.coachable.negation import Negators, built_in_negators
from app.services.coachable.part import Part
from app.services.coachable.phrases import Families, read_families

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"^[^\n]*$")
]
LANGUAGE_PATTERN = r"^[a-z]{2,3}$"
Language = Annotated[str, StringConstraints(pattern=LANGUAGE_PATTERN)]
Role = Literal["agent", "customer", "anyone"]


_LONGEST_EXAMPLE_S = 4 * 3600
_MOST_RULES = 1_000


class Said(Part):
    """One segment of an example call, its words spread evenly over its time.

    Without times it takes 0.4 s a word, half a second after the one before it. ``sentiment`` is in [-5, 5],
    ``dbfs`` its level in dB of full scale.
    """

    role: Literal["agent", "customer", "unknown"]
    text: Text
    start_s: float | None = Field(None, ge=0, le=_LONGEST_EXAMPLE_S)
    end_s: float | None = Field(None, gt=0, le=_LONGEST_EXAMPLE_S)
    sentiment: float | None = Field(None, ge=-5, le=5)
    dbfs: float | None = Field(None, ge=-100, le=0)

    @model_validator(mode="after")
    def _has_a_span(self) -> Self:
        if (self.start_s is None) != (self.end_s is None) or (self.end_s or 1.0) <= (self.start_s or 0.0):
            raise ValueError("give both start_s and end_s, the later one as end_s, or neither")
        return self


def _kind_of_example(example: Any) -> str:
    return "<call>" if isinstance(example, list | tuple) else "<text>"


Example = Annotated[
    Annotated[Text, Tag("<text>")]
    | Annotated[Annotated[tuple[Said, ...], Field(min_length=1, max_length=40)], Tag("<call>")],
    Discriminator(_kind_of_example),
]
"""What somebody says, or a short call, for what lies beyond the words."""


class WordsRule(Part):
    """One way in which a kind of moment shows in a segment, with what a coach says about it.

    ``confidence`` is that of a match by a speaker whose role is known. ``match`` and ``no_match`` are
    utterances, or short calls, in which it must, and must not, be found.
    """

    id: Name
    type: MomentType
    subtype: ObjectionSubtype | None = None
    role: Role
    languages: tuple[Language, ...] = Field(("en",), min_length=1)
    confidence: float = Field(gt=0, le=1)
    why: Line
    tip: Line
    condition: Condition
    match: tuple[Example, ...] = Field(min_length=1)
    no_match: tuple[Example, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _subtype_where_it_belongs(self) -> Self:
        if self.type is MomentType.OBJECTION and self.subtype is None:
            raise ValueError(f"an objection needs a subtype: one of {', '.join(ObjectionSubtype)}")
        if self.type is not MomentType.OBJECTION and self.subtype is not None:
            raise ValueError("only an objection has a subtype")
        return self


class TimedRule(Part):
    """One signal in the course of a call, in whatever language, with what a coach says about it.

    ``confidence`` is that of a finding that is heard and not guessed. ``role``: whom it is about; a rule
    about one of them needs known roles.
    """

    id: Name
    type: TimedMomentType
    role: Role
    confidence: float = Field(gt=0, le=1)
    why: Line
    tip: Line
    condition: SignalCondition

    @model_validator(mode="after")
    def _signal_is_the_type(self) -> Self:
        if self.condition.signal != self.type:
            raise ValueError(f"the condition of a rule of type {self.type} names the signal {self.type}")
        return self


def _kind_of(rule: Any) -> str:
    """What kind of rule its ``type`` makes it; words, if there is none such."""
    named = rule.get("type") if isinstance(rule, dict) else getattr(rule, "type", None)
    return "<time>" if named in set(TimedMomentType) else "<words>"


Rule = Annotated[
    Annotated[WordsRule, Tag("<words>")] | Annotated[TimedRule, Tag("<time>")], Discriminator(_kind_of)
]


class LanguagePart(Part):
    """What ``NAME.<language>.yaml`` adds to the playbook beside it: rules of that language, and families.

    A family named as one of the playbook's takes its place in this file.
    """

    families: dict[Name, tuple[Text, ...]] = Field(default_factory=dict)
    negators: Negators | None = None
    rules: tuple[WordsRule, ...] = Field(min_length=1)


@dataclass(frozen=True)
class PartBeside:
    """A part of a playbook in a file of its own: ``digest`` tells contents apart, ``read`` reads it.

    ``read`` raises ConfigurationError where it is broken.
    """

    digest: str
    read: Callable[[], LanguagePart] = field(compare=False)


class Playbook(Part):
    """Rules, and the word families that their phrases share; a family may use those written before it.

    ``version`` is its author's; ``revision`` tells contents apart, whatever the author says. Rules of some
    languages may lie in files beside it, which are read when they are first asked for.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]
    version: Line
    description: Line | None = None
    families: dict[Name, tuple[Text, ...]] = Field(default_factory=dict)
    negators: dict[Language, Negators] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = Field(min_length=1, max_length=_MOST_RULES)
    _beside: Mapping[str, PartBeside] = PrivateAttr(default_factory=dict)

    def with_parts(self, beside: Mapping[str, PartBeside]) -> Playbook:
        """The same playbook with ``beside`` as its parts by language."""
        playbook = self.model_copy()
        playbook._beside = dict(sorted(beside.items()))
        for made_of_parts in ("languages", "revision"):
            playbook.__dict__.pop(made_of_parts, None)
        return playbook

    @cached_property
    def words_rules(self) -> tuple[WordsRule, ...]:
        """Those of the playbook's own file, in all languages."""
        return tuple(rule for rule in self.rules if isinstance(rule, WordsRule))

    @cached_property
    def timed_rules(self) -> tuple[TimedRule, ...]:
        return tuple(rule for rule in self.rules if isinstance(rule, TimedRule))

    @cached_property
    def word_families(self) -> Families:
        """Raises FamilyError; never for a playbook that the loader accepted."""
        return read_families(self.families)

    @cached_property
    def languages(self) -> frozenset[str]:
        """Those that any rule in words is for."""
        named = {language for rule in self.words_rules for language in rule.languages}
        return frozenset(named | self._beside.keys())

    def rules_in(self, language: str) -> tuple[tuple[WordsRule, Families], ...]:
        """The rules in words for ``language``, each with the families that its phrases may use.

        Reads the language's own file the first time. Raises ConfigurationError where that is broken.
        """
        own = [(rule, self.word_families) for rule in self.words_rules if language in rule.languages]
        beside = self._beside.get(language)
        if beside is None:
            return tuple(own)
        part = beside.read()
        families = read_families(part.families, self.word_families)
        return (*own, *((rule, families) for rule in part.rules))

    def negators_in(self, language: str) -> Negators | None:
        """The list for ``language``: of its own file, else the playbook's, else the built-in one, if any."""
        beside = self._beside.get(language)
        own = beside.read().negators if beside else None
        return own or self.own_negators_in(language)

    def own_negators_in(self, language: str) -> Negators | None:
        """The same without the language's own file."""
        return self.negators.get(language) or built_in_negators().get(language)

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without negators where it brings none, so that they alter no other playbook's revision."""
        written: dict[str, Any] = handler(self)
        return {name: value for name, value in written.items() if name != "negators" or value}

    @cached_property
    def revision(self) -> str:
        """A hash of the contents; comments and layout of the playbook's own file do not alter it."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=False, ensure_ascii=False)
        for language, part in self._beside.items():
            content += f"\n{language} {part.digest}"
        return sha256(content.encode()).hexdigest()[:12]
