"""Evaluates conditions over a whole call at once: a truth for each segment, and the words that show it.

Imported when the first call is judged, as NumPy would take a tenth of a second of the start.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.services.coachable.conditions import Condition
from app.services.coachable.following import Marks, after, before
from app.services.coachable.places import Characters
from app.services.coachable.view import CallView, Mask

Places = Mapping[int, Characters]
"""Words by the position of their segment."""


class Evaluation:
    """One rule over one call.

    ``words``: what was found for each of the rule's conditions of words, by ``id`` of the condition.
    ``marks``: what the rules found that each of its references speaks of, by ``id`` of the reference.
    """

    def __init__(self, view: CallView, words: Mapping[int, Places], marks: Mapping[int, Marks]) -> None:
        self._view = view
        self._words = words
        self._marks = marks
        self._true: dict[int, Mask] = {}
        self._own: dict[int, Characters] = {}

    def places(self, condition: Condition, role: str) -> Places:
        """Where ``condition`` holds of speakers in ``role``, and the words that show it.

        Those of all its conditions of words that hold; where there are none, all words of the segment.
        """
        self._own = {}
        texts = self._view.texts
        for found in self._positive_words(condition):
            for position, (start, end) in found.items():
                known = self._own.get(position, (start, end))
                self._own[position] = min(known[0], start), max(known[1], end)
        truth = self._truth(condition) & self._view.may_be(role) & self._view.has_text
        positions = np.flatnonzero(truth).tolist()
        if not self._own:
            return {position: (0, len(texts[position])) for position in positions}
        return {position: self._shown(condition, position) for position in positions}

    def _shown(self, condition: Condition, position: int) -> Characters:
        shown = self._shown_by(condition, position) or [(0, len(self._view.texts[position]))]
        return min(start for start, _ in shown), max(end for _, end in shown)

    def _shown_by(self, condition: Condition, position: int) -> list[Characters]:
        """What was found by the conditions of words that make ``condition`` hold there."""
        shown = [places[position]] if (places := self._words.get(id(condition))) else []
        for part in condition.all or ():
            shown += self._shown_by(part, position)
        for part in condition.any or ():
            if self._true[id(part)][position]:
                shown += self._shown_by(part, position)
        return shown

    def _truth(self, condition: Condition) -> Mask:
        """Words first: they are known, and usually few segments are left for the rest."""
        truth = ~self._view.none
        if condition.has_words:
            truth = self._view.none
            truth[list(self._words[id(condition)])] = True
        for measured in condition.on_the_call:
            if not truth.any():
                break
            truth &= measured.holds(self._view)
        for part in condition.all or ():
            truth &= self._truth(part)
        if condition.any is not None:
            truth &= np.logical_or.reduce([self._truth(part) for part in condition.any])
        if condition.not_ is not None:
            truth &= ~self._truth(condition.not_)
        for reference, follows in ((condition.after, after), (condition.before, before)):
            if reference is not None and truth.any():
                truth &= follows(self._view, reference, self._marks[id(reference)], self._own)
        self._true[id(condition)] = truth
        return truth

    def _positive_words(self, condition: Condition) -> list[Places]:
        """What was found for the conditions of words that are not under a ``not``."""
        found = [places] if (places := self._words.get(id(condition))) else []
        for part in (*(condition.all or ()), *(condition.any or ())):
            found += self._positive_words(part)
        return found
