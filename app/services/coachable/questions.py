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
_ENGLISH = (
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
# Where a question needs no auxiliary, its question word opens it; accents are not told apart.
_OPENERS = {
    "en": _ENGLISH,
    "es": (
        "(cómo|cuándo|dónde|quién|quiénes|cuál|cuáles|cuánto|cuánta|cuántos|cuántas)",
        "(por|de|a|en|con|para) (qué|quién|dónde|cuánto)",
        "qué (es|son|fue|pasa|pasó|pasaría|hace|hacen|tan|tal|tipo|les|le|te|os|me|se|tiene|tienen|más)",
        "(me|nos) (puede|puedes|podría|podrías|pueden|cuenta|dice|explica)",
        "(hay|tienen|tenéis|puede|pueden|podéis|podría|podrían|podríamos|se puede|puedo|podemos)",
    ),
    "fr": (
        "(comment|quand|où|qui|combien|pourquoi|quel|quelle|quels|quelles|lequel|laquelle)",
        "(est|qu est) ce (que|qui|qu)",
        "(à|de|par|pour|sur|avec|chez) (qui|quoi|quel|quelle|quels|quelles)",
        "c est (quoi|qui|quand|combien|où|lequel|laquelle)",
        "(avez|êtes|pouvez|pourriez|savez|allez|voulez|faites|seriez|auriez) vous",
        "(peut|puis|sont|faut) (on|je|ils|il)",
    ),
    "de": (
        "(wie|wann|wo|wer|wem|wen|was|warum|wieso|weshalb|welche|welcher|welches|welchen|wofür|woran|womit|worauf)",
        "(woher|wohin|wozu|worum|wieviel|wonach|wodurch|inwiefern|inwieweit)",
        "(haben|sind|können|könnten|würden|wollen|machen|gibt|geht|kann|könnte|ist|hat|muss|müssen|dürfen|darf)"
        " (sie|ihr|wir|ich|man|es|das|die|der|denn)",
        "(hast|bist|kannst|könntest|würdest|willst|machst) du",
        "(kriegt|kriegen|bekommen|bekomme|liefern|liefert) (man|wir|ich|ihr|sie)",
    ),
    "hi": (
        "(क्या|कैसे|कब|कहाँ|कौन|कौनसा|किस|किसको|किसने|किसका|किससे|कितना|कितनी|कितने|क्यों|kya|kaise|kab|kahan)",
        "(kaun|kaunsa|kis|kisko|kisne|kitna|kitni|kitne|kyon|kyun)",
    ),
    "pt": (
        "(como|quando|onde|quem|qual|quais|quanto|quanta|quantos|quantas|cadê)",
        "(por|de|a|em|com|para|pra) (que|quem|onde|quanto|qual)",
        "[o] que (é|são|foi|acontece|aconteceu|aconteceria|faz|fazem|mais|te|lhe|vos|o|a|vocês|você|tipo)",
        "(dá|tem|têm|pode|podem|posso|podemos|consegue|conseguem) (pra|para|como|me|a|o|ser|fazer|mandar)",
    ),
}  # fmt: skip
_LEAD_INS = frozenset((
    "so", "and", "but", "or", "well", "okay", "right", "now", "then", "yes", "no", "sure", "great",
    "hi", "hello", "sorry", "please", "also", "just", "all",
    "y", "e", "et", "und", "pero", "mas", "mais", "aber", "entonces", "entao", "alors", "donc", "dann",
    "bueno", "bom", "bon", "gut", "और", "तो", "अच्छा", "लेकिन",
))  # fmt: skip
"""Words that may stand before the first word of a question."""


def openers(language: str) -> tuple[Phrase, ...]:
    """Phrases with which a question begins in ``language`` (ISO 639-1); in English, where it is not known."""
    families = read_families({name: [phrase] for name, phrase in _WORDS.items()})
    phrases = _OPENERS.get(language, _ENGLISH)
    return tuple(read_phrase(text, families, exclusion=False) for text in phrases)


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
