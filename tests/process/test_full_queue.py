"""Far more calls than can be worked on: each is taken in and finished, or told when to come back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.service import running, tone, write_script


@pytest.mark.parametrize("path", ["/calls", "/transcribe"])
def test_there_is_room_again_when_a_call_has_ended(tmp_path: Path, path: str) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 60}])
    with running(tmp_path, max_concurrent_calls="1", max_queued_calls="0", stop_grace_s="0") as service:
        service.submit(tone(), call_id="CALL-1")
        service.wait_for_stage("CALL-1")
        refused = service.post(path, files={"audio": tone(pitch=500)}, data={"call_id": "CALL-2"})
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert service.get("/calls/CALL-2").status_code == 404
        write_script(tmp_path)
        service.post("/calls/CALL-1/cancel")
        again = service.post(path, files={"audio": tone(pitch=500)}, data={"call_id": "CALL-2"})
        assert again.status_code in (200, 202)
        assert service.wait_for("CALL-2")["status"] == "completed"
