"""Reads a playbook from YAML; whatever is wrong with it is reported with file, line and reason."""

from __future__ import annotations

import re
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from app.core.exceptions import ConfigurationError, PlaybookMissing
from app.services.coachable.checks import part_problems, playbook_problems
from app.services.coachable.playbook import LANGUAGE_PATTERN, LanguagePart, PartBeside, Playbook
from app.services.coachable.yaml_text import Loc, YamlProblem, read_yaml

BUILT_IN_FOLDER = Path(__file__).parent / "playbooks"
MAX_BYTES = 2 * 1024 * 1024
_SHOWN = 5
_MOST_ERRORS = 100

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_Schema = TypeVar("_Schema", Playbook, LanguagePart)


def load_playbook(name: str, folder: Path | None) -> Playbook:
    """The playbook ``name``: ``NAME.yaml`` in your own ``folder``, else the built-in one.

    With it goes every ``NAME.<language>.yaml`` beside it. Your own are all read and checked at once. Of a
    built-in one, a language's file is read when that language is first asked for, as the start must be quick.
    Raises PlaybookMissing when there is none, and ConfigurationError when it is broken: its detail with file,
    line and reason, its ``errors`` with each place, line and reason.
    """
    path = _path_of(name, folder)
    if path.parent != folder:
        return _built_in(path)
    playbook = parse_playbook(_text_of(path), str(path), name)
    playbook = playbook.with_parts(_parts_beside(path, playbook))
    read_all(playbook)
    return playbook


def _built_in(path: Path) -> Playbook:
    """By its schema alone: reading each phrase takes a tenth of a start, and tests do that for ours."""
    playbook, _ = _validated(_text_of(path), str(path), Playbook)
    return playbook.with_parts(_parts_beside(path, playbook))


def playbook_files(folder: Path | None) -> tuple[str, ...]:
    """Names of the playbooks that are there as files, in your own ``folder`` or built in, in order."""
    stems = (path.stem for place in _folders(folder) if place.is_dir() for path in place.glob("*.yaml"))
    return tuple(sorted({stem for stem in stems if _NAME.fullmatch(stem)}))


def playbook_text(name: str, folder: Path | None) -> str:
    """The text of ``NAME.yaml`` as it lies there. Raises as ``load_playbook`` does."""
    return _text_of(_path_of(name, folder))


def _path_of(name: str, folder: Path | None) -> Path:
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"playbook {name!r}: a name is made of letters, digits, - and _")
    for place in _folders(folder):
        path = place / f"{name}.yaml"
        if path.is_file():
            return path
    raise PlaybookMissing(f"there is no playbook {name!r}; known: {', '.join(playbook_files(folder))}")


def _folders(folder: Path | None) -> tuple[Path, ...]:
    return (BUILT_IN_FOLDER,) if folder is None else (folder, BUILT_IN_FOLDER)


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


def parse_playbook(text: str, source: str, name: str | None) -> Playbook:
    """The playbook ``name`` that the YAML ``text`` holds; ``source`` says in errors where it came from.

    None takes the name that it gives itself. Raises ConfigurationError, as ``load_playbook`` does.
    """
    playbook, lines = _validated(text, source, Playbook)
    if problems := playbook_problems(playbook, name):
        raise _broken(source, lines, problems)
    return playbook


def parse_part(text: str, source: str, language: str, playbook: Playbook) -> LanguagePart:
    """What the YAML ``text`` adds to ``playbook`` in ``language``. Raises ConfigurationError."""
    part, lines = _validated(text, source, LanguagePart, language)
    if problems := part_problems(part, language, playbook):
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
        data, lines = read_yaml(text)
    except YamlProblem as problem:
        told = [{"field": "yaml", "line": str(problem.line), "message": problem.reason}]
        raise ConfigurationError(f"playbook {source}:{problem.line}: {problem.reason}", errors=told) from None
    if language is not None:
        _set_language(data, language)
    try:
        return schema.model_validate(data), lines
    except ValidationError as error:
        # A list whose items are all broken is also told to be empty; that would mislead.
        found = [
            (_place(problem["loc"]), problem["msg"])
            for problem in error.errors()
            if not (problem["type"] == "too_short" and problem["input"])
        ]
        raise _broken(source, lines, found) from None


def _set_language(data: Any, language: str) -> None:
    rules = data.get("rules") if isinstance(data, dict) else None
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, dict):
            rule.setdefault("languages", [language])


def _place(loc: Loc) -> Loc:
    """Where in the file it is: pydantic puts in which kind it took a value for, as in ``<words>``."""
    return tuple(part for part in loc if not str(part).startswith("<"))


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
