"""``python -m app playbooks``: check a playbook's file, and publish it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.errors import plain_errors
from app.core.config import load_settings
from app.core.exceptions import ConfigurationError
from app.core.logging import configure_logging

if TYPE_CHECKING:
    from app.services.coachable.playbook import Playbook

FAILED = 1

playbooks = typer.Typer(help="Check and publish playbooks.", no_args_is_help=True)
PlaybookFile = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="NAME.yaml, named as the playbook.")
]


@playbooks.command()
def check(file: PlaybookFile) -> None:
    """Read a playbook, with the files of its languages beside it, and run its examples.

    Exit code 1: examples do not hold; 2: it cannot be used.
    """
    with plain_errors():
        playbook = _read(file)
        _run_examples(playbook)
        print(f"{file}: {_told(playbook)}: all examples hold")


@playbooks.command()
def publish(file: PlaybookFile) -> None:
    """Check a playbook and make it what calls are analysed by, in the database of the settings.

    From the next call on, in all processes. Refused while the playbook has a draft.
    """
    from app.db.migrate import prepare
    from app.services.bootstrap import build_services

    with plain_errors():
        playbook = _read(file)
        if beside := sorted(file.parent.glob(f"{playbook.name}.*.yaml")):
            names = ", ".join(path.name for path in beside)
            raise ConfigurationError(
                f"a stored playbook is one text: put the rules of {names} into {file.name}"
            )
        _run_examples(playbook)
        settings = load_settings()
        configure_logging("ERROR")
        services = build_services(settings)
        prepare(services.database)
        draft = services.playbooks.create(file.read_text(encoding="utf-8"), playbook.name)
        services.playbooks.publish(playbook.name, draft.facts.revision)
        print(f"published: {_told(playbook)}")


def _read(file: Path) -> Playbook:
    from app.services.coachable.loader import load_playbook, read_all

    if file.suffix != ".yaml":
        raise ConfigurationError(f"{file}: the file of a playbook is named NAME.yaml")
    playbook = load_playbook(file.name.partition(".")[0], file.parent)
    read_all(playbook)
    return playbook


def _run_examples(playbook: Playbook) -> None:
    from app.services.coachable.compiled_playbook import CompiledPlaybook
    from app.services.playbook_examples import failed_examples

    failed = list(failed_examples(CompiledPlaybook(playbook)))
    for example in failed:
        print(example, file=sys.stderr)
    if failed:
        print(f"{len(failed)} examples do not hold", file=sys.stderr)
        raise typer.Exit(FAILED)


def _told(playbook: Playbook) -> str:
    from app.services.playbook_service import facts_of

    facts = facts_of(playbook)
    languages = ", ".join(facts.languages) or "any language"
    return f"{facts.name} {facts.version}, revision {facts.revision}, {facts.rules} rules ({languages})"
