"""Memory, disk and network: what an upload may cost, and that nothing needs the outside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.process.service import ROOT, Service, environment, running, tone, wait_until, wav, write_script

MB = 1024 * 1024


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class HighWater:
    """The most memory that a process held while the block ran, beyond what it held before."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._clear = Path(f"/proc/{pid}/clear_refs")
        self._before = resident_bytes(pid)

    def __enter__(self) -> HighWater:
        self._clear.write_text("5")  # resets the peak
        return self

    def __exit__(self, *_: object) -> None:
        peak = next(line for line in self._status.read_text().splitlines() if line.startswith("VmHWM"))
        self.growth = int(peak.split()[1]) * 1024 - self._before


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="memory is measured through Linux's /proc"
)


@needs_proc
def test_an_upload_over_the_limit_costs_no_memory(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, max_upload_size_mb="5") as service:
        service.transcribe(tone(), call_id="WARM")

        def flood() -> Iterator[bytes]:
            yield b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n'
            for _ in range(300):
                yield b"x" * MB

        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        with HighWater(service.process.pid) as memory:
            answer = service.post("/transcribe", content=flood(), headers=headers)
        assert answer.status_code == 413
        assert memory.growth < 50 * MB
        assert len(service.stored_files()) == 1


@needs_proc
def test_twenty_parallel_uploads_are_not_held_in_memory(tmp_path: Path) -> None:
    write_script(tmp_path)
    recording = tone(600)
    with running(tmp_path, max_upload_size_mb="200", max_queued_calls="30") as service:
        service.transcribe(tone(), call_id="WARM")
        with HighWater(service.process.pid) as memory, ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda n: service.transcribe(recording, call_id=f"CALL-{n}"), range(20)))
        assert [answer.status_code for answer in answers] == [200] * 20
        assert len(recording) > 18 * MB
        assert memory.growth < 300 * MB


@contextmanager
def small_volume(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of a few megabytes; needs the right to mount one."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_has_a_code_and_frees_what_it_took(tmp_path: Path) -> None:
    write_script(tmp_path)
    with small_volume(tmp_path / "disk", 8) as disk:
        storage = f"file://{disk}/data"
        with running(tmp_path, storage_url=storage, max_upload_size_mb="50") as service:
            answer = service.transcribe(wav(b"\1\0" * 8_000_000), call_id="BIG")
            assert (answer.status_code, answer.json()["code"]) == (507, "insufficient_storage")
            assert service.get("/calls/BIG").status_code == 404
            long = service.transcribe(tone(220, rate=8000), call_id="LONG")
            assert (long.status_code, long.json()["code"]) == (507, "insufficient_storage")
            assert service.get("/calls/LONG").json()["status"] == "failed"
            assert service.delete("/calls/LONG").status_code == 204
            assert [path for path in disk.rglob("*") if path.is_file()] == []
            assert service.transcribe(tone(), call_id="SMALL").status_code == 200


def without_network() -> list[str]:
    """A command prefix that leaves a program no network at all, not even loopback."""
    for prefix in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if shutil.which("unshare") and subprocess.run([*prefix, "true"], check=False).returncode == 0:
            return prefix
    pytest.skip("this system cannot take the network away from a program")


def test_the_whole_pipeline_runs_without_a_network(tmp_path: Path) -> None:
    write_script(tmp_path)
    recording = tmp_path / "call.wav"
    recording.write_bytes(tone())
    done = subprocess.run(
        [*without_network(), sys.executable, "-m", "app", "transcribe", str(recording), "--json"],
        env=environment(tmp_path, stt_provider="whisper,scripted", sentiment_provider="transformer,lexicon"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    assert result["transcript"] == "that is too expensive for us"
    assert result["segments"][0]["coachable_type"] == "objection"
    assert result["degraded"] is True
    assert {notice["stage"] for notice in result["warnings"]} >= {"stt", "sentiment"}


def test_a_call_deleted_while_in_work_never_comes_back(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 2}])
    with running(tmp_path) as service, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(service.transcribe, tone(), call_id="GONE")
        wait_until(lambda: in_work(service, "GONE"), "the call to be in work")
        assert service.delete("/calls/GONE").status_code == 204
        assert (answer.result().status_code, answer.result().json()["code"]) == (404, "call_not_found")
        assert service.get("/calls/GONE").status_code == 404
        wait_until(lambda: service.stored_files() == [], "the work to be stopped")


def in_work(service: Service, call_id: str) -> bool:
    return bool(service.get(f"/calls/{call_id}").json().get("stage") == "transcribe")
