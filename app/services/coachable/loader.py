"""Reads a playbook from YAML; whatever is wrong with it is reported with file, line and reason."""

from __future__ import annotations

import re
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from app.core.exceptions import ConfigurationError
from app.services.coachable.part import Part
from app.services.coachable.patterns import PhraseError
from app.services.coachable.phrases import BUILT_IN, Families, FamilyError, read_families, read_phrase
from app.services.coachable.playbook import LANGUAGE_PATTERN, LanguagePart, PartBeside, Playbook, WordsRule

BUILT_IN_FOLDER = Path(__file__).parent / "playbooks"
MAX_BYTES = 2 * 1024 * 1024
_MAX_DEPTH = 20
_SHOWN = 5

_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # in C where PyYAML has it: ten times faster

Loc = tuple[str | int, ...]
_Schema = TypeVar("_Schema", Playbook, LanguagePart)


class _Problem(Exception):
    """Something wrong at ``line`` of the file."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def load_playbook(name: str, folder: Path | None) -> Playbook:
    """The playbook ``name``: ``NAME.yaml`` in your own ``folder``, else the built-in one.

    With it goes every ``NAME.<language>.yaml`` beside it. Your own are all read at once; a built-in one is
    read when its language is first asked for, as the start must be quick.
    Raises ConfigurationError, its detail with file, line and reason, when there is none or it is broken.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", name):
        raise ConfigurationError(f"playbook {name!r}: a name is made of letters, digits, - and _")
    folders = [folder, BUILT_IN_FOLDER] if folder is not None else [BUILT_IN_FOLDER]
    for place in folders:
        path = place / f"{name}.yaml"
        if path.is_file():
            playbook = parse_playbook(_text_of(path), str(path), name)
            playbook = playbook.with_parts(_parts_beside(path, playbook))
            if place != BUILT_IN_FOLDER:
                read_all(playbook)
            return playbook
    known = {path.stem for place in folders if place.is_dir() for path in place.glob("*.yaml")}
    shown = ", ".join(sorted(stem for stem in known if "." not in stem))
    raise ConfigurationError(f"there is no playbook {name!r}; known: {shown}")


def read_all(playbook: Playbook) -> None:
    """Read what lies beside ``playbook`` too. Raises ConfigurationError where anything of it is broken."""
    first_in: dict[str, str] = {}
    for language in sorted(playbook.languages):
        for rule, _ in playbook.rules_in(language):
            if first_in.setdefault(rule.id, language) not in rule.languages:
                raise ConfigurationError(
                    f"playbook {playbook.name}: the rule {rule.id!r} of {language!r} has the id of one of "
                    f"{first_in[rule.id]!r}"
                )


def parse_playbook(text: str, source: str, name: str) -> Playbook:
    """The playbook ``name`` that the YAML ``text`` holds; ``source`` says in errors where it came from."""
    playbook, lines = _validated(text, source, Playbook)
    if problems := _problems(playbook, name):
        raise _broken(source, lines, problems)
    return playbook


def parse_part(text: str, source: str, language: str, playbook: Playbook) -> LanguagePart:
    """What the YAML ``text`` adds to ``playbook`` in ``language``. Raises ConfigurationError."""
    part, lines = _validated(text, source, LanguagePart, language)
    if problems := _part_problems(part, language, playbook):
        raise _broken(source, lines, problems)
    return part


def _parts_beside(path: Path, playbook: Playbook) -> dict[str, PartBeside]:
    parts = {}
    for beside in path.parent.glob(f"{path.stem}.*.yaml"):
        language = beside.stem.removeprefix(f"{path.stem}.")
        if not re.fullmatch(LANGUAGE_PATTERN, language):
            raise ConfigurationError(
                f"playbook {beside}: {language!r} is no code of a language, as in mine.es.yaml"
            )
        text = _text_of(beside)
        read = cache(partial(parse_part, text, str(beside), language, playbook))
        parts[language] = PartBeside(sha256(text.encode()).hexdigest(), read)
    return parts


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            raise ConfigurationError(f"playbook {path}: larger than {MAX_BYTES} bytes")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"playbook {path}: cannot be read: {error}") from error


def _validated(
    text: str, source: str, schema: type[_Schema], language: str | None = None
) -> tuple[_Schema, dict[Loc, int]]:
    """``text`` by ``schema``, and the line of each value; ``language``: of its rules."""
    try:
        data, lines = _compose(text)
    except _Problem as problem:
        raise ConfigurationError(f"playbook {source}:{problem.line}: {problem.reason}") from None
    if language is not None:
        _set_language(data, language)
    try:
        return schema.model_validate(data), lines
    except ValidationError as error:
        # A list whose items are all broken is also told to be empty; that would mislead.
        found = [
            (_place(problem["loc"], schema), problem["msg"])
            for problem in error.errors()
            if not (problem["type"] == "too_short" and problem["input"])
        ]
        raise _broken(source, lines, found) from None


def _set_language(data: Any, language: str) -> None:
    rules = data.get("rules") if isinstance(data, dict) else None
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, dict):
            rule.setdefault("languages", [language])


def _place(loc: Loc, schema: type[Part]) -> Loc:
    """Where in the file it is: pydantic puts the kind of a playbook's rule after the rule's number."""
    return loc[:2] + loc[3:] if schema is Playbook and loc[:1] == ("rules",) else loc


def _broken(source: str, lines: dict[Loc, int], problems: list[tuple[Loc, str]]) -> ConfigurationError:
    told = []
    for loc, reason in problems[:_SHOWN]:
        known = next(loc[:length] for length in range(len(loc), -1, -1) if loc[:length] in lines)
        where = ".".join(str(part) for part in loc) or "the file"
        told.append(f"{source}:{lines[known]}: {where}: {reason.removeprefix('Value error, ')}")
    more = len(problems) - _SHOWN
    return ConfigurationError("playbook " + "; ".join(told) + (f"; and {more} more" if more > 0 else ""))


def _problems(playbook: Playbook, name: str) -> list[tuple[Loc, str]]:
    """What the schema alone cannot see, each with its place."""
    wrong_name = [(("name",), f"must be {name!r}, as the file is named")] if playbook.name != name else []
    return [*wrong_name, *_contents_problems(playbook, BUILT_IN, {})]


def _part_problems(part: LanguagePart, language: str, playbook: Playbook) -> list[tuple[Loc, str]]:
    problems: list[tuple[Loc, str]] = [
        (("rules", number, "languages"), f"in this file, rules are for {language!r} alone")
        for number, rule in enumerate(part.rules)
        if rule.languages != (language,)
    ]
    elsewhere = {rule.id: f"in the playbook {playbook.name!r}" for rule in playbook.rules}
    return [*problems, *_contents_problems(part, playbook.word_families, elsewhere)]


def _contents_problems(
    book: Playbook | LanguagePart, known_before: Families, ids: dict[str, str]
) -> list[tuple[Loc, str]]:
    """Problems of families and rules; ``ids``: rules that are there already, and where."""
    try:
        families = read_families(book.families, known_before)
    except FamilyError as error:
        return [(("families", error.family), str(error))]
    problems: list[tuple[Loc, str]] = []
    for number, rule in enumerate(book.rules):
        if rule.id in ids:
            problems.append((("rules", number, "id"), f"there is another rule {rule.id!r} {ids[rule.id]}"))
        ids[rule.id] = "above"
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
