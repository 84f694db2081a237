"""Playbook services on a database of a test."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from app.db.session import Database
from app.services.coachable_service import CoachableService
from app.services.playbook_library import PlaybookLibrary
from app.services.playbook_service import PlaybookService
from tests.db.values import at
from tests.services.coachable.factories import playbook_text, rule, write_playbook
from tests.settings import make_settings

SAID = "I want it."


class Shop:
    """The services of one process; ``folder`` holds its own playbook files."""

    def __init__(self, database: Database, folder: Path, default: str = "default") -> None:
        settings = make_settings(
            folder, playbook=default, playbook_dir=folder, scripted_transcript=folder / "x"
        )
        self.folder = folder
        self.seconds = 0.0
        self.coachable = CoachableService(settings, may_be_stored=True)
        self.library = PlaybookLibrary(database, self.coachable, settings)
        self.playbooks = PlaybookService(database, self.library, folder, clock=self._clock)

    def publish(self, text: str) -> str:
        """The revision of ``text`` once it is published."""
        draft = self.playbooks.put_draft(_name_in(text), text)
        return self.playbooks.publish(draft.facts.name, draft.facts.revision).facts.revision

    def write(self, text: str) -> None:
        write_playbook(self.folder, text, _name_in(text))

    def _clock(self) -> datetime:
        self.seconds += 1
        return at(self.seconds)


def text_of(rule_id: str = "wants_it", name: str = "mine", phrase: str = "i want it") -> str:
    """A playbook whose one rule finds ``phrase``."""
    made = rule(id=rule_id, condition={"phrases": [phrase]}, match=[phrase], no_match=["Nothing here."])
    return playbook_text(made, name=name)


def _name_in(text: str) -> str:
    return text.partition("name: ")[2].partition("\n")[0]
