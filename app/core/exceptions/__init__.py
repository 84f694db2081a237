"""Every error that a client can see: a stable code and an HTTP status."""

# AppError
# ├── InputError                      the client must change something
# │   ├── ValidationFailed            422 validation_error (each field named)
# │   ├── MalformedRequest            400 malformed_request
# │   ├── Unauthorized                401 unauthorized
# │   ├── Forbidden                   403 forbidden_origin
# │   ├── FormTokenInvalid            403 form_token_invalid
# │   ├── CallNotFound                404 call_not_found
# │   ├── AgentNotFound               404 agent_not_found
# │   ├── TeamNotFound                404 team_not_found
# │   ├── NoCoachableMoments          404 no_coachable_moments
# │   ├── MomentNotFound              404 moment_not_found
# │   ├── ReviewNotFound              404 review_not_found
# │   ├── CommentNotFound             404 comment_not_found
# │   ├── SegmentNotFound             404 segment_not_found
# │   ├── CorrectionNotFound          404 correction_not_found
# │   ├── TooManyComments             409 too_many_comments
# │   ├── CallExists                  409 call_exists
# │   ├── CallNotReady                409 call_not_ready
# │   ├── CallFinished                409 call_finished
# │   ├── CallUnfinished              409 call_unfinished
# │   ├── AudioGone                   409 audio_gone
# │   ├── AudioDeleted                410 audio_deleted
# │   ├── AudioMissing                404 audio_missing
# │   ├── ClipNotFound                404 clip_not_found
# │   ├── ConsentDeclined             409 consent_declined
# │   ├── NoMomentFits                422 no_moment_fits
# │   ├── ReelNotFound                404 reel_not_found
# │   ├── RangeNotSatisfiable         416 range_not_satisfiable
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
# │   ├── UnknownPlaybook             422 unknown_playbook
# │   ├── PlaybookNotFound            404 playbook_not_found
# │   ├── PlaybookRevisionNotFound    404 playbook_revision_not_found
# │   ├── PlaybookDraftNotFound       404 playbook_draft_not_found
# │   ├── PlaybookDraftExists         409 playbook_draft_exists
# │   ├── PlaybookDraftChanged        412 playbook_draft_changed
# │   ├── PlaybookInvalid             422 playbook_invalid (each reason with its line)
# │   ├── PlaybookExamplesFailed      422 playbook_examples_failed
# │   ├── PlaybookTooLarge            413 playbook_too_large
# │   ├── TooManyPlaybooks            409 too_many_playbooks
# │   ├── TooManyWrongKeys            429 too_many_wrong_keys
# │   ├── UnsupportedMediaType        415 unsupported_media_type (of a recording: UnsupportedMedia)
# │   ├── UploadTimeout               408 upload_timeout
# │   ├── UploadTooLarge              413 upload_too_large
# │   └── AudioRejected               the recording itself cannot be used
# │       ├── EmptyAudio              422 empty_audio
# │       ├── UnsupportedMedia        415 unsupported_media
# │       ├── UndecodableAudio        422 undecodable_audio
# │       ├── AudioTooLong            413 audio_too_long
# │       ├── UnsupportedRate         422 unsupported_rate
# │       └── UnsupportedLanguage     422 unsupported_language
# ├── Unavailable                     503: the client may send the same again later
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
# │   └── PlaybookMissing             no file has the name
# └── InternalError                   500 internal_error

from __future__ import annotations

from app.core.exceptions.audio import (
    AudioRejected,
    AudioTooLong,
    EmptyAudio,
    UndecodableAudio,
    UnsupportedLanguage,
    UnsupportedMedia,
    UnsupportedRate,
)
from app.core.exceptions.availability import (
    Busy,
    CallInterrupted,
    DatabaseUnavailable,
    EngineUnavailable,
    InsufficientStorage,
    ServiceStopping,
    StorageUnavailable,
)
from app.core.exceptions.base import AppError, ConfigurationError, InputError, InternalError, Unavailable
from app.core.exceptions.calls import (
    AgentNotFound,
    AudioGone,
    CallCancelled,
    CallExists,
    CallFailed,
    CallFinished,
    CallNotFound,
    CallNotReady,
    CallUnfinished,
    LegalHold,
    NoCoachableMoments,
    TeamNotFound,
    TextDeleted,
    WorkerLost,
)
from app.core.exceptions.media import (
    AudioDeleted,
    AudioMissing,
    ClipNotFound,
    ConsentDeclined,
    NoMomentFits,
    RangeNotSatisfiable,
    ReelNotFound,
)
from app.core.exceptions.playbooks import (
    PlaybookDraftChanged,
    PlaybookDraftExists,
    PlaybookDraftNotFound,
    PlaybookExamplesFailed,
    PlaybookInvalid,
    PlaybookMissing,
    PlaybookNotFound,
    PlaybookRevisionNotFound,
    PlaybookTooLarge,
    TooManyPlaybooks,
    UnknownPlaybook,
)
from app.core.exceptions.requests import (
    Forbidden,
    FormTokenInvalid,
    IdempotencyKeyInUse,
    IdempotencyKeyInvalid,
    IdempotencyKeyReused,
    MalformedRequest,
    TooManyWrongKeys,
    Unauthorized,
    UnsupportedMediaType,
    UploadTimeout,
    UploadTooLarge,
    ValidationFailed,
)
from app.core.exceptions.reviews import (
    CommentNotFound,
    CorrectionNotFound,
    MomentNotFound,
    ReviewNotFound,
    SegmentNotFound,
    TooManyComments,
)
from app.core.exceptions.stages import DeadlineExceeded, EngineCrashed, ResourceLimit, StageFailed
from app.core.exceptions.webhooks import (
    DeliveryNotFound,
    DeliveryWithdrawn,
    TooManyWebhooks,
    WebhookDisabled,
    WebhookNotFound,
    WebhookSecretMissing,
    WebhookUrlRefused,
)

__all__ = [
    "AgentNotFound",
    "AppError",
    "AudioDeleted",
    "AudioGone",
    "AudioMissing",
    "AudioRejected",
    "AudioTooLong",
    "Busy",
    "CallCancelled",
    "CallExists",
    "CallFailed",
    "CallFinished",
    "CallInterrupted",
    "CallNotFound",
    "CallNotReady",
    "CallUnfinished",
    "ClipNotFound",
    "CommentNotFound",
    "ConfigurationError",
    "ConsentDeclined",
    "CorrectionNotFound",
    "DatabaseUnavailable",
    "DeadlineExceeded",
    "DeliveryNotFound",
    "DeliveryWithdrawn",
    "EmptyAudio",
    "EngineCrashed",
    "EngineUnavailable",
    "Forbidden",
    "FormTokenInvalid",
    "IdempotencyKeyInUse",
    "IdempotencyKeyInvalid",
    "IdempotencyKeyReused",
    "InputError",
    "InsufficientStorage",
    "InternalError",
    "LegalHold",
    "MalformedRequest",
    "MomentNotFound",
    "NoCoachableMoments",
    "NoMomentFits",
    "PlaybookDraftChanged",
    "PlaybookDraftExists",
    "PlaybookDraftNotFound",
    "PlaybookExamplesFailed",
    "PlaybookInvalid",
    "PlaybookMissing",
    "PlaybookNotFound",
    "PlaybookRevisionNotFound",
    "PlaybookTooLarge",
    "RangeNotSatisfiable",
    "ReelNotFound",
    "ResourceLimit",
    "ReviewNotFound",
    "SegmentNotFound",
    "ServiceStopping",
    "StageFailed",
    "StorageUnavailable",
    "TeamNotFound",
    "TextDeleted",
    "TooManyComments",
    "TooManyPlaybooks",
    "TooManyWebhooks",
    "TooManyWrongKeys",
    "Unauthorized",
    "Unavailable",
    "UndecodableAudio",
    "UnknownPlaybook",
    "UnsupportedLanguage",
    "UnsupportedMedia",
    "UnsupportedMediaType",
    "UnsupportedRate",
    "UploadTimeout",
    "UploadTooLarge",
    "ValidationFailed",
    "WebhookDisabled",
    "WebhookNotFound",
    "WebhookSecretMissing",
    "WebhookUrlRefused",
    "WorkerLost",
]
