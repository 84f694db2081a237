"""How values look."""

from __future__ import annotations

import pytest

from app.web.addresses import call_address, local_or_home
from app.web.formatting import clock, score, score_words, sentence, spark, spelled, stage_words


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (59.6, "0:59"), (87.72, "1:27"), (3600.2, "1:00:00"), (3723, "1:02:03"), (None, "–")],
)
def test_lengths(seconds: float | None, shown: str) -> None:
    assert clock(seconds) == shown


def test_a_curve_spans_the_width_and_breaks_where_nothing_is_known() -> None:
    drawn = spark((3, 0, None, -3, -5), 80, 20)
    assert drawn is not None
    assert drawn.lines == ("0,2 20,10", "60,18 80,18")
    assert (drawn.last_x, drawn.last_y, drawn.last_score) == (80, 18, -5)
    assert spark((), 80, 20) is None
    assert spark((None, None), 80, 20) is None
    single = spark((1.5,), 80, 20)
    assert single is not None
    assert single.lines == ("0,6",)


def test_a_curve_in_words() -> None:
    assert score_words((None, -2, 1, 0.2)) == "negative at first, neutral at the end"
    assert score_words((None,)) == "not known"


def test_names_as_people_write_them() -> None:
    assert spelled("buying_signal") == "Buying signal"
    assert (stage_words("persist"), stage_words("sentiment")) == ("Saving", "Sentiment")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-0.04, "0.0"), (0.04, "0.0"), (-1.25, "−1.2"), (0.5, "+0.5"), (None, "–")],
)
def test_scores_have_a_sign_unless_they_are_zero(value: float | None, shown: str) -> None:
    assert score(value) == shown


@pytest.mark.parametrize(
    ("told", "shown"),
    [("there is no call A", "There is no call A."), ("Full stop.", "Full stop."), ("", "")],
)
def test_what_stands_alone_is_a_sentence(told: str, shown: str) -> None:
    assert sentence(told) == shown


@pytest.mark.parametrize("address", ["/", "/?status=failed", "/ui/calls/C-1", "/ui/agents/a?weeks=4"])
def test_pages_are_led_back_to(address: str) -> None:
    assert local_or_home(address) == address


@pytest.mark.parametrize(
    "address",
    [None, "", "//x/", "/\\x", "https://x/ui/a", "/calls", "/ui/login", "/ui/static/a", "/ui/a\n", "ui/a"],
)
def test_nothing_else_is(address: str | None) -> None:
    assert local_or_home(address) == "/"


def test_a_call_id_is_one_part_of_an_address() -> None:
    assert call_address("a:b.c") == "/ui/calls/a%3Ab.c"
