"""A compiled playbook: its rules by language, compiled once, the same for every thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.services.coachable.compiled_playbook import CompiledPlaybook
from tests.services.coachable.factories import playbook, rule, timed_rule

SPANISH = rule(id="lo_quiere", languages=["es"], condition={"phrases": ["lo quiero"]})


@pytest.mark.parametrize(("language", "found"), [("es", True), ("ES-mx", True), (None, True), ("fr", False)])
def test_rules_are_those_of_the_language(language: str | None, found: bool) -> None:
    mine = CompiledPlaybook(playbook(rule(), SPANISH))
    assert (mine.rules_of(language) is not None) == found


def test_english_is_what_no_language_means() -> None:
    mine = CompiledPlaybook(playbook(rule(), SPANISH))
    assert mine.rules_of(None) is mine.rules_of("en") is not mine.rules_of("es")


def test_threads_share_one_compilation() -> None:
    mine = CompiledPlaybook(playbook(rule()))
    with ThreadPoolExecutor(8) as pool:
        compiled = list(pool.map(mine.rules_of, ["en"] * 8))
    assert {id(rules) for rules in compiled} == {id(mine.rules_of("en"))}


def test_it_is_named_as_its_playbook() -> None:
    source = playbook(rule(), timed_rule())
    mine = CompiledPlaybook(source)
    assert (mine.name, mine.revision, mine.timed_rules) == ("mine", source.revision, source.timed_rules)
