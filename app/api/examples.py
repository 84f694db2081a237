"""Examples and the upload form as OpenAPI shows them."""

from __future__ import annotations

from typing import Any

from app.schemas.playbook import PLAYBOOK_PATTERN
from app.schemas.requests import ID_PATTERN, PARTY_PATTERN


def _moment(
    kind: str,
    subtype: str | None,
    segment: int,
    role: str,
    words: str,
    span: tuple[int, float, float],
    rule: str,
    why: str,
    tip: str,
) -> dict[str, Any]:
    start_char, start_time, end_time = span
    return {
        "id": "m_4f1c0d9be27a55e1c3aa",
        "type": kind,
        "subtype": subtype,
        "confidence": 0.72,
        "source": "rule+classifier",
        "segment": segment,
        "speaker": f"speaker_{segment}",
        "role": role,
        "evidence": {
            "text": words,
            "start_char": start_char,
            "end_char": start_char + len(words),
            "start_time": start_time,
            "end_time": end_time,
        },
        "rule": rule,
        "why": why,
        "tip": tip,
        "review": None,
    }


def _segment(
    speaker: str, times: tuple[float, float], text: str, sentiment: tuple[str, float]
) -> dict[str, Any]:
    return {
        "index": int(speaker.removeprefix("speaker_")),
        "speaker": speaker,
        "role": "unknown",
        "start_time": times[0],
        "end_time": times[1],
        "text": text,
        "sentiment": sentiment[0],
        "sentiment_score": sentiment[1],
        "is_coachable": True,
        "words": [],
        "corrected": False,
    }


def _text_segment(
    speaker: str, role: str, text: str, sentiment: str, probabilities: list[float]
) -> dict[str, Any]:
    return {
        "speaker": speaker,
        "role": role,
        "role_confidence": 1.0,
        "start_time": None,
        "end_time": None,
        "text": text,
        "sentiment": sentiment,
        "sentiment_score": max(probabilities),
        "sentiment_probabilities": dict(zip(("positive", "neutral", "negative"), probabilities, strict=True)),
        "is_coachable": False,
        "coachable_type": None,
        "moments": [],
        "words": [],
    }


_FIRST = "Hello, I'm interested in your product."
_SECOND = "That sounds great, but it's a bit too expensive for our budget."

CALL_RESULT: dict[str, Any] = {
    "call_id": "CALL-001",
    "status": "completed",
    "transcript": f"{_FIRST} {_SECOND}",
    "segments": [
        {
            **_segment("speaker_0", (0.0, 3.5), _FIRST, ("POSITIVE", 0.92)),
            "coachable_type": "buying_signal",
            "moments": [
                _moment(
                    "buying_signal",
                    None,
                    0,
                    "customer",
                    "I'm interested in",
                    (7, 0.6, 1.9),
                    "buying-interest",
                    "The customer says that they want it.",
                    "Name the next step while the interest is fresh.",
                )
            ],
        },
        {
            **_segment("speaker_1", (4.0, 8.2), _SECOND, ("NEGATIVE", 0.87)),
            "coachable_type": "objection",
            "moments": [
                _moment(
                    "objection",
                    "price",
                    1,
                    "customer",
                    "too expensive",
                    (36, 6.1, 7.0),
                    "objection-price",
                    "The customer gives price as a reason not to go ahead.",
                    "Ask what it is compared with before you defend the number.",
                )
            ],
        },
    ],
    "duration_seconds": 8.2,
    "language": "en",
    "language_confidence": 0.98,
    "no_speech": False,
    "degraded": False,
    "warnings": [],
    "engines": {
        "stt": "whisper:base",
        "sentiment": "transformer:distilbert-base-uncased-finetuned-sst-2-english",
        "diarization": "pauses",
        "reading": "embedding:2f6b7c1e90aa",
    },
}

COMMENT: dict[str, Any] = {
    "id": "c_5b1f0e8a94c3d27610fe",
    "time_seconds": 6.4,
    "text": "Ask what it is compared with.",
    "author": "Robin",
    "created_at": "2026-02-21T11:00:00Z",
    "updated_at": "2026-02-21T11:00:00Z",
}

CORRECTION: dict[str, Any] = {
    "id": "t_0c7de2419ab85f36e1d4",
    "segment": 1,
    "applied": True,
    "original": "That sounds great, but it's a bit too expansive for our budget.",
    "corrected": _SECOND,
    "start_time": 4.0,
    "end_time": 8.2,
    "corrected_at": "2026-02-21T11:00:00Z",
}

_UNTIMED = {
    **_moment(
        "objection",
        "price",
        1,
        "customer",
        "too expensive for us",
        (8, 0.0, 0.0),
        "price_too_high",
        "The customer says that it costs more than they can or want to pay.",
        "Ask what it is compared with before you defend the number.",
    ),
    "speaker": "Sam",
    "evidence": {
        "text": "too expensive for us",
        "start_char": 8,
        "end_char": 28,
        "start_time": None,
        "end_time": None,
    },
}

ANALYZE_RESULT: dict[str, Any] = {
    "call_id": None,
    "language": "en",
    "duration_seconds": None,
    "speakers": [
        {
            "id": name,
            "role": role,
            "role_confidence": 1.0,
            "role_source": "metadata",
            "name": None,
            "channel": None,
        }
        for name, role in (("Dana", "agent"), ("Sam", "customer"))
    ],
    "segments": [
        _text_segment(
            "Dana", "agent", "It comes to nine hundred a month.", "NEUTRAL", [0.2086, 0.5828, 0.2086]
        ),
        {
            **_text_segment(
                "Sam", "customer", "That is too expensive for us.", "NEGATIVE", [0.0032, 0.0414, 0.9554]
            ),
            "is_coachable": True,
            "coachable_type": "objection",
            "moments": [_UNTIMED],
        },
    ],
    "moments": [_UNTIMED],
    "metrics": None,
    "playbook": {"name": "default", "revision": "f023ff890997"},
    "engines": {"sentiment": "transformer:distilbert-base-uncased-finetuned-sst-2-english"},
    "degraded": False,
    "warnings": [],
}

READINESS: dict[str, Any] = {
    "status": "ready",
    "checks": {
        "service": "ok",
        "database": "ok",
        "database_replica": None,
        "storage": "ok",
        "engines": {
            "stt": {
                "engine": "pocketsphinx:en-us",
                "state": "ready",
                "degraded": True,
                "reason": "whisper:base is not usable: its weights are not on this machine yet",
                "fix": "python -m app fetch-models",
                "engines": [],
            }
        },
    },
}

CALL_PAGE: dict[str, Any] = {
    "items": [
        {
            "call_id": "CALL-001",
            "status": "completed",
            "agent_id": "agent-7",
            "team_id": "emea",
            "customer_id": "cust-42",
            "started_at": "2026-02-21T09:30:00Z",
            "direction": "outbound",
            "created_at": "2026-02-21T10:00:00Z",
            "completed_at": "2026-02-21T10:00:06Z",
            "duration_seconds": 8.2,
            "language": "en",
            "degraded": False,
            "moments": {"buying_signal": 1, "objection": 1},
            "error": None,
            "legal_hold": False,
            "audio_deleted_at": None,
            "text_deleted_at": None,
            "stage": None,
            "percent": 100.0,
            "queue_position": None,
            "share_of_speech": 0.5512,
            "sentiment": {
                "score": -0.5,
                "shift": 2.1,
                "quarters": [-1.1, -2.3, 0.2, 1.0],
                "curve": [-1.1, -2.3, 0.2, 1.0],
            },
            "match": {
                "segment": 1,
                "start_time": 3.4,
                "speaker": "speaker_1",
                "role": "customer",
                "text": "Honestly, this is too expensive for our budget.",
                "marks": [[18, 31], [40, 46]],
            },
        }
    ],
    "next_cursor": None,
}


IDEMPOTENCY_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": (
        "1 to 255 printable ASCII characters, kept for 48 hours. The same key with the same request makes no "
        "second call; with another request it is 422 `idempotency_key_reused`."
    ),
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
UPLOAD_HEADERS: dict[str, Any] = {
    "Idempotent-Replayed": {
        "description": "`true`: nothing new was begun, the call was there.",
        "schema": {"type": "string", "enum": ["true"]},
    }
}
LOCATION: dict[str, Any] = {
    "Location": {"description": "Where the call is read.", "schema": {"type": "string"}}
}


def _text(description: str, example: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, "examples": [example], **more}


TRANSCRIBE_FORM: dict[str, Any] = {
    "schema": {
        "type": "object",
        "required": ["audio"],
        "properties": {
            "audio": {
                "type": "string",
                "format": "binary",
                "description": "The recording, in any common format.",
            },
            "call_id": _text("Your id; made here when it is missing.", "CALL-001", pattern=ID_PATTERN),
            "agent_id": _text("Who spoke for your side.", "agent-7", pattern=PARTY_PATTERN),
            "team_id": _text("The team that the agent is in.", "emea", pattern=PARTY_PATTERN),
            "customer_id": _text("Who was called.", "cust-42", pattern=PARTY_PATTERN),
            "language": _text("ISO 639-1; detected when it is missing.", "en", minLength=2, maxLength=2),
            "started_at": _text("When the call began.", "2026-02-21T09:30:00Z", format="date-time"),
            "direction": {"type": "string", "enum": ["inbound", "outbound"]},
            "agent_channel": {
                "type": "string",
                "enum": ["0", "1"],
                "description": "The channel on which the agent speaks, in a two-channel recording.",
            },
            "num_speakers": _text("How many take part: 1 to 10, or auto.", "2", default="auto"),
            "vocabulary": _text(
                "Names that may be spoken (products, competitors), parted by commas.", "Darwix, Northwind CRM"
            ),
            "playbook": _text(
                "Name of the playbook whose rules find moments; PLAYBOOK holds where it is missing.",
                "default",
                pattern=PLAYBOOK_PATTERN,
            ),
            "metadata": _text(
                "A JSON object of strings, kept with the call; some help to tell roles (see the README).",
                '{"campaign": "spring"}',
            ),
            "priority": {
                "type": "string",
                "pattern": "^[0-9]$",
                "default": "0",
                "description": "0 to 9; of the calls that wait, those with a higher one come first.",
            },
            "webhook_url": _text(
                "Told when the call ends, beside the registered webhooks; needs WEBHOOK_SECRET.",
                "https://crm.example.com/hooks/darwix",
                maxLength=2048,
            ),
        },
    }
}


REEL: dict[str, Any] = {
    "reel_id": "3f0c9be27a55e1c3aa4f1c0d9be27a55",
    "audio_url": "/reels/3f0c9be27a55e1c3aa4f1c0d9be27a55",
    "source": "narrated",
    "duration_seconds": 14.21,
    "engine": "pyttsx3:espeak-ng",
    "created_at": "2026-03-02T09:31:02Z",
    "cues": [
        {
            "call_id": "CALL-001",
            "moment_id": "m_4f1c0d9be27a55e1c3aa",
            "type": "objection",
            "subtype": "price",
            "title": "Objection: price (12:40)",
            "start_time": 0.0,
            "end_time": 14.21,
            "call_start_time": 758.94,
            "call_end_time": 763.1,
            "speaker": "speaker_1",
            "role": "customer",
            "confidence": 0.72,
            "tip": "Do not defend the price yet: ask what they compare it with.",
            "unspoken": [],
        }
    ],
}
