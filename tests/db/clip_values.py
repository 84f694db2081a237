"""Clips for tests of the database."""

from __future__ import annotations

from typing import Any

from app.schemas.clip import Consent, ConsentState, ExcerptLine, KeptClip
from tests.db.values import at

RECORDED = Consent(ConsentState.RECORDED, "Robin “R”", at(2))


def clip(call_id: str, clip_id: str = "clip_1", **changes: Any) -> KeptClip:
    values: dict[str, Any] = {
        "moment_id": "m_1",
        "folder": "Price",
        "title": "Objection: price",
        "note": None,
        "start_s": 0.1 + 0.2,
        "end_s": 72.1 / 3,
        "type": "objection",
        "subtype": "price",
        "excerpt": (ExcerptLine("speaker_1", "customer", "zu teuer für uns 😀"),),
        "consent": Consent(),
        "audio_key": f"clip/{call_id}",
        "audio_bytes": 3_000_000_000,
        "audio_sha256": "c" * 64,
        "created_at": at(5),
        "agent_id": "agent-1",
        "team_id": "team-1",
    }
    return KeptClip(id=clip_id, call_id=call_id, **{**values, **changes})
