"""What Prometheus is told: true figures, also of several processes, and no ids."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from app.core.shared_counters import share_counters
from app.core.telemetry import Telemetry

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples(exposition: bytes) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(exposition.decode())
        for sample in family.samples
    }


def test_work_is_counted() -> None:
    telemetry = Telemetry()
    telemetry.stage_ended("transcribe", 3.0)
    telemetry.stage_ended("transcribe", 0.2)
    telemetry.call_ended("failed", "undecodable_audio")
    telemetry.call_ended("completed")
    telemetry.call_analysed(60.0, 15.0, has_text=True)
    telemetry.call_analysed(20.0, 1.0, has_text=False)
    found = samples(telemetry.exposition())
    stage = (("stage", "transcribe"),)
    assert found["darwix_stage_seconds_count", stage] == 2
    assert found["darwix_stage_seconds_sum", stage] == 3.2
    failed = (("code", "undecodable_audio"), ("outcome", "failed"))
    assert found["darwix_calls_ended_total", failed] == 1
    assert found["darwix_audio_seconds_total", ()] == 80.0
    assert found["darwix_calls_without_text_total", ()] == 1
    assert found["darwix_call_realtime_factor_sum", ()] == 0.25 + 0.05


def test_each_service_of_a_process_counts_for_itself() -> None:
    one, other = Telemetry(), Telemetry()
    one.call_ended("completed")
    completed = (("code", ""), ("outcome", "completed"))
    assert ("darwix_calls_ended_total", completed) not in samples(other.exposition())


def test_an_empty_recording_has_no_pace() -> None:
    telemetry = Telemetry()
    telemetry.call_analysed(0.0, 1.0, has_text=False)
    assert samples(telemetry.exposition())["darwix_call_realtime_factor_count", ()] == 0


COUNT = "from app.core.telemetry import Telemetry; t = Telemetry(); t.call_ended('completed')"
TELL = (
    "import sys; from app.core.telemetry import Telemetry; sys.stdout.buffer.write(Telemetry().exposition())"
)


def test_processes_that_share_a_folder_add_up_and_a_new_start_forgets(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(program: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True
        ).stdout

    for _ in range(3):
        run(COUNT)
    completed = (("code", ""), ("outcome", "completed"))
    assert samples(run(TELL))["darwix_calls_ended_total", completed] == 3
    before = os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    try:
        share_counters(tmp_path)
        assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(tmp_path)
    finally:
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
        if before is not None:
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = before
    assert ("darwix_calls_ended_total", completed) not in samples(run(TELL))
