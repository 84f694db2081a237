"""Recordings that are not there any more, and reels that cannot be."""

from __future__ import annotations

from app.core.exceptions.base import InputError


class AudioDeleted(InputError):
    code = "audio_deleted"
    status = 410
    title = "The recording of the call was deleted when its time was over"


class AudioMissing(InputError):
    code = "audio_missing"
    status = 404
    title = "The recording of the call is not where it was stored"


class ClipNotFound(InputError):
    code = "clip_not_found"
    status = 404
    title = "There is no such clip"


class ConsentDeclined(InputError):
    code = "consent_declined"
    status = 409
    title = "Somebody who is heard in the clip does not agree that it is kept"


class RangeNotSatisfiable(InputError):
    code = "range_not_satisfiable"
    status = 416
    title = "There are no bytes in the range that was asked for"


class NoMomentFits(InputError):
    code = "no_moment_fits"
    title = "No moment is as short as the reel may be"


class ReelNotFound(InputError):
    code = "reel_not_found"
    status = 404
    title = "There is no such reel"
