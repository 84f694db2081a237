"""Tells questions by their grammar, so that they are found where a recogniser writes no "?"."""

from __future__ import annotations

from app.services.coachable.phrases import Phrase, read_families, read_phrase
from app.services.coachable.tokens import Tokens

_REACH = 8
"""How many words before the ones in question an unmarked question may begin."""

_WORDS = {
    "aux": "(is|are|was|were|do|does|did|have|has|had|can|could|will|would|should|shall|may|might|must)",
    "subject": (
        "(i|you|we|they|he|she|it|this|that|these|those|there|someone|somebody|anyone|anybody|anything"
        "|the|your|our|their|his|her|its|my|a|an|any|most|all|some|everyone|people)"
    ),
}
# In turn: a wh-word before its auxiliary; with a noun between them; without an auxiliary; as the subject
# itself; an auxiliary before a subject; imperatives that ask; a polite way round.
_OPENERS = (
    "(what|how|why|when|where|who|whom|whose|which) [else|exactly|about] {aux}",
    "(how|what|which|whose) ... {aux} {subject}",
    "(how|what) (about|if|come)",
    "(what|who|which) (happens|happened|makes|made|led|prompted|brought|brings|drives|drove|else|matters)",
    "who (signs|decides|handles|runs|owns|uses|pays|manages|needs|gets|cares|wants|looks|deals|approves)",
    "{aux} [not] {subject}",
    "(walk|talk|take|run) (me|us) through",
    "(tell|show) (me|us) [a] [little] [bit] [more] (about|what|how|why|who|when|where)",
    "help (me|us) [to] understand",
    "(describe|explain) (how|what|why|your|the|a|that)",
    "(paint|give) (me|us) a [quick] (picture|sense|idea|feel) of",
    "(curious|interested|wondering) [to] [know|hear|learn|in|about] (what|how|why|who|when|where|which)",
)
_LEAD_INS = frozenset((
    "so", "and", "but", "or", "well", "okay", "right", "now", "then", "yes", "no", "sure", "great",
    "hi", "hello", "sorry", "please", "also", "just", "all",
))  # fmt: skip
"""Words that may stand before the first word of a question."""


def openers() -> tuple[Phrase, ...]:
    """Phrases with which an English question begins."""
    families = read_families({name: [phrase] for name, phrase in _WORDS.items()})
    return tuple(read_phrase(text, families, exclusion=False) for text in _OPENERS)


def is_question(tokens: Tokens, first: int, last: int, opened: set[int]) -> bool:
    """Whether the tokens ``first`` to ``last`` are part of a question; ``opened``: where openers match.

    A sentence written with "?" is one. One written with another mark is one if it begins as one. Without
    a mark, a question may begin anywhere in the words just before, or in those asked about.
    """
    sentence = tokens.sentence_at(first)
    if sentence.end == "?":
        return True
    if sentence.end:
        begin = sentence.first
        while begin < last and begin not in opened and tokens.words[begin] in _LEAD_INS:
            begin += 1
        return begin in opened
    return any(place in opened for place in range(max(sentence.first, first - _REACH), last + 1))
