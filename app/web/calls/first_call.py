"""How a recording gets in: the form for it, a line for a shell, the demo call that comes with the service."""

from __future__ import annotations

import shlex
from pathlib import Path

from fastapi import Request

from app.core.config import Settings
from app.web.contexts.calls import FirstCall, UploadForm

ACCEPT = "audio/*,video/mp4,video/webm,.m4a,.mp3,.ogg,.opus,.wav,.flac,.webm,.mp4,.amr,.aac,.wma"
DEMO_CALL = Path(__file__).parents[1] / "demo" / "demo_call.mp3"


def upload_form(settings: Settings) -> UploadForm:
    return UploadForm(accept=ACCEPT, most_mb=settings.max_upload_size_mb)


def first_call(request: Request, settings: Settings) -> FirstCall:
    needs_key = bool(settings.api_keys)
    parts = ["curl", f"{str(request.base_url).rstrip('/')}/calls"]
    if needs_key:
        parts += ["-H", "Authorization: Bearer YOUR-KEY"]
    parts += ["-F", "audio=@call.mp3", "-F", "agent_id=emily"]
    return FirstCall(command=shlex.join(parts), needs_key=needs_key, has_demo=DEMO_CALL.is_file())
