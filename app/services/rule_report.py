"""Precision of rules from counted verdicts. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from math import sqrt

from app.schemas.review import Verdict
from app.schemas.rule_report import RulePrecision, VerdictCount

Z_95 = 1.959964
"""97.5 % quantile of the standard normal distribution: 95 % lie within."""


def precisions(counts: Iterable[VerdictCount]) -> tuple[tuple[RulePrecision, ...], tuple[RulePrecision, ...]]:
    """Of each rule over all revisions, and of each rule in each revision; by name, then by revision."""
    by_rule: dict[tuple[str, str | None], list[VerdictCount]] = defaultdict(list)
    by_revision: dict[tuple[str, str | None], list[VerdictCount]] = defaultdict(list)
    for count in counts:
        by_rule[count.rule, None].append(count)
        by_revision[count.rule, count.revision].append(count)
    return _sorted(by_rule), _sorted(by_revision)


def wilson(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """The score interval of a proportion, in [0, 1]; (0, 1) where nothing was tried.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the
    American Statistical Association 22 (1927), pages 209 to 212: with p = successes / n,
    (p + z² / 2n ± z √(p (1 - p) / n + z² / 4n²)) / (1 + z² / n). Unlike p ± z √(p (1 - p) / n) it holds for
    few trials and for proportions near 0 and 1.
    """
    if trials == 0:
        return 0.0, 1.0
    proportion = successes / trials
    share = z * z / trials
    centre = proportion + share / 2
    spread = z * sqrt(proportion * (1 - proportion) / trials + share / (4 * trials))
    low, high = (centre - spread) / (1 + share), (centre + spread) / (1 + share)
    # At the ends the formula gives exactly 0 or 1, but for rounding.
    return (0.0 if successes == 0 else max(low, 0.0)), (1.0 if successes == trials else min(high, 1.0))


def _sorted(grouped: dict[tuple[str, str | None], list[VerdictCount]]) -> tuple[RulePrecision, ...]:
    keys = sorted(grouped, key=lambda key: (key[0], key[1] or ""))
    return tuple(_precision(*key, grouped[key]) for key in keys)


def _precision(rule: str, revision: str | None, counts: list[VerdictCount]) -> RulePrecision:
    verdicts: Counter[Verdict] = Counter()
    instead: Counter[str] = Counter()
    for count in counts:
        verdicts[count.verdict] += count.count
        if count.label is not None:
            instead[count.label] += count.count
    low, high = wilson(verdicts[Verdict.RIGHT], verdicts.total())
    return RulePrecision(
        rule,
        revision,
        right=verdicts[Verdict.RIGHT],
        wrong=verdicts[Verdict.WRONG],
        other=verdicts[Verdict.OTHER],
        low=low,
        high=high,
        instead=dict(sorted(instead.items(), key=lambda item: (-item[1], item[0]))),
    )
