"""What is left when processes are killed: a finished call or a reason, and a service that works on."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.faults.points import reached, set_points, with_points
from tests.process.service import Service, running, start, tone, wait_until, write_script


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """For tests that it survives: each has calls of its own, and says what the engine does to them."""
    folder = tmp_path_factory.mktemp("shared")
    write_script(folder)
    with running(folder, engine_memory_mb="1500") as service:
        yield service


def in_background(work: object) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def in_work(service: Service, call_id: str = "CALL-1") -> bool:
    return bool(service.get(f"/calls/{call_id}").json().get("stage") == "transcribe")


def finished(service: Service, call_id: str = "CALL-1") -> bool:
    return service.get(f"/calls/{call_id}").json()["status"] in ("completed", "failed")


def test_a_killed_service_finishes_its_call_when_it_is_started_again(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 60}])
    service = start(tmp_path)

    def send() -> None:
        with contextlib.suppress(httpx.TransportError):
            service.transcribe(tone(), call_id="CALL-1")

    sender = in_background(send)
    wait_until(lambda: in_work(service), "the call to be in work")
    service.kill()
    sender.join(30)
    write_script(tmp_path)
    with running(tmp_path) as again:
        wait_until(lambda: finished(again), "the call to be finished")
        assert again.get("/calls/CALL-1").json()["transcript"] == "that is too expensive for us"
        assert not [path for path in again.stored_files() if "scratch" in path.parts]
        answer = again.transcribe(tone(), call_id="CALL-1")
        assert (answer.status_code, answer.headers["idempotent-replayed"]) == (200, "true")
        assert len(again.stored_files()) == 1


def test_a_call_whose_engine_process_is_killed_is_begun_again(shared: Service) -> None:
    write_script(shared.folder, faults=[{"do": "sleep", "seconds": 60}])
    answers: list[httpx.Response] = []
    sender = in_background(lambda: answers.append(shared.transcribe(tone(), call_id="KILLED")))
    wait_until(lambda: in_work(shared, "KILLED"), "the call to be in work")
    first_engine = shared.engine_pid()
    write_script(shared.folder)
    os.kill(first_engine, signal.SIGKILL)
    assert shared.get("/health").status_code == 200
    sender.join(60)
    assert answers[0].status_code == 200, answers[0].text
    assert answers[0].json()["transcript"] == "that is too expensive for us"
    assert shared.engine_pid() != first_engine


def test_an_engine_process_that_is_killed_while_it_loads_is_no_reason_to_do_without_its_engines(
    tmp_path: Path,
) -> None:
    write_script(tmp_path)
    set_points(tmp_path, linger_s={"load": 60})
    with running(tmp_path, wait_ready=False, **with_points(tmp_path)) as service:
        wait_until(lambda: "load" in reached(tmp_path), "the engine to be loaded")
        first_engine = service.engine_pid()
        set_points(tmp_path)
        os.kill(first_engine, signal.SIGKILL)
        answer = service.transcribe(tone(), call_id="CALL-1")
        assert answer.status_code == 200, answer.text
        assert service.engine_pid() != first_engine


def test_a_call_that_kills_its_engine_each_time_fails_and_harms_no_other(shared: Service) -> None:
    write_script(shared.folder, faults=[{"do": "crash"}])
    answer = shared.transcribe(tone(), call_id="POISON")
    assert (answer.status_code, answer.json()["code"], answer.json()["call_id"]) == (
        500,
        "worker_lost",
        "POISON",
    )
    left = shared.call("POISON")
    assert (left["status"], left["stage"]) == ("failed", "transcribe")
    write_script(shared.folder)
    assert shared.transcribe(tone(pitch=500), call_id="HARMLESS").status_code == 200
    assert shared.transcribe(tone(), call_id="POISON").status_code == 200


def test_a_call_past_its_deadline_is_ended_with_a_reason(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 300}])
    with running(tmp_path, call_deadline_min_s="2") as service:
        answer = service.transcribe(tone(), call_id="CALL-1")
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        write_script(tmp_path)
        assert service.transcribe(tone(), call_id="CALL-1").status_code == 200


def test_a_client_that_goes_away_does_not_stop_the_work(shared: Service) -> None:
    write_script(shared.folder, faults=[{"do": "sleep", "seconds": 2}])
    with pytest.raises(httpx.ReadTimeout):
        shared.post(
            "/transcribe", files={"audio": ("a.wav", tone())}, data={"call_id": "LEFT-ALONE"}, timeout=1
        )
    wait_until(lambda: shared.call("LEFT-ALONE")["status"] == "completed", "the call to be finished")


def test_a_terminated_service_finishes_what_it_has_begun(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 2}])
    with running(tmp_path) as service:
        answers: list[httpx.Response] = []
        sender = in_background(lambda: answers.append(service.transcribe(tone(), call_id="CALL-1")))
        wait_until(lambda: in_work(service), "the call to be in work")
        service.stop()
        sender.join(30)
        assert answers[0].status_code == 200
        assert answers[0].json()["status"] == "completed"


def logged(service: Service, event: str) -> int:
    return len([line for line in service.log_lines() if line["event"] == event])


def test_the_engine_process_is_replaced_after_so_many_calls(tmp_path: Path) -> None:
    write_script(tmp_path)
    with running(tmp_path, worker_max_calls="2") as service:
        for number in range(5):
            assert service.transcribe(tone(pitch=440 + number), call_id=f"CALL-{number}").status_code == 200
        wait_until(lambda: logged(service, "engine.replaced") == 2, "two processes to be replaced")
        assert logged(service, "engine.lost") == 0


def test_a_recording_too_large_for_the_engines_fails_with_that_reason(shared: Service) -> None:
    write_script(shared.folder, faults=[{"do": "leak", "megabytes": 2000, "over_s": 3}])
    answer = shared.transcribe(tone(4), call_id="LARGE")
    assert (answer.status_code, answer.json()["code"]) == (500, "resource_limit")
    assert shared.call("LARGE")["error"]["stage"] == "transcribe"
    assert shared.transcribe(tone(), call_id="SMALL").status_code == 200
