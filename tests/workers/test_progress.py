"""Stages: what is tolerated, what is not, what is told."""

from __future__ import annotations

import time

import pytest

from app.core.exceptions import StageFailed
from app.workers.progress import WEIGHTS, CallGone, Progress


def test_stages_and_shares_are_told_in_order() -> None:
    told: list[tuple[str, float | None]] = []

    def on_stage(stage: str, _percent: float) -> bool:
        told.append((stage, None))
        return True

    progress = Progress(on_stage, lambda stage, share: told.append((stage, share)))
    with progress.stage("decode"):
        pass
    with progress.stage("transcribe"):
        progress.share(0.5)
    assert told == [
        ("decode", None),
        ("decode", 1.0),
        ("transcribe", None),
        ("transcribe", 0.5),
        ("transcribe", 1.0),
    ]
    assert progress.current == "transcribe"


def test_a_needed_stage_lets_its_failure_through() -> None:
    progress = Progress()
    with pytest.raises(StageFailed), progress.stage("transcribe"):
        raise StageFailed("stt", "it broke")
    assert progress.failed_stages == []


def test_a_tolerated_failure_becomes_a_warning_that_names_the_stage() -> None:
    progress = Progress()
    with progress.tolerated("sentiment"):
        raise StageFailed("sentiment", "it broke")
    with progress.tolerated("moments"):
        raise ZeroDivisionError("a secret detail")
    assert progress.failed_stages == ["sentiment", "moments"]
    assert [(notice.stage, notice.code) for notice in progress.notices] == [
        ("sentiment", "sentiment_failed"),
        ("moments", "moments_failed"),
    ]
    assert "secret" not in progress.notices[1].message


def test_a_call_that_is_gone_stops_at_the_next_stage_even_where_failures_are_tolerated() -> None:
    progress = Progress(on_stage=lambda stage, _percent: stage != "sentiment")
    with progress.stage("decode"):
        pass
    with pytest.raises(CallGone), progress.tolerated("sentiment"):
        pytest.fail("the stage must not begin")


def test_percent_rises_through_the_stages_and_between_reports() -> None:
    progress = Progress()
    seen = [progress.percent]
    for stage in WEIGHTS:
        with progress.stage(stage):
            for share in (0.25, 0.5, 1.0):
                seen.append(progress.percent)
                time.sleep(0.02)
                seen.append(progress.percent)
                progress.share(share)
                seen.append(progress.percent)
    assert seen == sorted(seen)
    assert seen[0] == 0.0
    assert 99.0 < seen[-1] <= 100.0
    assert sum(WEIGHTS.values()) == 100.0


def test_a_later_attempt_moves_on_from_what_was_shown_while_it_does_the_same_again() -> None:
    progress = Progress(shown_before=60.0)
    seen = [progress.percent]
    for stage in WEIGHTS:
        with progress.stage(stage):
            seen.append(progress.percent)
            progress.share(0.5)
            seen.append(progress.percent)
    assert seen[0] == 60.0
    assert seen[2:] == sorted(set(seen[2:]))
    assert seen[2] > 60.0
    assert seen[-1] < 100.0


def test_what_is_handed_on_goes_on_from_there() -> None:
    progress = Progress(shown_before=90.0)
    with progress.stage("roles"):
        assert 90.0 <= progress.percent < 90.1
    with progress.stage("sentiment"):
        # Left are roles 1, reading 4, sentiment 3, metrics 1, moments 2, persist 1.
        assert 90 + 10 * 5 / 12 <= progress.percent < 90.1 + 10 * 5 / 12


def test_percent_moves_while_a_stage_reports_nothing() -> None:
    progress = Progress()
    with progress.stage("transcribe"):
        before = progress.percent
        time.sleep(0.3)
        assert (
            before < progress.percent < WEIGHTS["decode"] + WEIGHTS["voice_activity"] + WEIGHTS["transcribe"]
        )


def test_work_that_is_stopped_ends_where_it_reports() -> None:
    progress = Progress()
    with pytest.raises(CallGone), progress.stage("transcribe"):
        progress.stop()
        progress.share(0.5)
