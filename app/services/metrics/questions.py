"""Finds the questions that are asked: by their mark, or by their grammar where no mark tells. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from app.schemas.metrics import Question
from app.schemas.transcript import Segment
from app.services.metrics.intervals import seconds, within
from app.services.metrics.vocabulary import Vocabulary, made_of
from app.services.metrics.voices import tokens_of

_ASKING = ("?", "？", "؟", "⁇", "⁈", "⁉")
_CLOSING = (*_ASKING, ".", "!", "…", "。", "！", "।")
_QUOTES = "\"'”’»)]"
_APART = 4
"""Tokens from one question to the next within text that has no marks."""
_TAG_TOKENS = 3


@dataclass(frozen=True)
class _Sentence:
    """Words ``first`` to ``last`` of a segment (both in it), the mark that ends them, "" for none."""

    first: int
    last: int
    mark: str


def find_questions(
    segments: Sequence[Segment], vocabulary: Vocabulary | None, duration: int
) -> tuple[Question, ...]:
    """Every question, in order of segments; without a vocabulary, those that are written with a mark.

    A question that goes on in the same speaker's next segment is one. ``duration``: of the recording, in
    milliseconds.
    """
    by_index = {segment.index: segment for segment in segments}
    found: list[Question] = []
    for segment in segments:
        for sentence in _sentences(segment):
            for first, last, known_by in _asked(segment, sentence, vocabulary):
                question = _question(segment, first, last, known_by, duration)
                if (
                    found
                    and sentence.first == 0
                    and sentence.mark
                    and _goes_on(found[-1], question, by_index)
                ):
                    question = replace(
                        found.pop(), end_s=question.end_s, last_segment=question.last_segment,
                        last_word=question.last_word, known_by=known_by,
                    )  # fmt: skip
                found.append(question)
    return tuple(found)


def _sentences(segment: Segment) -> Iterator[_Sentence]:
    first = 0
    for place, word in enumerate(segment.words):
        text = word.text.rstrip().rstrip(_QUOTES)
        if text.endswith(_CLOSING):
            yield _Sentence(first, place, "?" if text.endswith(_ASKING) else text[-1])
            first = place + 1
    if first < len(segment.words):
        yield _Sentence(first, len(segment.words) - 1, "")


def _asked(
    segment: Segment, sentence: _Sentence, vocabulary: Vocabulary | None
) -> Iterator[tuple[int, int, Literal["mark", "grammar"]]]:
    """First and last word of each question in a sentence: one, or several where there are no marks."""
    written = [
        (token, place)
        for place in range(sentence.first, sentence.last + 1)
        for token in tokens_of(segment.words[place].text)
    ]
    plain = [token for token, _ in written]
    if not written:
        return
    if vocabulary is None:
        if sentence.mark == "?":
            yield sentence.first, sentence.last, "mark"
        return
    if made_of(plain, vocabulary.tags | vocabulary.back_channels):
        return
    tokens = [part for token in plain for part in _spelt_out(token, vocabulary)]
    places = [place for token, place in written for _ in _spelt_out(token, vocabulary)]
    opens = _opens(tokens, vocabulary)
    if sentence.mark == "?":
        if opens or not _tagged(segment, written, vocabulary):
            yield sentence.first, sentence.last, "mark"
    elif sentence.mark in (".", "।", "。", "…"):
        if opens:
            yield sentence.first, sentence.last, "grammar"
    elif not sentence.mark:
        begins = _begins(tokens, vocabulary, opens)
        for begin, following in pairwise([*begins, len(tokens)]):
            yield places[begin], places[following - 1], "grammar"


def _spelt_out(token: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """A contraction as the words it is short for; negation is left out."""
    for ending, meaning in vocabulary.contractions.items():
        if token.endswith(ending) and len(token) > len(ending):
            stem = {"wo": "will", "ca": "can"}.get(token.removesuffix(ending), token.removesuffix(ending))
            return (stem, meaning) if meaning else (stem,)
    return (token,)


def _opens(tokens: Sequence[str], vocabulary: Vocabulary) -> bool:
    begin = 0
    while begin < len(tokens) and tokens[begin] in vocabulary.lead_ins:
        begin += 1
    # A lead-in may be an opener itself.
    starts = range(begin + 1)
    return any(_fits(tokens, at, pattern) for at in starts for pattern in vocabulary.openers) or any(
        token in vocabulary.question_words for token in tokens
    )


def _begins(tokens: Sequence[str], vocabulary: Vocabulary, opens: bool) -> list[int]:
    """Where questions begin in text without marks."""
    begins = [0] if opens else []
    for at in range(len(tokens)):
        if begins and at - begins[-1] < _APART:
            continue
        if at and tokens[at - 1] in vocabulary.joints:
            continue
        if any(_fits(tokens, at, pattern) for pattern in vocabulary.inversions):
            begins.append(at)
    return begins


def _fits(tokens: Sequence[str], at: int, pattern: Sequence[frozenset[str]]) -> bool:
    return at + len(pattern) <= len(tokens) and all(
        tokens[at + place] in wanted or "*" in wanted for place, wanted in enumerate(pattern)
    )


def _tagged(segment: Segment, written: Sequence[tuple[str, int]], vocabulary: Vocabulary) -> bool:
    """Whether a comma and a tag end the sentence ("You have ten seats, right?")."""
    for size in range(1, min(_TAG_TOKENS, len(written) - 1) + 1):
        tag = tuple(token for token, _ in written[-size:])
        before = segment.words[written[-size - 1][1]].text.rstrip()
        if tag in vocabulary.tags and before.endswith((",", "，", "—", "–")):
            return True
    return False


def _question(
    segment: Segment, first: int, last: int, known_by: Literal["mark", "grammar"], duration: int
) -> Question:
    words = segment.words
    start, end = within(words[first].start_s, words[last].end_s, duration)
    return Question(
        segment.speaker, seconds(start), seconds(end), segment.index, first, segment.index, last, known_by
    )


def _goes_on(last: Question, question: Question, segments: Mapping[int, Segment]) -> bool:
    """Whether ``question`` is the rest of ``last``, which breaks off without a mark at its segment's end."""
    return (
        last.speaker == question.speaker
        and last.known_by == "grammar"
        and question.segment == last.last_segment + 1
        and last.last_word == len(segments[last.last_segment].words) - 1
        and not segments[last.last_segment].words[-1].text.rstrip().rstrip(_QUOTES).endswith(_CLOSING)
    )
