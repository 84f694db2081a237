"""What reviewers say of moments: right, wrong, or another type."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.api.calls import CallIdPath
from app.api.deps import ServicesDep
from app.api.errors import problem_responses
from app.schemas.review_models import CallReviewModel, CallReviews, ReviewRequest

router = APIRouter(prefix="/calls", tags=["calls"])

MomentIdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", examples=["m_4f1c0d9be27a55e1c3aa"])]


@router.post(
    "/{call_id}/moments/{moment_id}/review",
    summary="Say whether a moment is right",
    responses={
        201: {"model": CallReviewModel, "description": "The first verdict on this moment."},
        **problem_responses(401, 403, 404, 409, 410, 422, 500, 503),
    },
)
def review_moment(
    call_id: CallIdPath,
    moment_id: MomentIdPath,
    verdict: ReviewRequest,
    services: ServicesDep,
    response: Response,
) -> CallReviewModel:
    """A second verdict takes the place of the first (200; the first is 201).

    Verdicts stay when the call is analysed again: a moment that is found again, at the same words and as the
    same type, shows its own.
    """
    kept, is_first = services.reviews.review(call_id, moment_id, verdict.opinion)
    response.status_code = 201 if is_first else 200
    return CallReviewModel.with_moment(kept, found=True)


@router.delete(
    "/{call_id}/moments/{moment_id}/review",
    summary="Take a verdict back",
    status_code=204,
    response_class=Response,
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def withdraw_review(call_id: CallIdPath, moment_id: MomentIdPath, services: ServicesDep) -> Response:
    """Also one on a moment that the present result does not hold any more."""
    services.reviews.withdraw(call_id, moment_id)
    return Response(status_code=204)


@router.get(
    "/{call_id}/reviews",
    summary="List the verdicts on a call's moments",
    responses=problem_responses(401, 403, 404, 422, 500, 503),
)
def list_reviews(call_id: CallIdPath, services: ServicesDep) -> CallReviews:
    """Each with its moment as it was then; `found: false` where the present result holds it no more."""
    return CallReviews(
        items=[
            CallReviewModel.with_moment(review, found=found)
            for review, found in services.reviews.of_call(call_id)
        ]
    )
