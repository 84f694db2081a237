"""YAML as plain data with the line of each value: no object but text, lists and mappings comes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

_MAX_DEPTH = 20
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML has it: ten times faster

Loc = tuple[str | int, ...]


class YamlProblem(Exception):
    """Something wrong at ``line`` of the text."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def read_yaml(text: str) -> tuple[Any, dict[Loc, int]]:
    """The YAML as plain data, every scalar a string, and the line of each value by its place.

    Strings, so that no word means something else to YAML ("no", "on", "1:30"); the schema makes numbers.
    Read event by event, and no further than the first thing wrong: PyYAML's own composer calls itself for
    each level, and a hundred thousand brackets in a row end the process. Raises YamlProblem.
    """
    lines: dict[Loc, int] = {}
    try:
        text.encode()
        return _document(yaml.parse(text, Loader=_YAML), lines), lines
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise YamlProblem(line, "half of a surrogate pair is no character") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlProblem(mark.line + 1 if mark else 1, f"no valid YAML: {error.problem or error}") from None
    except yaml.reader.ReaderError as error:  # the C parser counts bytes
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise YamlProblem(line, f"no valid YAML: {error.reason}") from None
    except yaml.YAMLError as error:
        raise YamlProblem(1, f"no valid YAML: {error}") from None


def _document(events: Iterator[yaml.Event], lines: dict[Loc, int]) -> Any:
    next(events)  # the start of the stream
    if isinstance(next(events), yaml.StreamEndEvent):
        raise YamlProblem(1, "the file is empty")
    data = _value(next(events), (), events, lines)
    next(events)  # the end of the document
    another = next(events)
    if not isinstance(another, yaml.StreamEndEvent):
        raise YamlProblem(_line(another), "no valid YAML: a second document begins")
    return data


def _value(event: yaml.Event, loc: Loc, events: Iterator[yaml.Event], lines: dict[Loc, int]) -> Any:
    lines[loc] = line = _line(event)
    if isinstance(event, yaml.AliasEvent):
        raise YamlProblem(line, "aliases (*name) are not allowed")
    if len(loc) > _MAX_DEPTH:
        raise YamlProblem(line, "nested too deeply")
    if isinstance(event, yaml.ScalarEvent):
        return event.value
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(loc, events, lines)
    return _mapping(loc, events, lines)


def _sequence(loc: Loc, events: Iterator[yaml.Event], lines: dict[Loc, int]) -> list[Any]:
    items: list[Any] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        items.append(_value(event, (*loc, len(items)), events, lines))
    return items


def _mapping(loc: Loc, events: Iterator[yaml.Event], lines: dict[Loc, int]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    while not isinstance(key := next(events), yaml.MappingEndEvent):
        at = _line(key)
        if not isinstance(key, yaml.ScalarEvent):
            raise YamlProblem(at, "a key must be a word")
        if key.value in data:
            raise YamlProblem(at, f"{key.value!r} is there twice")
        data[key.value] = _value(next(events), (*loc, key.value), events, lines)
        lines[(*loc, key.value)] = at
    return data


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 1
