"""The rule lab: a draft tried on calls before it is published, and what reviewers say of each rule."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.analyze import given_segments
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.api.playbooks import PlaybookPath
from app.core.exceptions import ValidationFailed
from app.schemas.analyze_models import MOST_SEGMENTS
from app.schemas.rule_report_models import PlaybookReport
from app.schemas.trial import Trial
from app.schemas.trial_models import TryRequest, TryResult
from app.services.bootstrap import Services
from app.services.pasted_text import segments_in

router = APIRouter(prefix="/playbooks", tags=["playbooks"])


@router.post(
    "/{name}/try",
    summary="Try a draft on calls",
    responses=problem_responses(400, 401, 403, 404, 413, 422, 500, 503),
)
def try_draft(name: PlaybookPath, body: TryRequest, services: ServicesDep) -> TryResult:
    """Runs the draft and the current revision over stored calls, or over a text that is sent along.

    Tells what the draft finds with words and times, and what only one of them finds. By rules alone, and
    without writing anything. At most 200 calls, and 20 seconds.
    """
    return TryResult.of(tried(name, body, services))


@router.get(
    "/{name}/report",
    summary="How right each rule is",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def report(name: PlaybookPath, services: ServicesDep) -> PlaybookReport:
    """By the verdicts that reviewers passed on moments (`POST /calls/{call_id}/moments/{moment_id}/review`).

    A moment of another type counts against the rule that found it.
    """
    return PlaybookReport.of(name, *services.playbooks.report(name))


def tried(name: str, body: TryRequest, services: Services) -> Trial:
    """Raises what trying raises, and ValidationFailed for a text of nothing or of too much."""
    if body.wanted_calls is not None:
        return services.trials.on_calls(name, body.yaml, body.wanted_calls)
    given = segments_in(body.text) if body.text is not None else given_segments(body.segments or ())
    if not 0 < len(given) <= MOST_SEGMENTS:
        message = f"must hold 1 to {MOST_SEGMENTS} lines that were said"
        raise ValidationFailed.of("text", message)
    return services.trials.on_segments(name, body.yaml, given, body.language)
