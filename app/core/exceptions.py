"""Every error that a client can see: a stable code, an HTTP status and whether trying again may help."""

# AppError
# ├── InputError                      the client must change something
# │   ├── ValidationFailed            422 validation_error (each field named)
# │   ├── MalformedRequest            400 malformed_request
# │   ├── Unauthorized                401 unauthorized
# │   ├── Forbidden                   403 forbidden_origin
# │   ├── CallNotFound                404 call_not_found
# │   ├── NoCoachableMoments          404 no_coachable_moments
# │   ├── CallExists                  409 call_exists
# │   ├── CallNotReady                409 call_not_ready
# │   ├── CallFinished                409 call_finished
# │   ├── CallUnfinished              409 call_unfinished
# │   ├── AudioGone                   409 audio_gone
# │   ├── IdempotencyKeyInvalid       400 idempotency_key_invalid
# │   ├── IdempotencyKeyInUse         409 idempotency_key_in_use
# │   ├── IdempotencyKeyReused        422 idempotency_key_reused
# │   ├── LegalHold                   409 legal_hold
# │   ├── TextDeleted                 410 text_deleted
# │   ├── WebhookNotFound             404 webhook_not_found
# │   ├── DeliveryNotFound            404 delivery_not_found
# │   ├── WebhookDisabled             409 webhook_disabled
# │   ├── DeliveryWithdrawn           409 delivery_withdrawn
# │   ├── TooManyWebhooks             409 too_many_webhooks
# │   ├── WebhookUrlRefused           422 webhook_url_refused
# │   ├── WebhookSecretMissing        422 webhook_secret_missing
# │   ├── UploadTimeout               408 upload_timeout
# │   ├── UploadTooLarge              413 upload_too_large
# │   └── AudioRejected               the recording itself cannot be used
# │       ├── EmptyAudio              422 empty_audio
# │       ├── UnsupportedMedia        415 unsupported_media
# │       ├── UndecodableAudio        422 undecodable_audio
# │       ├── AudioTooLong            413 audio_too_long
# │       ├── UnsupportedRate         422 unsupported_rate
# │       └── UnsupportedLanguage     422 unsupported_language
# ├── Unavailable                     503, retryable: the client may send the same again later
# │   ├── EngineUnavailable           503 <stage>_unavailable
# │   ├── DatabaseUnavailable         503 database_unavailable
# │   ├── StorageUnavailable          503 storage_unavailable
# │   ├── Busy                        503 busy
# │   ├── ServiceStopping             503 stopping: no new work is taken any more
# │   └── CallInterrupted             503 interrupted: the service stops; the call goes on elsewhere or later
# ├── InsufficientStorage             507 insufficient_storage
# ├── StageFailed                     500 <stage>_failed: an engine raised in the middle of a call
# │   ├── EngineCrashed               500 engine_crashed: the engine process died in this call
# │   ├── ResourceLimit               500 resource_limit: more memory was needed than engines may take
# │   └── DeadlineExceeded            504 deadline_exceeded
# ├── CallFailed                      as stored: the failure of a finished call, told again
# ├── CallCancelled                   409 call_cancelled: it was cancelled while a client waited for it
# ├── WorkerLost                      500 worker_lost: whoever worked on the call ended, every time
# ├── ConfigurationError              stops the start; never reaches a client
# └── InternalError                   500 internal_error

from __future__ import annotations

from typing import ClassVar


class AppError(Exception):
    """Base of all expected failures.

    ``detail`` is shown to clients: no path, no SQL, no transcript text in it.
    """

    code: str = "internal_error"
    status: int = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False
    usual_retry_after_s: ClassVar[int | None] = None

    def __init__(
        self,
        detail: str = "",
        *,
        errors: list[dict[str, str]] | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors or []
        self.retry_after_s = self.usual_retry_after_s if retry_after_s is None else retry_after_s
        self.context: dict[str, str] = {}
        """Further members of the problem document, such as the call's id."""
        self.is_replay = False
        """Whether this was told before, in answer to a request with the same Idempotency-Key."""

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross the engine process's pipe, keyword arguments and instance codes included."""
        return (_rebuild, (type(self), self.detail, dict(self.__dict__)))


def _rebuild(kind: type[AppError], detail: str, state: dict[str, object]) -> AppError:
    error = kind.__new__(kind)
    Exception.__init__(error, detail)
    error.__dict__.update(state)
    return error


class InputError(AppError):
    status = 422


class ValidationFailed(InputError):
    code = "validation_error"
    title = "The request has fields that cannot be used"


class MalformedRequest(InputError):
    code = "malformed_request"
    status = 400
    title = "The request body cannot be read"


class Unauthorized(InputError):
    code = "unauthorized"
    status = 401
    title = "A valid API key is needed"


class Forbidden(InputError):
    code = "forbidden_origin"
    status = 403
    title = "This origin may not use the service"


class CallNotFound(InputError):
    code = "call_not_found"
    status = 404
    title = "There is no such call"


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


class IdempotencyKeyInvalid(InputError):
    code = "idempotency_key_invalid"
    status = 400
    title = "The Idempotency-Key cannot be used"


class IdempotencyKeyInUse(InputError):
    code = "idempotency_key_in_use"
    status = 409
    title = "The first request with this Idempotency-Key is still in work"


class IdempotencyKeyReused(InputError):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key belongs to another request"


class LegalHold(InputError):
    code = "legal_hold"
    status = 409
    title = "The call is under legal hold: nothing of it is removed"


class TextDeleted(InputError):
    code = "text_deleted"
    status = 410
    title = "The words of the call were deleted when their time was over"


class WebhookNotFound(InputError):
    code = "webhook_not_found"
    status = 404
    title = "There is no such webhook"


class DeliveryNotFound(InputError):
    code = "delivery_not_found"
    status = 404
    title = "There is no such delivery"


class WebhookDisabled(InputError):
    code = "webhook_disabled"
    status = 409
    title = "The webhook is disabled"


class DeliveryWithdrawn(InputError):
    code = "delivery_withdrawn"
    status = 409
    title = "The call of the delivery was deleted"


class TooManyWebhooks(InputError):
    code = "too_many_webhooks"
    status = 409
    title = "There are as many webhooks as there may be"


class WebhookUrlRefused(InputError):
    """An address that the service must not send to: not https, or not on the public internet."""

    code = "webhook_url_refused"
    title = "The service does not send to this address"


class WebhookSecretMissing(InputError):
    code = "webhook_secret_missing"
    title = "The service has no secret to sign with"


class UploadTimeout(InputError):
    code = "upload_timeout"
    status = 408
    title = "The upload came too slowly"


class UploadTooLarge(InputError):
    code = "upload_too_large"
    status = 413
    title = "The upload is too large"


class AudioRejected(InputError):
    """The recording cannot be used; nothing of it is kept."""


class EmptyAudio(AudioRejected):
    code = "empty_audio"
    title = "There is no audio in the request"


class UnsupportedMedia(AudioRejected):
    code = "unsupported_media"
    status = 415
    title = "The file is not an audio recording"


class UndecodableAudio(AudioRejected):
    code = "undecodable_audio"
    title = "The recording cannot be decoded"


class AudioTooLong(AudioRejected):
    code = "audio_too_long"
    status = 413
    title = "The recording is too long"


class UnsupportedRate(AudioRejected):
    code = "unsupported_rate"
    title = "The sample rate is not supported"


class UnsupportedLanguage(AudioRejected):
    code = "unsupported_language"
    title = "No engine for this language is usable"


class Unavailable(AppError):
    status = 503
    retryable = True
    title = "A part of the service is not available"
    usual_retry_after_s = 30


class EngineUnavailable(Unavailable):
    """No engine of a stage is usable; ``code`` is ``<stage>_unavailable``."""

    title = "No engine is usable for this"

    def __init__(self, stage: str, detail: str = "", *, retry_after_s: int = 30) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.stage = stage
        self.code = f"{stage}_unavailable"


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
    title = "The database cannot be reached"
    commit_unknown = False
    """Whether the change may have been kept all the same."""


class StorageUnavailable(Unavailable):
    code = "storage_unavailable"
    title = "The audio storage cannot be reached"


class Busy(Unavailable):
    code = "busy"
    title = "Too many calls are in work"


class ServiceStopping(Unavailable):
    code = "stopping"
    title = "The service is stopping and takes no new work"


class CallInterrupted(Unavailable):
    code = "interrupted"
    title = "The service is stopping; the call is not lost"


class InsufficientStorage(AppError):
    code = "insufficient_storage"
    status = 507
    title = "There is no room left to store the recording"


class StageFailed(AppError):
    """An engine raised in the middle of a call; ``code`` is ``<stage>_failed`` where there is no other."""

    title = "A stage of the analysis failed"
    retryable = True
    own_code: ClassVar[str | None] = None

    def __init__(self, stage: str, detail: str = "") -> None:
        super().__init__(detail)
        self.stage = stage
        self.code = self.own_code or f"{stage}_failed"


class EngineCrashed(StageFailed):
    title = "The engine process ended during the call"
    own_code = "engine_crashed"


class ResourceLimit(StageFailed):
    title = "The recording needs more memory than the engines may take"
    own_code = "resource_limit"


class DeadlineExceeded(StageFailed):
    status = 504
    title = "The call took longer than its deadline"
    own_code = "deadline_exceeded"


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


class ConfigurationError(AppError):
    """A setting, playbook or sidecar that cannot be used. Stops the start and names the culprit."""

    code = "configuration_error"
    title = "The configuration cannot be used"


class InternalError(AppError):
    """Anything unforeseen, as a client sees it."""
