"""Finds all phrases of a playbook in a text at once: an automaton over words, built as texts need it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.services.coachable.patterns import Atom, Pattern
from app.services.coachable.phrases import Phrase
from app.services.coachable.tokens import Sentence, Tokens, is_number

_MAX_STATES = 20_000
_MAX_REMEMBERED_WORDS = 50_000

Symbol = frozenset[int]
"""Numbers of the atoms that a word fulfils."""


Match = tuple[int, int, int]
"""Number of a phrase, and the first and the last of the tokens that it covers. Plain: there are many."""


@dataclass(slots=True, eq=False)
class _Rest:
    """What must still come for phrase ``phrase`` to match: ``pattern``, then ``then``; nothing at its end."""

    phrase: int
    pattern: Pattern | None = None
    then: _Rest | None = None
    before: dict[int, _Rest] = field(default_factory=dict)
    heads: list[tuple[int, _Rest]] = field(default_factory=list)
    may_end: bool = False
    looked_at: bool = False

    def after(self, pattern: Pattern) -> _Rest:
        """``pattern`` and then this: always the same object, so that sets of them can be compared."""
        known = self.before.get(id(pattern))
        if known is None:
            known = self.before[id(pattern)] = _Rest(self.phrase, pattern, self)
        return known


@dataclass(slots=True, eq=False)
class _State:
    """What may come after the words so far, the phrases complete here, those of them that are so only at an
    edge of a sentence, and the moves known.

    A move to None: no phrase can match any more. Only the root has no ``rests``.
    """

    rests: frozenset[_Rest]
    complete: tuple[int, ...] = ()
    at_edges: frozenset[int] = frozenset()
    moves: dict[Symbol, _State | None] = field(default_factory=dict)


_NOT_KNOWN: Final = _State(frozenset())


class Automaton:
    """Every phrase in one automaton.

    It is walked from each word on until no phrase can match: at most ``MAX_WORDS`` steps a word, so the
    time is linear in the text. States are made when first reached and dropped all at once when there are
    too many; losing them costs time only, so that threads may share an automaton without a lock.
    """

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        self._phrases = tuple(phrases)
        self._atoms: dict[Atom, int] = {}
        for atom in _leaves(phrase.pattern for phrase in phrases):
            self._atoms.setdefault(atom, len(self._atoms))
        self._index_words()
        self._beginning_with: dict[int, list[_Rest]] = {}
        for number, phrase in enumerate(phrases):
            for atom_number, rest in self._look_at(_Rest(number).after(phrase.pattern)).heads:
                self._beginning_with.setdefault(atom_number, []).append(rest)
        self._forget()

    @property
    def size(self) -> int:
        """How many phrases it knows."""
        return len(self._phrases)

    def matches(self, tokens: Tokens) -> list[Match]:
        """Every match, overlapping ones included, in order of first word and then of length."""
        known = self._symbols
        symbols = [known.get(word) or self._symbol(word) for word in tokens.words]
        found: list[Match] = []
        root = self._root
        for sentence in tokens.sentences:
            for first in range(sentence.first, sentence.last + 1):
                place = first
                state = root.moves.get(symbols[first], _NOT_KNOWN)
                if state is _NOT_KNOWN:
                    state = self._move(root, symbols[first])
                while state is not None:
                    for number in state.complete:
                        if number not in state.at_edges or self._fits(number, first, place, sentence):
                            found.append((number, first, place))
                    if place == sentence.last:
                        break
                    place += 1
                    following = state.moves.get(symbols[place], _NOT_KNOWN)
                    state = self._move(state, symbols[place]) if following is _NOT_KNOWN else following
        return found

    def _fits(self, number: int, first: int, last: int, sentence: Sentence) -> bool:
        phrase = self._phrases[number]
        at_start = first == sentence.first or not phrase.at_start
        return at_start and (last == sentence.last or not phrase.at_end)

    def _move(self, state: _State, symbol: Symbol) -> _State | None:
        if state.rests:
            heads = (head for rest in state.rests for head in rest.heads)
            rests = frozenset(following for atom, following in heads if atom in symbol)
        else:
            rests = frozenset(rest for atom in symbol for rest in self._beginning_with.get(atom, ()))
        following = self._state(rests) if rests else None
        state.moves[symbol] = following
        return following

    def _state(self, rests: frozenset[_Rest]) -> _State:
        if len(self._states) > _MAX_STATES:
            self._forget()
        known = self._states.get(rests)
        if known is None:
            complete = sorted({rest.phrase for rest in rests if self._look_at(rest).may_end})
            at_edges = [n for n in complete if self._phrases[n].at_start or self._phrases[n].at_end]
            known = self._states[rests] = _State(rests, tuple(complete), frozenset(at_edges))
        return known

    def _look_at(self, rest: _Rest) -> _Rest:
        """Find the words that ``rest`` can begin with, what follows each, and whether it can be nothing."""
        if rest.looked_at:
            return rest
        heads: list[tuple[int, _Rest]] = []
        seen = {rest}
        waiting = [rest]
        while waiting:
            at = waiting.pop()
            if at.pattern is None or at.then is None:
                rest.may_end = True
            elif at.pattern.atom is not None:
                heads.append((self._atoms[at.pattern.atom], at.then))
            else:
                for ahead in _unfolded(at.pattern, at.then):
                    if ahead not in seen:
                        seen.add(ahead)
                        waiting.append(ahead)
        rest.heads = heads
        rest.looked_at = True
        return rest

    def _forget(self) -> None:
        self._states: dict[frozenset[_Rest], _State] = {}
        self._root = _State(frozenset())

    def _index_words(self) -> None:
        numbered = self._atoms.items()
        self._of_unknown: Symbol = frozenset(number for atom, number in numbered if atom.anything)
        self._of_number = self._of_unknown | {number for atom, number in numbered if atom.number}
        self._of_prefix: dict[str, set[int]] = {}
        self._of_word: dict[str, set[int]] = {}
        for atom, number in numbered:
            for prefix in atom.prefixes:
                self._of_prefix.setdefault(prefix, set()).add(number)
            for word in atom.words:
                self._of_word.setdefault(word, set()).add(number)
        self._prefix_lengths = sorted({len(prefix) for prefix in self._of_prefix})
        self._symbols: dict[str, Symbol] = {}

    def _symbol(self, word: str) -> Symbol:
        known = self._symbols.get(word)
        if known is not None:
            return known
        symbol = self._of_number if is_number(word) else self._of_unknown
        symbol |= self._of_word.get(word, frozenset())
        for length in self._prefix_lengths:
            symbol |= self._of_prefix.get(word[:length], frozenset())
        if len(self._symbols) >= _MAX_REMEMBERED_WORDS:
            self._symbols.clear()
        self._symbols[word] = symbol
        return symbol


def _unfolded(pattern: Pattern, then: _Rest) -> list[_Rest]:
    """``pattern`` and then ``then``, taken one level apart: each of several, or the first of a sequence."""
    if pattern.either:
        return [then.after(part) for part in pattern.parts]
    for part in reversed(pattern.parts):
        then = then.after(part)
    return [then]


def _leaves(patterns: Iterable[Pattern]) -> Iterator[Atom]:
    """The atoms of all ``patterns``; what they share is looked at once."""
    seen: set[int] = set()
    waiting = list(patterns)
    while waiting:
        pattern = waiting.pop()
        if id(pattern) in seen:
            continue
        seen.add(id(pattern))
        if pattern.atom is not None:
            yield pattern.atom
        waiting.extend(pattern.parts)
