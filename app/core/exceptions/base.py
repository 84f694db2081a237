"""Roots of the tree: what every error carries, and the families that tell a client what to do."""

from __future__ import annotations

from typing import ClassVar


class AppError(Exception):
    """Base of all expected failures.

    ``detail`` is shown to clients: no path, no SQL, no transcript text in it.
    """

    code: str = "internal_error"
    status: int = 500
    title: ClassVar[str] = "Internal error"
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


class Unavailable(AppError):
    status = 503
    title = "A part of the service is not available"
    usual_retry_after_s = 30


class ConfigurationError(AppError):
    """A setting, playbook or sidecar that cannot be used. Stops the start and names the culprit."""

    code = "configuration_error"
    title = "The configuration cannot be used"


class InternalError(AppError):
    """Anything unforeseen, as a client sees it."""
