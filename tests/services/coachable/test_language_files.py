"""A playbook of several files: beside NAME.yaml, NAME.<language>.yaml holds the rules of one language."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from app.core.config import load_settings
from app.core.exceptions import ConfigurationError
from app.services.coachable import loader
from app.services.coachable.loader import load_playbook
from app.services.coachable.rules import RuleSet
from app.services.coachable_service import CoachableService
from tests.services.coachable.factories import find_in_text, playbook_text, rule, segment, write_playbook

FAMILIES = {"dear": ["(expensive|pricey)"], "too_dear": ["too {dear}"]}


def part_text(*rules: dict[str, object], **families: list[str]) -> str:
    data = {"families": families, "rules": list(rules)}
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True)


def spanish(**changes: object) -> dict[str, object]:
    return rule(**{"id": "es_wants_it", "condition": {"phrases": ["lo quiero"]}, **changes})


def write_both(folder: Path, part: str, language: str = "es") -> Path:
    write_playbook(folder, playbook_text(rule(condition={"phrases": ["{too_dear}"]}), families=FAMILIES))
    return write_playbook(folder, part, f"mine.{language}")


def found(folder: Path, language: str, text: str) -> list[str]:
    rules = RuleSet(load_playbook("mine", folder), language)
    return [finding.rule.id for finding in find_in_text(rules, text)]


def test_rules_of_a_language_file_are_for_its_language(tmp_path: Path) -> None:
    write_both(tmp_path, part_text(spanish()))
    mine = load_playbook("mine", tmp_path)
    assert mine.languages == {"en", "es"}
    assert [(one.id, one.languages) for one, _ in mine.rules_in("es")] == [("es_wants_it", ("es",))]
    assert found(tmp_path, "es", "lo quiero") == ["es_wants_it"]
    assert found(tmp_path, "en", "lo quiero") == []


def test_its_families_stand_on_those_of_the_playbook(tmp_path: Path) -> None:
    condition = {"phrases": ["{too_dear}", "muy {dear}"]}
    write_both(tmp_path, part_text(spanish(condition=condition), dear=["(caro|cara)"]))
    assert found(tmp_path, "es", "muy caro") == ["es_wants_it"]
    assert found(tmp_path, "es", "muy expensive") == []
    assert found(tmp_path, "es", "too pricey") == ["es_wants_it"]


def test_a_rule_of_the_playbook_for_several_languages_stays_one_of_them(tmp_path: Path) -> None:
    write_playbook(tmp_path, playbook_text(rule(languages=["en", "es"])))
    write_playbook(tmp_path, part_text(spanish()), "mine.es")
    assert [one.id for one, _ in load_playbook("mine", tmp_path).rules_in("es")] == [
        "wants_it",
        "es_wants_it",
    ]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (part_text(spanish(languages=["pt"])), r"mine.es.yaml:\d+: rules.0.languages: .*'es' alone"),
        (part_text(spanish(id="wants_it")), r"mine.es.yaml:3: rules.0.id: there is another rule .* 'mine'"),
        (part_text(spanish(), price=["("]), r"mine.es.yaml:2: families.price: "),
        (part_text(spanish(condition={"phrases": ["{no}"]})), r"condition.phrases.0: .*no family 'no'"),
        (part_text(spanish(role="nobody")), r"mine.es.yaml:\d+: rules.0.role: "),
        ("name: mine\n" + part_text(spanish()), r"mine.es.yaml:1: name: Extra inputs"),
        ("rules: [", r"mine.es.yaml:2: no valid YAML"),
        ("rules: [1]", r"mine.es.yaml:1: rules.0: "),
    ],
)
def test_a_broken_language_file_names_its_line(part: str, reason: str, tmp_path: Path) -> None:
    write_both(tmp_path, part)
    with pytest.raises(ConfigurationError, match=reason):
        load_playbook("mine", tmp_path)


def test_one_id_in_two_language_files_is_refused(tmp_path: Path) -> None:
    write_both(tmp_path, part_text(spanish()))
    write_playbook(tmp_path, part_text(spanish()), "mine.pt")
    with pytest.raises(ConfigurationError, match="the rule 'es_wants_it' of 'pt' has the id of one of 'es'"):
        load_playbook("mine", tmp_path)


def test_a_file_beside_that_names_no_language_is_refused(tmp_path: Path) -> None:
    write_both(tmp_path, part_text(spanish()), "spanish")
    with pytest.raises(ConfigurationError, match="'spanish' is no code of a language"):
        load_playbook("mine", tmp_path)


def test_language_files_are_no_playbooks_of_their_own(tmp_path: Path) -> None:
    write_both(tmp_path, part_text(spanish()))
    with pytest.raises(ConfigurationError, match=r"known: default, mine$"):
        load_playbook("other", tmp_path)


def test_the_revision_covers_all_files(tmp_path: Path) -> None:
    path = write_both(tmp_path, part_text(spanish()))
    with_both = load_playbook("mine", tmp_path).revision
    assert load_playbook("mine", tmp_path).revision == with_both
    path.write_text(part_text(spanish(confidence=0.7)), encoding="utf-8")
    changed = load_playbook("mine", tmp_path).revision
    path.unlink()
    assert len({with_both, changed, load_playbook("mine", tmp_path).revision}) == 3


def test_a_built_in_language_file_is_read_when_it_is_first_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "BUILT_IN_FOLDER", tmp_path)
    write_both(tmp_path, "broken: [")
    service = CoachableService(load_settings(_env_file=None, playbook="mine"))
    assert [moment.rule for moment in service.find("c", [segment("too pricey")], "en")] == ["wants_it"]
    with pytest.raises(ConfigurationError, match=r"mine\.es\.yaml"):
        service.find("c", [segment("lo quiero")], "es")
    write_both(tmp_path, part_text(spanish()))
    again = CoachableService(load_settings(_env_file=None, playbook="mine"))
    for _ in range(2):
        assert [moment.rule for moment in again.find("c", [segment("lo quiero")], "es-MX")] == ["es_wants_it"]
