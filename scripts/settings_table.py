"""Prints the README's table of settings; `--write` puts it into README.md and writes .env.example.

.venv/bin/python scripts/settings_table.py [--write]
"""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, SecretStr
from pydantic_settings import BaseSettings

from app.core.config import Settings

ROOT = Path(__file__).resolve().parent.parent
START, END = "<!-- settings -->", "<!-- /settings -->"

ENV_HEADER = """\
# Settings of Darwix AI. Copy this file to .env and take the # off the lines that you change: every other
# setting keeps the default shown. Variables of the environment win over the file.
"""


@dataclass(frozen=True)
class Setting:
    """One documented setting; ``default`` is written as its environment variable would be."""

    variable: str
    default: str
    meaning: str
    group: str


def documented_settings() -> list[Setting]:
    """All settings as their source orders them, with the comment that heads their group there."""
    settings = []
    for group, name in _fields_in_groups():
        field = Settings.model_fields[name]
        settings.append(Setting(name.upper(), _as_text(field.default), field.description or "", group))
    return settings


def _fields_in_groups() -> Iterator[tuple[str, str]]:
    for part in _parts():
        group = ""
        for line in inspect.getsource(part).splitlines():
            if heading := re.match(r" {4}# (.+)", line):
                group = heading[1]
            elif (field := re.match(r" {4}(\w+): ", line)) and field[1] in part.model_fields:
                yield group, field[1]


def _parts() -> Iterator[type[BaseModel]]:
    """The classes that Settings is put together from, in the order in which it names them."""
    for base in Settings.__bases__:
        if base is not BaseSettings:
            yield base


def _as_text(value: object) -> str:
    if value is None or isinstance(value, SecretStr):
        return ""
    if isinstance(value, tuple):
        return ",".join(_as_text(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def env_example(settings: list[Setting]) -> str:
    lines = [ENV_HEADER.rstrip()]
    group = ""
    for setting in settings:
        if setting.group != group:
            group = setting.group
            lines += ["", f"# --- {group} ---"]
        lines += ["", f"# {setting.meaning}", f"#{setting.variable}={setting.default}"]
    return "\n".join(lines) + "\n"


def markdown_table(settings: list[Setting]) -> str:
    lines = ["| setting | default | meaning |", "| --- | --- | --- |"]
    for setting in settings:
        default = f"`{setting.default}`" if setting.default else "not set"
        cells = (f"`{setting.variable}`", default, setting.meaning)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def with_table(readme: str, table: str) -> str:
    """``readme`` with ``table`` between its two marks; raises ValueError where the marks are missing."""
    before, start, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"README.md has no {START} … {END}")
    return f"{before}{START}\n{table}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write README.md and .env.example")
    settings = documented_settings()
    table = markdown_table(settings)
    if not parser.parse_args().write:
        print(table)
        return
    readme = ROOT / "README.md"
    readme.write_text(with_table(readme.read_text(encoding="utf-8"), table), encoding="utf-8")
    (ROOT / ".env.example").write_text(env_example(settings), encoding="utf-8")
    print(f"README.md and .env.example: {len(settings)} settings")


if __name__ == "__main__":
    main()
