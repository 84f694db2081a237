"""What is wrong with a request itself: its fields, keys, origin, upload or Idempotency-Key."""

from __future__ import annotations

from typing import Self

from app.core.exceptions.base import InputError


class ValidationFailed(InputError):
    code = "validation_error"
    title = "The request has fields that cannot be used"

    @classmethod
    def of(cls, field: str, message: str) -> Self:
        """The failure of one field; ``message`` goes on after its name ("must be …")."""
        return cls(f"{field}: {message}", errors=[{"field": field, "message": message}])


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


class FormTokenInvalid(InputError):
    code = "form_token_invalid"
    status = 403
    title = "The page is out of date"


class UnsupportedMediaType(InputError):
    code = "unsupported_media_type"
    status = 415
    title = "The body is of a kind that is not taken here"


class TooManyWrongKeys(InputError):
    code = "too_many_wrong_keys"
    status = 429
    title = "Too many wrong keys came from this address"


class UploadTimeout(InputError):
    code = "upload_timeout"
    status = 408
    title = "The upload came too slowly"


class UploadTooLarge(InputError):
    code = "upload_too_large"
    status = 413
    title = "The upload is too large"


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
