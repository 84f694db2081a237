"""YAML as plain data: hostile texts are refused at once, with the line, and end nothing."""

from __future__ import annotations

import pytest

from app.services.coachable.yaml_text import YamlProblem, read_yaml

LAUGHS = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


def test_scalars_are_text_and_every_value_has_its_line() -> None:
    data, lines = read_yaml("a: no\nb:\n  - 1:30\n  - {c: ~}\n")
    assert data == {"a": "no", "b": ["1:30", {"c": "~"}]}
    assert lines == {(): 1, ("a",): 1, ("b",): 2, ("b", 0): 3, ("b", 1): 4, ("b", 1, "c"): 4}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("", 1, "the file is empty"),
        ("# only words\n", 1, "the file is empty"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: [1\n", 2, "no valid YAML"),
        ("a: \x00", 1, "no valid YAML"),
        ("a: größe\nb: 😀\nc: \x07", 3, "no valid YAML: control characters are not allowed"),
        ("a: 1\nb: \ud800", 2, "surrogate"),
        (LAUGHS, 2, "aliases"),
        ("a: *nowhere", 1, "aliases"),
        ("a: &a [*a]", 1, "aliases"),
        ("a: 1\nb: 2\na: 3", 3, "'a' is there twice"),
        ("{a: 1}: 2", 1, "a key must be a word"),
        ("[" * 1_000_000, 1, "nested too deeply"),
        ("{a: " * 1_000_000, 1, "nested too deeply"),
        ("- " * 1_000_000, 1, "nested too deeply"),
        ("? " * 1_000_000, 1, "a key must be a word"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(YamlProblem) as caught:
        read_yaml(text)
    assert (caught.value.line, reason in caught.value.reason) == (line, True), caught.value.reason


def test_a_tag_makes_no_object() -> None:
    assert read_yaml("a: !!python/object/apply:os.system [true]")[0] == {"a": ["true"]}


def test_the_deepest_that_is_allowed() -> None:
    data, _ = read_yaml("[" * 21 + "]" * 21)
    for _ in range(20):
        (data,) = data
    assert data == []
