"""What trying a draft came to, as its page shows it."""

from __future__ import annotations

from collections import Counter

from app.schemas.trial import Hit, Hits, Trial
from app.web.addresses import call_address
from app.web.contexts.draft import HitLine, HitsShown, RuleChange, SkippedCalls, TrialShown

SHOWN_HITS = 30


def shown_trial(trial: Trial, *, is_text: bool) -> TrialShown:
    names = sorted(trial.draft_rules.keys() | trial.current_rules.keys())
    changes = (RuleChange(rule, trial.draft_rules[rule], trial.current_rules[rule]) for rule in names)
    reasons = Counter(skipped.reason for skipped in trial.skipped)
    return TrialShown(
        is_text=is_text,
        has_current=trial.current is not None,
        tried=trial.tried,
        skipped=tuple(SkippedCalls(reason, count) for reason, count in sorted(reasons.items())),
        not_tried=trial.not_tried,
        found=trial.found.count,
        anew=_shown(trial.only_draft),
        no_more=_shown(trial.only_current),
        rules=tuple(sorted(changes, key=lambda one: (-abs(one.draft - one.current), one.rule))),
    )


def _shown(hits: Hits) -> HitsShown:
    return HitsShown(hits.count, tuple(_line(hit) for hit in hits.shown[:SHOWN_HITS]))


def _line(hit: Hit) -> HitLine:
    moment = hit.moment
    at_s = moment.evidence.start_s if hit.is_timed else None
    return HitLine(
        call_id=hit.call_id,
        address=call_address(hit.call_id, f"t={at_s or 0:g}") if hit.call_id else None,
        at_s=at_s,
        kind=moment.type,
        subtype=moment.subtype,
        rule=moment.rule,
        words=moment.evidence.text,
    )
