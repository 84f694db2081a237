"""Reads a playbook from YAML; whatever is wrong with it is reported with file, line and reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from app.core.exceptions import ConfigurationError, PlaybookMissing
from app.services.coachable.patterns import PhraseError
from app.services.coachable.phrases import FamilyError, read_phrase
from app.services.coachable.playbook import Playbook, WordsRule

BUILT_IN_FOLDER = Path(__file__).parent / "playbooks"
MAX_BYTES = 2 * 1024 * 1024
_MAX_DEPTH = 20
_SHOWN = 5
_MOST_ERRORS = 100

_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML has it: ten times faster

Loc = tuple[str | int, ...]


class _Problem(Exception):
    """Something wrong at ``line`` of the file."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def load_playbook(name: str, folder: Path | None) -> Playbook:
    """The playbook ``name``: ``NAME.yaml`` in your own ``folder``, else the built-in one.

    Raises PlaybookMissing when there is none, and ConfigurationError when it is broken: its detail with file,
    line and reason, its ``errors`` with each place, line and reason.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise ConfigurationError(f"playbook {name!r}: a name is made of letters, digits, - and _")
    folders = [folder, BUILT_IN_FOLDER] if folder is not None else [BUILT_IN_FOLDER]
    for place in folders:
        path = place / f"{name}.yaml"
        if path.is_file():
            return _read(path)
    known = sorted({path.stem for place in folders if place.is_dir() for path in place.glob("*.yaml")})
    raise PlaybookMissing(f"there is no playbook {name!r}; known: {', '.join(known)}")


def _read(path: Path) -> Playbook:
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise ConfigurationError(f"playbook {path}: larger than {MAX_BYTES} bytes")
        return parse_playbook(content.decode(), str(path), path.stem)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"playbook {path}: cannot be read: {error}") from error


def parse_playbook(text: str, source: str, name: str) -> Playbook:
    """The playbook ``name`` that the YAML ``text`` holds; ``source`` says in errors where it came from."""
    try:
        data, lines = _compose(text)
    except _Problem as problem:
        told = [{"field": "yaml", "line": str(problem.line), "message": problem.reason}]
        raise ConfigurationError(f"playbook {source}:{problem.line}: {problem.reason}", errors=told) from None
    try:
        playbook = Playbook.model_validate(data)
    except ValidationError as error:
        # A list whose items are all broken is also told to be empty; that would mislead.
        found = [
            (_place(problem["loc"]), problem["msg"])
            for problem in error.errors()
            if not (problem["type"] == "too_short" and problem["input"])
        ]
        raise _broken(source, lines, found) from None
    if problems := _problems(playbook, name):
        raise _broken(source, lines, problems)
    return playbook


def _place(loc: Loc) -> Loc:
    """Where in the file it is: pydantic puts the kind of a rule after the rule's number."""
    return loc[:2] + loc[3:] if loc[:1] == ("rules",) else loc


def _broken(source: str, lines: dict[Loc, int], problems: list[tuple[Loc, str]]) -> ConfigurationError:
    errors = []
    for loc, reason in problems[:_MOST_ERRORS]:
        known = next(loc[:length] for length in range(len(loc), -1, -1) if loc[:length] in lines)
        where = ".".join(str(part) for part in loc) or "the file"
        message = reason.removeprefix("Value error, ")
        errors.append({"field": where, "line": str(lines[known]), "message": message})
    told = [f"{source}:{error['line']}: {error['field']}: {error['message']}" for error in errors[:_SHOWN]]
    more = len(problems) - _SHOWN
    detail = "playbook " + "; ".join(told) + (f"; and {more} more" if more > 0 else "")
    return ConfigurationError(detail, errors=errors)


def _problems(playbook: Playbook, name: str) -> list[tuple[Loc, str]]:
    """What the schema alone cannot see, each with its place."""
    problems: list[tuple[Loc, str]] = []
    if playbook.name != name:
        problems.append((("name",), f"must be {name!r}, as the file is named"))
    try:
        families = playbook.word_families
    except FamilyError as error:
        return [*problems, (("families", error.family), str(error))]
    seen: set[str] = set()
    for number, rule in enumerate(playbook.rules):
        if rule.id in seen:
            problems.append((("rules", number, "id"), f"there is another rule {rule.id!r} above"))
        seen.add(rule.id)
        if not isinstance(rule, WordsRule):
            continue
        for part in ("phrases", "unless", "absent"):
            for place, text in enumerate(getattr(rule.condition, part)):
                try:
                    read_phrase(text, families, exclusion=part == "unless")
                except PhraseError as error:
                    problems.append((("rules", number, "condition", part, place), f"{text!r}: {error}"))
    return problems


def _compose(text: str) -> tuple[Any, dict[Loc, int]]:
    """The YAML as plain data, every scalar a string, and the line of each value by its place.

    Strings, so that no word means something else to YAML ("no", "on", "1:30"); the schema makes numbers.
    """
    try:
        root = yaml.compose(text, Loader=_YAML)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _Problem(mark.line + 1 if mark else 1, f"no valid YAML: {error.problem or error}") from None
    except yaml.YAMLError as error:
        raise _Problem(1, f"no valid YAML: {error}") from None
    if root is None:
        raise _Problem(1, "the file is empty")
    lines: dict[Loc, int] = {}
    return _plain(root, (), lines, set()), lines


def _plain(node: yaml.Node, loc: Loc, lines: dict[Loc, int], seen: set[int]) -> Any:
    line = node.start_mark.line + 1
    if id(node) in seen:
        raise _Problem(line, "aliases (*name) are not allowed")
    if len(loc) > _MAX_DEPTH:
        raise _Problem(line, "nested too deeply")
    seen.add(id(node))
    lines[loc] = line
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child, (*loc, place), lines, seen) for place, child in enumerate(node.value)]
    data: dict[str, Any] = {}
    for key, value in node.value:
        at = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _Problem(at, "a key must be a word")
        if key.value in data:
            raise _Problem(at, f"{key.value!r} is there twice")
        data[key.value] = _plain(value, (*loc, key.value), lines, seen)
        lines[(*loc, key.value)] = at
    return data
