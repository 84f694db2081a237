"""The schema of what must hold for a rule: words, where in the call, after what, what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

from app.services.coachable.measured import (
    InInterruption,
    InMonologue,
    Loudness,
    OnTheCall,
    Pace,
    Place,
    SentimentScore,
    Silence,
)  # fmt: skip
from app.services.coachable.part import Part
from app.services.coachable.sequence import Reference

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]

MAX_DEPTH = 5
MAX_CONDITIONS = 60
MAX_PARTS = 8
_ON_THE_CALL = (
    "place",
    "after",
    "before",
    "silence",
    "interruption",
    "pace",
    "monologue",
    "loudness",
    "sentiment",
)
_LATER = {"regex": (), "negated": "either", "order": "exact", "within_words": None}
"""Fields of words that are younger than the first playbooks, with what they are when nothing is said."""


class Condition(Part):
    """True of a segment of which everything that is written here is true.

    **Words**: enough of ``phrases`` (see phrases.py) or ``regex`` (see regexes.py) are found. What is found
    is left out where a phrase of ``unless`` overlaps it (or stands next to it, with @). ``absent``: none of
    these may be anywhere in the segment. ``at_least``: how many places must be found, overlapping ones
    counted once. ``only_questions``: only what is found within a question counts. ``negated``: whether what
    stands near a negator counts, or it alone (negation.py). ``order: any``: all phrases are found within
    ``within_words`` words of one sentence, in whatever order; they may share words.

    **On the call**: where the segment lies, what was found before or after it, what was measured on it.

    ``all``, ``any``, ``not``: of conditions like this one, at most 5 deep.
    """

    phrases: tuple[Text, ...] = Field((), min_length=1)
    regex: tuple[Text, ...] = Field((), min_length=1, max_length=50)
    unless: tuple[Text, ...] = ()
    absent: tuple[Text, ...] = ()
    at_least: int = Field(1, ge=1, le=10)
    only_questions: bool = False
    negated: Literal["either", "excluded", "required"] = "either"
    order: Literal["exact", "any"] = "exact"
    within_words: int | None = Field(None, ge=2, le=50)

    place: Place | None = None
    after: Reference | None = None
    before: Reference | None = None
    silence: Silence | None = None
    interruption: InInterruption | None = None
    pace: Pace | None = None
    monologue: InMonologue | None = None
    loudness: Loudness | None = None
    sentiment: SentimentScore | None = None

    all: tuple[Condition, ...] | None = Field(None, min_length=1, max_length=20)
    any: tuple[Condition, ...] | None = Field(None, min_length=1, max_length=20)
    not_: Condition | None = Field(None, alias="not")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        of_words = self.model_fields_set & {"unless", "absent", "at_least", "only_questions", *_LATER} - {
            "regex"
        }
        if not self.has_words and of_words:
            raise ValueError(f"{', '.join(sorted(of_words))}: needs phrases or regex beside it")
        if not self.model_fields_set:
            raise ValueError(
                "says nothing: name phrases, regex, all, any, not or one of " + ", ".join(_ON_THE_CALL)
            )
        return self

    @model_validator(mode="after")
    def _order_has_parts(self) -> Self:
        if self.order == "exact":
            if self.within_words is not None:
                raise ValueError("within_words is for `order: any`")
        elif self.regex or not 2 <= len(self.phrases) <= MAX_PARTS:
            raise ValueError(f"`order: any` takes 2 to {MAX_PARTS} phrases and no regex")
        elif self.within_words is None:
            raise ValueError("`order: any` needs within_words: how many words they may be spread over")
        return self

    @model_serializer(mode="wrap")
    def _as_before(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without younger fields that are not used, so that a new kind alters no playbook's revision."""
        written = handler(self)
        nothing = {**_LATER, **dict.fromkeys((*_ON_THE_CALL, "all", "any", "not_"))}
        unused = {name for name, default in nothing.items() if getattr(self, name) == default}
        return {name: value for name, value in written.items() if name not in unused}

    @property
    def has_words(self) -> bool:
        return bool(self.phrases or self.regex)

    @cached_property
    def is_words_alone(self) -> bool:
        return self.has_words and not (self.parts or self.references or self.on_the_call)

    @property
    def parts(self) -> tuple[Condition, ...]:
        """The conditions that this one is made of."""
        inverted = (self.not_,) if self.not_ is not None else ()
        return (*(self.all or ()), *(self.any or ()), *inverted)

    @property
    def references(self) -> tuple[Reference, ...]:
        return tuple(reference for reference in (self.after, self.before) if reference is not None)

    def walk(self) -> Iterator[Condition]:
        """This condition and all that it is made of."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @cached_property
    def on_the_call(self) -> tuple[OnTheCall, ...]:
        """What is asked of the segment itself, cheapest first; the sequence apart."""
        named = (getattr(self, name) for name in _ON_THE_CALL if name not in ("after", "before"))
        return tuple(condition for condition in named if condition is not None)
