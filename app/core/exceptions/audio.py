"""Recordings that cannot be used."""

from __future__ import annotations

from app.core.exceptions.base import InputError


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
