"""Precision of rules from reviewers' verdicts, with an interval that holds for few of them too."""

from __future__ import annotations

from dataclasses import replace
from math import comb
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.exceptions import PlaybookNotFound
from app.db.session import Database
from app.schemas.review import Opinion, Verdict
from app.schemas.rule_report import VerdictCount
from app.services.rule_report import precisions, wilson
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.review_values import put, review
from tests.db.values import stored
from tests.services.playbooks import Shop, text_of

__all__ = ["database", "quick_folder", "shared_database"]


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # Agresti and Coull, The American Statistician 52 (1998), and R's prop.test(correct = FALSE)
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (9, 12, 0.4677, 0.9111),
        (81, 263, 0.2553, 0.3662),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials))))
def test_the_interval_holds_the_proportion_and_stays_in_bounds(case: tuple[int, int]) -> None:
    successes, trials = case
    low, high = wilson(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    mirrored = wilson(trials - successes, trials)
    assert mirrored == pytest.approx((1 - high, 1 - low))


def test_it_covers_a_true_precision_about_as_often_as_it_says() -> None:
    trials, true = 30, 0.8
    covered = sum(
        comb(trials, right) * true**right * (1 - true) ** (trials - right)
        for right in range(trials + 1)
        if wilson(right, trials)[0] <= true <= wilson(right, trials)[1]
    )
    assert covered == pytest.approx(0.95, abs=0.03)


def test_verdicts_are_summed_over_revisions_and_in_each() -> None:
    over_all, in_each = precisions(
        [
            VerdictCount("price", "r1", Verdict.RIGHT, None, 3),
            VerdictCount("price", "r2", Verdict.RIGHT, None, 6),
            VerdictCount("price", "r2", Verdict.WRONG, None, 1),
            VerdictCount("price", "r1", Verdict.OTHER, "hesitation", 1),
            VerdictCount("price", "r2", Verdict.OTHER, "objection/timing", 2),
            VerdictCount("empathy", "r1", Verdict.WRONG, None, 2),
        ]
    )
    empathy, price = over_all
    assert (empathy.rule, empathy.precision, empathy.reviewed) == ("empathy", 0.0, 2)
    assert (price.right, price.wrong, price.other, price.revision) == (9, 1, 3, None)
    assert list(price.instead.items()) == [("objection/timing", 2), ("hesitation", 1)]
    assert [(rule.rule, rule.revision, rule.reviewed) for rule in in_each] == [
        ("empathy", "r1", 2),
        ("price", "r1", 4),
        ("price", "r2", 9),
    ]
    assert in_each[1].precision == 0.75
    assert (in_each[1].low, in_each[1].high) == wilson(3, 4)


def test_no_verdicts_make_an_empty_report() -> None:
    assert precisions([]) == ((), ())


def test_verdicts_are_read_from_the_database(database: Database, tmp_path: Path) -> None:
    shop = Shop(database, tmp_path)
    revision = shop.publish(text_of())
    stored(database, "A")
    for number, (verdict, changes) in enumerate(
        [
            (Opinion(Verdict.RIGHT), {}),
            (Opinion(Verdict.RIGHT), {}),
            (Opinion(Verdict.OTHER, "objection", "timing"), {}),
            (Opinion(Verdict.OTHER, "hesitation"), {"revision": "r0"}),
            (Opinion(Verdict.WRONG), {"source": "classifier", "rule": "classifier"}),
            (Opinion(Verdict.WRONG), {"source": "rule+classifier"}),
            (Opinion(Verdict.WRONG), {"playbook": "yours"}),
        ]
    ):
        _reviewed(database, f"m_{number}", verdict, {"playbook": "mine", "revision": revision, **changes})
    current, (rule,), in_each = shop.playbooks.report("mine")
    assert current == revision
    assert (rule.rule, rule.right, rule.wrong, rule.other) == ("price_too_high", 2, 1, 2)
    assert rule.instead == {"hesitation": 1, "objection/timing": 1}
    assert [(found.revision, found.reviewed) for found in in_each] == sorted([("r0", 1), (revision, 4)])
    assert shop.playbooks.report("yours")[0] is None  # a playbook that is gone, with verdicts that are not
    assert shop.playbooks.report("default")[1:] == ((), ())
    with pytest.raises(PlaybookNotFound):
        shop.playbooks.report("nobody")


def _reviewed(database: Database, moment_id: str, opinion: Opinion, changes: dict[str, str]) -> None:
    kept = review("A", moment_id, opinion=opinion)
    put(database, replace(kept, moment=replace(kept.moment, **changes)))
