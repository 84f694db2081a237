"""Short calls for the tests of conditions, and what rules find in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.services.coachable.example_calls import call_of
from app.services.coachable.playbook import Said
from app.services.coachable.rules import Finding, RuleSet
from app.services.coachable.view import CallView
from app.services.metrics_service import measure


def said(
    role: str, text: str, start_s: float | None = None, end_s: float | None = None, **more: float
) -> Said:
    return Said.model_validate({"role": role, "text": text, "start_s": start_s, "end_s": end_s, **more})


def view_of(parts: Sequence[Said], separate_channels: bool = True) -> CallView:
    call = call_of(parts)
    if not separate_channels:
        speakers = tuple(replace(speaker, channel=None) for speaker in call.speakers)
        call = replace(call, separate_channels=False, speakers=speakers, loudness=call.loudness[:1])
    return CallView(call.segments, measure(call), call.sentiments)


def findings_in(rules: RuleSet, *parts: Said) -> list[Finding]:
    """In order of segments."""
    return [finding for findings in rules.find(view_of(parts)) for finding in findings]
