"""Regular expressions in rules, run by RE2: the time is linear in the text, whatever the pattern.

RE2 knows no back-references and no look-around (https://github.com/google/re2/wiki/Syntax). They are compared
with the text as it is written, punctuation included; upper and lower case do not matter unless the pattern
says ``(?-i)``. ``\\b``, ``\\w`` and ``\\d`` know ASCII alone; ``\\p{L}`` is any letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import re2

MAX_CHARACTERS = 500
MAX_PROGRAM = 4_000
"""Instructions of one compiled pattern; a class such as ``\\p{L}`` takes some 600 of them."""
MAX_PROGRAMS = 200_000
"""Instructions of all patterns of a playbook."""
MAX_MATCHES = 50
"""How many places of a pattern are looked at in a segment. Each is found in linear time, so that all of them
are: a pattern such as ``a.*b|a`` would otherwise read the rest of the text again for every place."""
_PATTERN_MEMORY = 2 << 20
_SET_MEMORY = 16 << 20


class RegexError(ValueError):
    """A pattern that cannot be used; the message says what is wrong with it."""


def read_regex(text: str) -> re2._Regexp:
    """Compile one pattern. Raises RegexError where it is wrong, too large, or matches an empty text."""
    pattern = _compiled(text)
    if isinstance(pattern, str):
        raise RegexError(pattern)
    return pattern


def program_size(text: str) -> int:
    """Instructions of the compiled pattern. Raises RegexError."""
    size: int = read_regex(text).programsize
    return max(size, 1)


@lru_cache(maxsize=4_096)
def _compiled(text: str) -> Any:
    """The compiled pattern, or what is wrong with it."""
    import re2

    if len(text) > MAX_CHARACTERS:
        return f"it is longer than {MAX_CHARACTERS} characters"
    try:
        pattern = re2.compile(text, _options(_PATTERN_MEMORY))
    except re2.error as error:
        reason = error.args[0]
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    except UnicodeEncodeError:
        return "it holds half a character"
    if pattern.programsize > MAX_PROGRAM:
        return f"it is too large: {pattern.programsize} instructions, of {MAX_PROGRAM} at most"
    if pattern.search("") is not None:
        return "it also matches where there is nothing"
    return pattern


def _options(memory: int) -> re2.Options:
    import re2

    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    options.case_sensitive = False
    return options


class Regexes:
    """Several patterns, all looked for in one pass; only those that are there are then placed.

    Safe to share between threads.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = [read_regex(pattern) for pattern in patterns]
        self._together = _together(patterns)

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """Number of the pattern, first character and the one after the last, of at most 50 places each."""
        if not self._patterns:
            return []
        readable = text.encode(errors="replace").decode()
        everything = range(len(self._patterns))
        there = everything if self._together is None else self._together.Match(readable) or ()
        found = []
        for number in sorted(there):
            for match in islice(self._patterns[number].finditer(readable), MAX_MATCHES):
                start, end = match.span()
                if end > start:
                    found.append((number, start, end))
        return found


def _together(patterns: Sequence[str]) -> re2.Set | None:
    """All patterns as one; None where they are too many for that, and are tried one by one."""
    import re2

    if not patterns:
        return None
    together = re2.Set.SearchSet(_options(_SET_MEMORY))
    try:
        for pattern in patterns:
            together.Add(pattern)
        together.Compile()
    except re2.error:
        return None
    return together
