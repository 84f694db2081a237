"""Word lists by language: back-channels, tags, fillers, and how a question begins."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

Phrase = tuple[str, ...]
_LONGEST = 3


@dataclass(frozen=True)
class Vocabulary:
    """The lists of one language; phrases are tokens as ``tokens_of`` makes them.

    ``back_channels``: what a listener says meanwhile. ``tags``: what turns a statement into a question only
    in form. ``hesitations`` are fillers anywhere, ``asides`` where punctuation sets them off.

    A question begins with one of ``openers``; one of ``inversions`` shows one in the middle of text without
    punctuation, unless it follows one of ``joints``. Both are tokens in a row, each "a|b|c" or "*" for any.
    ``lead_ins`` may stand before an opener. ``question_words`` make a question wherever they stand.
    """

    back_channels: frozenset[Phrase]
    tags: frozenset[Phrase]
    hesitations: frozenset[Phrase]
    asides: frozenset[Phrase]
    openers: tuple[tuple[frozenset[str], ...], ...]
    lead_ins: frozenset[str]
    inversions: tuple[tuple[frozenset[str], ...], ...] = ()
    joints: frozenset[str] = frozenset()
    question_words: frozenset[str] = frozenset()
    contractions: dict[str, str] = field(default_factory=dict)


def vocabulary_of(language: str | None) -> Vocabulary | None:
    """That of an ISO 639-1 code, regions aside; None where there is none."""
    return _VOCABULARIES.get((language or "").lower().partition("-")[0])


def made_of(tokens: Sequence[str], phrases: Set[Phrase]) -> bool:
    """Whether ``tokens`` are nothing but phrases of the list, one after another."""
    reachable = {0}
    for end in range(1, len(tokens) + 1):
        if any(
            start in reachable and tuple(tokens[start:end]) in phrases
            for start in range(max(0, end - _LONGEST), end)
        ):
            reachable.add(end)
    return len(tokens) > 0 and len(tokens) in reachable


def _phrases(listed: str) -> frozenset[Phrase]:
    """Phrases parted by commas."""
    return frozenset(tuple(phrase.split()) for phrase in listed.split(","))


def _patterns(*listed: str) -> tuple[tuple[frozenset[str], ...], ...]:
    return tuple(tuple(frozenset(token.split("|")) for token in line.split()) for line in listed)


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_WH = "what|how|why|when|where|who|whom|whose|which"
_AUX = "is|are|was|were|do|does|did|has|can|could|will|would|should|shall|may|might|must"
_SUBJECT = (
    "i|you|we|they|he|she|it|this|that|these|those|there|someone|anyone|anybody|anything|the|your|our|their"
    "|his|her|its|my|a|an|any|people|everyone"
)
_PERSON = "i|you|we|they|he|she|it"
_ENGLISH = Vocabulary(
    back_channels=_phrases(
        "yeah, yep, yup, yes, ya, right, okay, ok, alright, all right, sure, exactly, uh huh, uhuh, mm, mmm,"
        "mhm, mm hm, mm hmm, mmhmm, mm mm, hm, hmm, ah, aha, ah ha, oh, wow, cool, great, nice, good, gotcha,"
        "got it, i see, of course, absolutely, definitely, true, really, correct, fine, indeed, perfect"
    ),
    tags=_phrases(
        "right, okay, ok, alright, all right, yeah, yes, no, huh, eh, correct, really, hello, hi, sorry,"
        "pardon, you know, you see, isn't it, aren't you, don't you, doesn't it, didn't you, won't you, see"
    ),
    hesitations=_phrases("um, umm, uh, uhh, uhm, erm, er"),
    asides=_phrases("you know, i mean, like, sort of, kind of, basically, actually, literally"),
    openers=_patterns(
        f"what|how|why|where|who|whose {_AUX}",
        "which|when do|does|did|can|could|will|would|should",
        f"when|which is|are|was|were {_SUBJECT}",
        f"what|how|which|whose * {_AUX}|have {_SUBJECT}",
        f"what|how|which|whose * * {_AUX}|have {_SUBJECT}",
        f"what|how|which * of * {_AUX}|have {_SUBJECT}",
        f"what|how|why|where|when have {_PERSON}",
        "how|what about|if",
        "who|what|where|how else|soon",
        "how come",
        "what|who happens|happened|makes|made|brings|brought|drives|decides|handles|signs|approves|owns",
        f"is|are|was|does|did|has|can|could|will|would|shall|may|must {_SUBJECT}",
        "should i|we|they|he|she|it|the|this|that",
        "were you|we|they|there|those|these|the|your",
        f"do|have {_PERSON}",
        "do your|their|these|those|people",
    ),
    lead_ins=_words("so and but or well okay ok right now then yes yeah no sure great hi hello sorry also"),
    inversions=_patterns(
        f"{_WH} {_AUX}|have {_PERSON}",
        f"what|how|which * {_AUX}|have {_PERSON}",
        "do|does|did|can|could|would|will|are|have you",
    ),
    joints=_words("i you we they he she it if as than nor neither all everything anything whatever"),
    contractions={
        "n't": "", "'s": "is", "'re": "are", "'ll": "will", "'d": "would", "'ve": "have",
    },
)  # fmt: skip
_SPANISH = Vocabulary(
    back_channels=_phrases(
        "sí, si, ya, claro, vale, ok, okay, ajá, aja, bueno, bien, exacto, de acuerdo, entiendo, perfecto,"
        "cierto, eso, ah, mm, mhm, mm hm, ya veo, por supuesto, correcto, muy bien"
    ),
    tags=_phrases("no, verdad, cierto, vale, sí, si, ok, eh, bueno, claro, ah sí, de acuerdo, hola, perdón"),
    hesitations=_phrases("eh, em, ehm, mmm, este"),
    asides=_phrases("o sea, pues, bueno, digamos, sabes, es decir, la verdad"),
    openers=_patterns(
        "qué|cuál|cuáles|cómo|cuándo|dónde|quién|quiénes|cuánto|cuánta|cuántos|cuántas|adónde",
        "por|para|de|a|en|con|desde|hasta qué|cuál|quién|cuándo|dónde|cuánto|cuántos|cuántas",
    ),
    lead_ins=_words("y pero o entonces bueno pues sí no vale claro hola perdón"),
)
_FRENCH = Vocabulary(
    back_channels=_phrases(
        "oui, ouais, d'accord, ok, okay, voilà, bien sûr, exactement, tout à fait, ah, ah bon, mm, mhm, hum,"
        "je vois, très bien, bien, entendu, parfait, c'est ça, ça marche, effectivement, bon, si"
    ),
    tags=_phrases(
        "non, hein, n'est ce pas, d'accord, oui, ok, ah bon, c'est ça, allô, bonjour, pardon, vrai"
    ),
    hesitations=_phrases("euh, heu, hum, ben, beh"),
    asides=_phrases("tu vois, vous voyez, en fait, quoi, genre, du coup, bon, enfin, disons"),
    openers=_patterns(
        "est ce que|qu'il|qu'elle|qu'on",
        "qu'est ce",
        "pourquoi|comment|combien",
        "quel|quelle|quels|quelles est|sont|était|*",
        "où|quand est|sont|êtes|allez|avez|pouvez|souhaitez|voulez",
        "qui est|sont|s'occupe|décide",
        "avez|êtes|pouvez|pourriez|voulez|souhaitez|savez|connaissez|auriez|seriez|devez|allez|utilisez vous",
        "as|es|peux|veux|sais|vas tu",
        "est|a|y ce|il|elle|on|t",
        "de|à|en|avec|pour|depuis quel|quelle|quels|quelles|quoi|qui|quand|combien",
    ),
    lead_ins=_words("et mais ou alors donc bon oui non bonjour pardon d'accord"),
)
_GERMAN = Vocabulary(
    back_channels=_phrases(
        "ja, jaja, ja ja, genau, okay, ok, mhm, hm, mm, mm hm, aha, ach so, achso, richtig, stimmt, klar,"
        "gut, alles klar, verstehe, ich verstehe, sicher, natürlich, ach, oh, super, prima, schön, eben"
    ),
    tags=_phrases(
        "oder, nicht wahr, ne, gell, ja, nein, okay, ok, stimmt's, richtig, was, bitte, hallo, wirklich"
    ),
    hesitations=_phrases("äh, ähm, ähh, öh, öhm, hm"),
    asides=_phrases("also, sozusagen, halt, quasi, irgendwie, na ja, naja, wissen sie, weißt du"),
    openers=_patterns(
        "wer|was|wann|wo|warum|wieso|weshalb|wie|wohin|woher|womit|wofür|worauf|wem|wen|wessen|worum|wozu",
        "welche|welcher|welches|welchen|welchem",
        "für|mit|bei|von|an|in|auf|bis|seit|ab welche|welcher|welches|welchen|welchem|wen|wem|wann|was",
        "haben|hätten|können|könnten|würden|möchten|wollen|sind|werden|dürfen|sollen|müssen|brauchen|nutzen"
        "|wissen|kennen|arbeiten|wäre|darf|kann|soll sie|wir|ich",
        "hast|kannst|könntest|willst|bist|würdest|möchtest|weißt du",
        "ist|gibt|hat|kann|war|geht|passt|wird|sind|wäre|reicht das|es|der|die|er|ihr|ihre|dies|denn|dein",
    ),
    lead_ins=_words("und aber oder also gut ja nein okay hallo na dann so entschuldigung"),
)
_PORTUGUESE = Vocabulary(
    back_channels=_phrases(
        "sim, é, tá, tá bom, está bem, ok, okay, certo, claro, uhum, aham, ah, hum, pois, pois é, exato, "
        "isso, entendi, beleza, perfeito, com certeza, verdade, bom, muito bem, sei"
    ),
    tags=_phrases("né, não é, certo, tá, ok, não, sim, é, verdade, hein, tá bom, alô, oi, olá, desculpe"),
    hesitations=_phrases("hã, ahn, hum, eh"),
    asides=_phrases("tipo, né, sabe, quer dizer, assim, ou seja, digamos, bem"),
    openers=_patterns(
        "qual|quais|quem|onde|quanto|quanta|quantos|quantas|cadê",
        "o que|quê",
        "por|para|de|a|em|com que|quê|qual|quem|onde|quanto|quantos|quantas",
        "como|quando é|está|vai|foi|funciona|fica|você|vocês|o|a|seria|podemos|posso",
        "será|posso|podemos|podia que|eu|a|o|marcar|enviar|ajudar|falar|ligar|confirmar|perguntar",
    ),
    lead_ins=_words("e mas ou então bom sim não olá oi desculpe certo"),
)
_HINDI = Vocabulary(
    back_channels=_phrases(
        "हाँ, हां, जी, जी हाँ, जी हां, हाँ जी, हां जी, अच्छा, ठीक, ठीक है, सही, सही है, बिल्कुल, ओके, हम्म,"
        "ओह, समझ गया, समझ गई"
    ),
    tags=_phrases("ना, न, है ना, है न, ठीक है, सही है, हाँ, हां, अच्छा, हैलो, हेलो, नमस्ते"),
    hesitations=_phrases("उम, अं, अम्म, हम्म, उह"),
    asides=_phrases("मतलब, यानी, वैसे, देखिए"),
    openers=_patterns("क्या|कैसे|कब|कहाँ|कहां|कौन|कितना|कितने|कितनी|क्यों|किसने|किसका|किस"),
    lead_ins=_words("और तो लेकिन मगर या अच्छा जी हाँ हां"),
    # Hindi leaves the word that asks in its place in the sentence.
    question_words=_words("कैसे कब कहाँ कहां कौन कितना कितने कितनी क्यों किसने किसका"),
)
_VOCABULARIES = {
    "en": _ENGLISH, "es": _SPANISH, "fr": _FRENCH, "de": _GERMAN, "pt": _PORTUGUESE, "hi": _HINDI,
}  # fmt: skip
