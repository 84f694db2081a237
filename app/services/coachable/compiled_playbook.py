"""A playbook made ready to be applied: its rules compiled, by language."""

from __future__ import annotations

from threading import Lock

from app.services.coachable.playbook import Playbook, TimedRule
from app.services.coachable.rules import RuleSet

DEFAULT_LANGUAGE = "en"


class CompiledPlaybook:
    """Made cheaply; never changes. Safe to share between threads."""

    def __init__(self, playbook: Playbook) -> None:
        self.playbook = playbook
        self._rules: dict[str, RuleSet] = {}
        self._compiling = Lock()

    @property
    def name(self) -> str:
        return self.playbook.name

    @property
    def revision(self) -> str:
        return self.playbook.revision

    @property
    def timed_rules(self) -> tuple[TimedRule, ...]:
        return self.playbook.timed_rules

    def rules_of(self, language: str | None) -> RuleSet | None:
        """The rules in words for an ISO 639-1 code, None (as English) or a tag such as ``pt-BR``; None where
        there are none. Compiled when a call first needs them: a start must be quick."""
        code = (language or DEFAULT_LANGUAGE).lower().partition("-")[0]
        if code not in self.playbook.languages:
            return None
        with self._compiling:
            if code not in self._rules:
                self._rules[code] = RuleSet(self.playbook, code)
            return self._rules[code]
