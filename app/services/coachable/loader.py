"""Reads a playbook from YAML; whatever is wrong with it is reported with file, line and reason."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from app.core.exceptions import ConfigurationError, PlaybookMissing
from app.services.coachable.patterns import PhraseError
from app.services.coachable.phrases import FamilyError, read_phrase
from app.services.coachable.playbook import Playbook, WordsRule
from app.services.coachable.yaml_text import Loc, YamlProblem, read_yaml

BUILT_IN_FOLDER = Path(__file__).parent / "playbooks"
MAX_BYTES = 2 * 1024 * 1024
_SHOWN = 5
_MOST_ERRORS = 100


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


def parse_playbook(text: str, source: str, name: str | None) -> Playbook:
    """The playbook ``name`` that the YAML ``text`` holds; ``source`` says in errors where it came from.

    None takes the name that it gives itself. Raises ConfigurationError, as ``load_playbook`` does.
    """
    try:
        data, lines = read_yaml(text)
    except YamlProblem as problem:
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


def _problems(playbook: Playbook, name: str | None) -> list[tuple[Loc, str]]:
    """What the schema alone cannot see, each with its place."""
    problems: list[tuple[Loc, str]] = []
    if name is not None and playbook.name != name:
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
