"""The curl lines of the README's section on reels do what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.api.clients import services_of, started
from tests.api.test_readme_playbooks import curl_lines, request_of
from tests.services.reel.calls import objections, recording_of, store_call
from tests.services.reel.id3 import read_tag

MOMENT = objections("CALL-001").moments[1].id
MP3 = "audio/mpeg"
KINDS = [MP3, MP3, "application/json", "text/vtt; charset=utf-8", MP3, MP3, MP3, "audio/wav"]


def test_every_line_is_answered(tmp_path: Path) -> None:
    recording = recording_of(objections("CALL-001"), tmp_path)
    kinds = []
    with started(tmp_path) as client:
        services, analysis = services_of(client), objections("CALL-001")
        since = datetime(2026, 3, 2, tzinfo=UTC)
        store_call(services, "CALL-001", recording, analysis, since, agent_id="agent-7")
        for line in curl_lines("Replay and reels"):
            asked = request_of(_without_output([part.replace("MOMENT", MOMENT) for part in line]))
            answer = client.request(**asked)
            assert answer.status_code == (206 if "-r" in line else 200), f"{line}: {answer.text}"
            kinds.append(answer.headers["content-type"])
            if answer.content[:3] == b"ID3":
                assert read_tag(answer.content).chapters
    assert kinds == KINDS


def _without_output(line: list[str]) -> list[str]:
    """``-o FILE`` is curl's own; ``-r RANGE`` is a header."""
    kept: list[str] = []
    rest = iter(line)
    for part in rest:
        if part == "-o":
            next(rest)
        elif part == "-r":
            kept += ["-H", f"Range: bytes={next(rest)}"]
        else:
            kept.append(part)
    return kept
