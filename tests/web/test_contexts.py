"""Templates and their contexts belong together, name by name."""

from __future__ import annotations

import dataclasses
import inspect
import pkgutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import ClassVar

import pytest
from jinja2 import DictLoader, Environment, StrictUndefined

import app.web.contexts
from app.web.rendering import TEMPLATES, environment
from tests.web.names import wrong_names

SHARED = {"frame.html", "macros.html"}


def contexts() -> Iterator[type]:
    for module in pkgutil.iter_modules(app.web.contexts.__path__, "app.web.contexts."):
        for _, kind in inspect.getmembers(import_module(module.name), inspect.isclass):
            if (
                kind.__module__ == module.name
                and dataclasses.is_dataclass(kind)
                and hasattr(kind, "template")
            ):
                yield kind


def templates_of(context: type) -> list[str]:
    """A question has two: a page's and a dialog's."""
    return [getattr(context, name) for name in ("template", "dialog") if hasattr(context, name)]


ALL = sorted(contexts(), key=lambda kind: kind.__name__)
USES = [(context, template) for context in ALL for template in templates_of(context)]


@pytest.mark.parametrize(("context", "template"), USES, ids=[template for _, template in USES])
def test_every_name_that_a_template_uses_is_a_field(context: type, template: str) -> None:
    assert wrong_names(environment(), template, context) == []


@pytest.mark.parametrize("context", ALL, ids=lambda kind: kind.__name__)
def test_contexts_are_frozen(context: type) -> None:
    assert context.__dataclass_params__.frozen  # type: ignore[attr-defined]


def test_each_template_has_one_context_and_each_context_its_template() -> None:
    files = {path.name for path in TEMPLATES.glob("*.html") if not path.name.startswith("_")} - SHARED
    named = Counter(template for _, template in USES)
    assert set(named) == files
    assert set(named.values()) == {1}


def test_everything_is_escaped_and_an_unknown_name_is_an_error() -> None:
    assert environment().autoescape is True
    assert environment().undefined is StrictUndefined
    written = [path.name for path in TEMPLATES.glob("*.html") if "| safe" in path.read_text()]
    assert written == []


@dataclass(frozen=True)
class Part:
    name: str


@dataclass(frozen=True)
class Whole:
    template: ClassVar[str] = "whole.html"

    title: str
    parts: tuple[Part, ...]
    maybe: Part | None


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("{{ title }}", []),
        ("{{ titel }}", ["titel"]),
        ("{{ title.upper() }}", []),
        ("{{ title.shout() }}", ["shout"]),
        ("{% for part in parts %}{{ part.name }}{% endfor %}", []),
        ("{% for part in parts %}{{ part.nam }}{% endfor %}", ["nam"]),
        ("{% for part in parts %}{% include 'inner.html' %}{% endfor %}", ["size"]),
        ("{% if maybe %}{{ maybe.name }}{{ maybe.size }}{% endif %}", ["size"]),
        ("{% set first = parts[0] %}{{ first.nme }}", ["nme"]),
        ("{% extends 'outer.html' %}{% block in %}{{ outside }}{% endblock %}", ["missing", "outside"]),
        ("{% for part in parts %}{% endfor %}{{ part.name }}", ["part"]),
    ],
)
def test_the_check_finds_what_is_wrong(source: str, wrong: list[str]) -> None:
    made = Environment(
        autoescape=True,
        loader=DictLoader(
            {
                "whole.html": source,
                "inner.html": "{{ part.name }}{{ part.size }}",
                "outer.html": "{{ missing }}{% block in %}{% endblock %}",
            }
        ),
    )
    found = wrong_names(made, "whole.html", Whole)
    assert [line.split(": ")[1].split(" of ")[0] for line in found] == wrong
