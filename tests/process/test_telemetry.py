"""GET /metrics of a real service, while calls wait, end and fail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.core.test_telemetry import Samples, samples
from tests.process.service import Service, running, tone, wait_until, write_script


def told(service: Service) -> Samples:
    answer = service.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return samples(answer.content)


def of_queue(name: str, queue: str = "transcribe") -> tuple[str, tuple[tuple[str, str], ...]]:
    return f"darwix_queue_{name}", (("queue", queue),)


def test_queues_stages_and_ends_are_told(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 3, "times": 1}])
    with running(tmp_path, max_concurrent_calls="1") as service, ThreadPoolExecutor(2) as pool:
        before = told(service)
        assert before["darwix_database_up", ()] == 1
        assert [before[of_queue("depth", queue)] for queue in ("transcribe", "analyze", "bulk")] == [0, 0, 0]
        answers = [pool.submit(service.transcribe, tone(pitch=pitch)) for pitch in (400.0, 500.0)]
        wait_until(
            lambda: (found := told(service))[of_queue("depth")] == 1 and found[of_queue("in_work")] == 1,
            "one call to wait and one to be in work",
        )
        assert told(service)[of_queue("oldest_age_seconds")] > 0
        assert [answer.result().status_code for answer in answers] == [200, 200]
        write_script(tmp_path, text="")
        assert service.transcribe(tone(pitch=600)).json()["no_speech"]
        assert service.transcribe(b"RIFF\x00\x00\x00\x00WAVEjunk").status_code in (415, 422)
        after = told(service)
        completed = (("code", ""), ("outcome", "completed"))
        assert after["darwix_calls_ended_total", completed] == 3
        assert after["darwix_calls_without_text_total", ()] == 1
        assert after["darwix_audio_seconds_total", ()] == 6.0
        assert after["darwix_stage_seconds_count", (("stage", "transcribe"),)] == 3
        assert after[of_queue("depth")] == 0


def test_no_id_stands_in_a_label(plain: Service) -> None:
    assert plain.transcribe(tone(), call_id="SECRET-1", agent_id="SECRET-2").status_code == 200
    text = plain.get("/metrics").text
    assert "SECRET" not in text
    assert {name for _, labels in told(plain) for name, _ in labels} <= {
        "stage", "outcome", "code", "queue", "le",
    }  # fmt: skip


def test_keys_guard_it_and_several_processes_tell_the_same(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, workers=2, api_keys="k-1") as service:
        assert service.get("/metrics").status_code == 401
        headers = {"Authorization": "Bearer k-1"}
        for pitch in (400, 500, 600, 700):
            answer = service.post(
                "/transcribe", files={"audio": ("a.wav", tone(pitch=pitch))}, headers=headers
            )
            assert answer.status_code == 200, answer.text
        completed = (("code", ""), ("outcome", "completed"))
        for _ in range(6):
            found = samples(service.get("/metrics", headers=headers).content)
            assert found["darwix_calls_ended_total", completed] == 4
