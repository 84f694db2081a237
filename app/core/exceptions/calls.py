"""What a call is not, or not yet, and how it ended without a result."""

from __future__ import annotations

from app.core.exceptions.base import AppError, InputError


class CallNotFound(InputError):
    code = "call_not_found"
    status = 404
    title = "There is no such call"


class AgentNotFound(InputError):
    code = "agent_not_found"
    status = 404
    title = "There is no call of such an agent"


class TeamNotFound(InputError):
    code = "team_not_found"
    status = 404
    title = "There is no call of such a team"


class NoCoachableMoments(InputError):
    code = "no_coachable_moments"
    status = 404
    title = "The call has no coachable moments"


class CallExists(InputError):
    code = "call_exists"
    status = 409
    title = "The call id is taken by another recording"


class CallNotReady(InputError):
    code = "call_not_ready"
    status = 409
    title = "The call is not finished"


class CallFinished(InputError):
    code = "call_finished"
    status = 409
    title = "The call is finished"


class CallUnfinished(InputError):
    code = "call_unfinished"
    status = 409
    title = "The call is still in work"


class AudioGone(InputError):
    code = "audio_gone"
    status = 409
    title = "The recording of the call is no longer kept"


class LegalHold(InputError):
    code = "legal_hold"
    status = 409
    title = "The call is under legal hold: nothing of it is removed"


class TextDeleted(InputError):
    code = "text_deleted"
    status = 410
    title = "The words of the call were deleted when their time was over"


class CallCancelled(AppError):
    code = "call_cancelled"
    status = 409
    title = "The call was cancelled"


class WorkerLost(AppError):
    code = "worker_lost"
    title = "Whoever worked on the call ended before it was finished, each time that it was tried"


class CallFailed(AppError):
    """The stored failure of a call, with the code and status that it had."""

    title = "The call could not be analysed"

    def __init__(self, code: str, status: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.status = status
