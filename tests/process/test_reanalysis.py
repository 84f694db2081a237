"""A stored call judged again by another playbook: over HTTP and by the command, without its recording."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.playbooks import HEARD, write_playbooks
from tests.process.service import ROOT, Service, environment, running, tone, wait_until, write_script

HANGING = [{"do": "sleep", "seconds": 600}]
AS_THEY_WERE = ("transcript", "speakers", "duration_seconds", "language", "created_at")


def said(call: dict[str, Any]) -> list[dict[str, Any]]:
    """The segments without what is judged in them."""
    kept = ("speaker", "role", "start_time", "end_time", "text", "words")
    return [{name: segment[name] for name in kept} for segment in call["segments"]]


def kinds(call: dict[str, Any]) -> set[str]:
    return {moment["type"] for moment in call["moments"]}


def judged(service: Service, call_id: str, playbook: str) -> dict[str, Any]:
    wait_until(
        lambda: service.call(call_id)["playbook"]["name"] == playbook, f"{call_id} to be judged by {playbook}"
    )
    return service.wait_for(call_id)


def command(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        env=environment(folder, **settings),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=90,
    )


def test_another_playbook_finds_other_moments_in_the_same_words(tmp_path: Path) -> None:
    own = str(write_playbooks(tmp_path / "playbooks"))
    write_script(tmp_path, HEARD)
    with running(tmp_path, playbook_dir=own, max_concurrent_calls="1") as service:
        assert service.transcribe(tone(), call_id="CALL-1").status_code == 200
        named = {"speakers": {"speaker_0": {"name": "Ada", "role": "customer"}}}
        before = httpx.patch(f"{service.url}/calls/CALL-1/speakers", json=named).json()
        (price,) = (moment for moment in before["moments"] if moment["type"] == "objection")
        verdict = service.post(f"/calls/CALL-1/moments/{price['id']}/review", json={"verdict": "right"})
        assert verdict.status_code == 201
        for recording in service.recordings():
            recording.unlink()

        write_script(tmp_path, faults=HANGING)
        service.submit(tone(pitch=500), call_id="IN-THE-WAY")
        service.wait_for_stage("IN-THE-WAY")
        answer = service.post("/calls/CALL-1/reanalyze", json={"playbook": "strict"})
        assert (answer.status_code, answer.headers["Location"]) == (202, "/calls/CALL-1")
        again = service.post("/calls/CALL-1/reanalyze", json={"playbook": "silent"})
        assert (again.status_code, again.json()["code"]) == (409, "call_unfinished")
        meanwhile = service.call("CALL-1")
        assert (meanwhile["status"], meanwhile["queue_position"]) == ("queued", 1)
        assert [moment["id"] for moment in meanwhile["moments"]] == [m["id"] for m in before["moments"]]

        write_script(tmp_path, HEARD)
        service.post("/calls/IN-THE-WAY/cancel")
        after = judged(service, "CALL-1", "strict")
        assert said(after) == said(before)
        assert [after[name] for name in AS_THEY_WERE] == [before[name] for name in AS_THEY_WERE]
        assert "confusion" in kinds(after) - kinds(before)
        (found,) = (moment for moment in after["moments"] if moment["type"] == "objection")
        assert (found["id"], found["rule"]) == (price["id"], "strict_price")
        assert found["review"]["verdict"] == "right"

        done = command(
            tmp_path, "reanalyze", "--since", "2020-01-01", "--playbook", "silent", playbook_dir=own
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "analysed again: 1, failed: 0, waiting: 0, passed over: 0\n"
        silent = service.call("CALL-1")
        assert silent["playbook"]["name"] == "silent"
        assert "objection" not in kinds(silent)
        (listed,) = service.get("/calls/CALL-1/reviews").json()["items"]
        assert (listed["moment_id"], listed["found"]) == (price["id"], False)
        assert service.times_done("transcribe", "CALL-1") == 1
        exported = command(tmp_path, "export-reviews", str(tmp_path / "reviews.jsonl"))
        assert exported.returncode == 0, exported.stderr
        assert '"objection/price"' in (tmp_path / "reviews.jsonl").read_text()
