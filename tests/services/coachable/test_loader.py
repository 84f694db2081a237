"""Where playbooks come from, and that a broken one names file, line and reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.core.exceptions import ConfigurationError
from app.services.coachable.detectors.dead_air import DeadAir
from app.services.coachable.loader import load_playbook, parse_playbook
from tests.services.coachable.factories import (
    built_in_playbook,
    playbook,
    playbook_text,
    rule,
    timed_rule,
    write_playbook,
)

GOOD = """\
name: mine
version: 1
families:
  price: [price, cost]
rules:
  - id: first
    type: objection
    subtype: price
    role: customer
    confidence: 0.8
    why: Why.
    tip: Tip.
    condition:
      phrases:
        - the {price} is too high
        - no
    match: [The price is too high.]
    no_match: [The price is fine.]
"""


def test_a_good_playbook(tmp_path: Path) -> None:
    write_playbook(tmp_path, GOOD)
    mine = load_playbook("mine", tmp_path)
    assert (mine.name, mine.version, mine.words_rules[0].languages) == ("mine", "1", ("en",))
    assert mine.words_rules[0].condition.phrases == ("the {price} is too high", "no")


def test_your_own_folder_comes_first(tmp_path: Path) -> None:
    assert load_playbook("default", tmp_path) == built_in_playbook()
    write_playbook(tmp_path, GOOD.replace("name: mine", "name: default"), "default")
    assert len(load_playbook("default", tmp_path).rules) == 1


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    write_playbook(tmp_path, GOOD)
    with pytest.raises(ConfigurationError, match="no playbook 'other'; known: default, mine"):
        load_playbook("other", tmp_path)


@pytest.mark.parametrize("name", ["../mine", "a/b", "", ".hidden", "x" * 65])
def test_a_name_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a name is made of"):
        load_playbook(name, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("version: 1", "version: [1", 3, "no valid YAML"),
        ("    why: Why.", "    why: Why.\n  nonsense", 13, "no valid YAML"),
        ("    tip: Tip.", "    tip: Tip.\n    colour: red", 13, "rules.0.colour: Extra inputs"),
        ("      phrases:", "      phrase:", 14, "rules.0.condition.phrase: Extra inputs"),
        ("type: objection", "type: complaint", 7, "rules.0.type: Input should be 'buying_signal'"),
        ("    subtype: price\n", "", 6, "an objection needs a subtype: one of price, timing"),
        ("type: objection", "type: churn_risk", 6, "only an objection has a subtype"),
        ("subtype: price", "subtype: cost", 8, "rules.0.subtype"),
        ("role: customer", "role: buyer", 9, "rules.0.role"),
        ("confidence: 0.8", "confidence: 1.8", 10, "less than or equal to 1"),
        ("confidence: 0.8", "confidence: sure", 10, "valid number"),
        ("    why: Why.\n", "", 6, "rules.0.why: Field required"),
        ("tip: Tip.", "tip: ''", 12, "rules.0.tip"),
        ("        - the {price} is too high\n        - no\n", "        []\n", 14, "at least 1 item"),
        ("        - no\n", "        - ''\n", 16, "rules.0.condition.phrases.1"),
        ("        - no\n", "        - [no]\n", 16, "rules.0.condition.phrases.1"),
        ("        - no\n", "        - no (way\n", 16, "'no (way': '(' is not closed"),
        ("        - no\n", "        - no {way}\n", 16, "no family 'way'"),
        ("price: [price, cost]", "price: [price, '(']", 4, "families.price"),
        ("price: [price, cost]", "number: [one]", 4, "built in"),
        ("    match: [The price is too high.]", "    match: []", 17, "rules.0.match"),
        ("name: mine", "name: yours", 1, "must be 'mine'"),
        ("version: 1", "version: 1\nversion: 2", 3, "'version' is there twice"),
        ("families:", "families: &a\n  twice: *a\nmore:", 4, "aliases"),
        ("        - no\n", "        - &no no\n        - *no\n", 17, "aliases"),
        ("name: mine", "? [a]\n: b\nname: mine", 1, "a key must be a word"),
    ],
)  # fmt: skip
def test_a_broken_playbook_names_file_line_and_reason(
    old: str, new: str, line: int, reason: str, tmp_path: Path
) -> None:
    assert old in GOOD
    path = write_playbook(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        load_playbook("mine", tmp_path)
    where, _, told = caught.value.detail.partition(f"{path}:{line}: ")
    assert where.endswith(("playbook ", "; ")), caught.value.detail
    assert reason in told, caught.value.detail


TIMED = """\
name: mine
version: 1
rules:
  - id: first
    type: dead_air
    role: anyone
    confidence: 0.8
    why: Why.
    tip: Tip.
    condition:
      dead_air:
        at_least_s: 8
"""


def test_a_rule_for_a_signal_in_time() -> None:
    (rule,) = parse_playbook(TIMED, "mine.yaml", "mine").timed_rules
    assert (rule.type, rule.condition.signal, rule.condition.detector) == (
        "dead_air", "dead_air", DeadAir(at_least_s=8),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "reason"),
    [
        ("at_least_s: 8", "at_least_s: 1", 12, "greater than or equal to 3"),
        ("at_least_s: 8", "longer_than_s: 8", 12, "rules.0.condition.dead_air.longer_than_s: Extra inputs"),
        ("      dead_air:", "      silence:", 11, "rules.0.condition.silence: Extra inputs"),
        ("      dead_air:", "      fast_pace:", 12, "rules.0.condition.fast_pace.at_least_s"),
        ("type: dead_air", "type: monologue", 4, "names the signal monologue"),
        ("type: dead_air", "type: silence", 5, "rules.0.type: Input should be 'buying_signal'"),
        ("\n      dead_air:\n        at_least_s: 8", " {}", 10, "rules.0.condition: name one signal: one of"),
        ("        at_least_s: 8", "        at_least_s: 8\n      monologue: {}", 10, "name one signal"),
        ("    why: Why.", "    why: Why.\n    match: [a]", 9, "rules.0.match: Extra inputs"),
        ("    why: Why.", "    why: Why.\n    languages: [en]", 9, "rules.0.languages: Extra inputs"),
    ],
)
def test_a_broken_rule_for_a_signal_names_line_and_reason(old: str, new: str, line: int, reason: str) -> None:
    assert old in TIMED
    with pytest.raises(ConfigurationError) as caught:
        parse_playbook(TIMED.replace(old, new, 1), "mine.yaml", "mine")
    assert f"mine.yaml:{line}: " in caught.value.detail
    assert reason in caught.value.detail


def test_rules_for_words_and_for_signals_stand_side_by_side() -> None:
    mine = playbook(rule(), timed_rule())
    assert [rule.id for rule in mine.words_rules] == ["wants_it"]
    assert [rule.id for rule in mine.timed_rules] == ["silent"]
    with pytest.raises(ConfigurationError, match=r"rules\.1\.id: there is another rule"):
        playbook(rule(), timed_rule(id="wants_it"))


def test_two_rules_with_one_id_are_told_apart_by_line() -> None:
    text = playbook_text(rule(), rule())
    line = [number for number, content in enumerate(text.split("\n"), 1) if "id: wants_it" in content][1]
    with pytest.raises(ConfigurationError, match=f"mine.yaml:{line}: rules.1.id: there is another rule"):
        parse_playbook(text, "mine.yaml", "mine")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"- a\n- b\n", b"just words"])
def test_files_that_are_no_playbook(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"mine\.yaml"):
        load_playbook("mine", tmp_path)


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    write_playbook(tmp_path, "#" * (2 * 1024 * 1024 + 1))
    with pytest.raises(ConfigurationError, match="larger than"):
        load_playbook("mine", tmp_path)


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="nested too deeply"):
        parse_playbook("name: " + "[" * 40 + "]" * 40, "mine.yaml", "mine")


def test_many_problems_are_counted() -> None:
    with pytest.raises(ConfigurationError, match=r"; and 3 more$"):
        playbook(*(rule(id=f"r{number}", role="nobody") for number in range(8)))


def test_the_revision_follows_the_contents_not_the_layout() -> None:
    mine = parse_playbook(GOOD, "mine.yaml", "mine")
    commented = parse_playbook("# hello\n" + GOOD, "elsewhere.yaml", "mine")
    changed = parse_playbook(GOOD.replace("0.8", "0.7"), "mine.yaml", "mine")
    assert mine.revision == commented.revision != changed.revision
    timed = [
        parse_playbook(TIMED.replace("_s: 8", f"_s: {length}"), "", "mine") for length in ("8", "8.0", "9")
    ]
    assert timed[0].revision == timed[1].revision != timed[2].revision


def test_each_reason_has_its_place_and_line_for_programs_too(tmp_path: Path) -> None:
    text = GOOD.replace("confidence: 0.8", "confidence: 1.8").replace("tip: Tip.", "tip: ''")
    with pytest.raises(ConfigurationError) as caught:
        parse_playbook(text, "draft", None)
    assert [(error["field"], error["line"]) for error in caught.value.errors] == [
        ("rules.0.confidence", "10"),
        ("rules.0.tip", "12"),
    ]
    with pytest.raises(ConfigurationError) as caught:
        parse_playbook("a: [", "draft", None)
    assert [(error["field"], error["line"]) for error in caught.value.errors] == [("yaml", "2")]
