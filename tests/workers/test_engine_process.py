"""The process that holds the models: replaced when it has nothing to do, and bounded in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.core.exceptions import ResourceLimit, StageFailed
from app.workers.engine_child import is_out_of_memory
from app.workers.engine_process import EngineProcess
from tests.process.service import ROOT, wait_until, write_script
from tests.settings import make_settings
from tests.workers.engine_deaths import transcribe


@contextmanager
def engines(folder: Path, **overrides: Any) -> Iterator[EngineProcess]:
    settings = make_settings(folder, scripted_transcript=folder / "transcript.json", **overrides)
    process = EngineProcess(settings)
    try:
        yield process
    finally:
        process.stop()


def words(answer: Future[Any]) -> list[str]:
    (transcript,) = answer.result(60)
    return [word.text for word in transcript.words]


def test_a_replaced_process_first_does_what_it_was_given(tmp_path: Path) -> None:
    write_script(tmp_path, "well said", faults=[{"do": "sleep", "seconds": 0.3}])
    with engines(tmp_path) as process:
        answers = [transcribe(process) for _ in range(3)]
        first = process.pid
        process.replace()
        assert [words(answer) for answer in answers] == [["well", "said"]] * 3
        assert words(transcribe(process)) == ["well", "said"]
        assert process.pid not in (None, first)


def test_an_idle_process_is_replaced_at_once_and_not_counted_as_lost(tmp_path: Path) -> None:
    write_script(tmp_path, "well said")
    with engines(tmp_path) as process:
        for _ in range(5):  # more than may die young
            assert words(transcribe(process)) == ["well", "said"]
            process.replace()
        wait_until(lambda: process.pid is None, "the last one to end")


def test_a_request_that_needs_too_much_memory_fails_alone(tmp_path: Path) -> None:
    write_script(tmp_path, "well said", faults=[{"do": "leak", "megabytes": 3000, "over_s": 3}])
    with engines(tmp_path, engine_memory_mb=1500) as process:
        assert words(transcribe(process)) == ["well", "said"]
        first = process.pid
        large, small = transcribe(process, 4), transcribe(process)
        with pytest.raises(ResourceLimit, match="stt"):
            large.result(60)
        assert words(small) == ["well", "said"]
        assert process.pid not in (None, first)


def test_what_a_process_keeps_does_not_fail_the_next_request(tmp_path: Path) -> None:
    """What filled the memory goes with its process."""
    write_script(tmp_path, "well said", faults=[{"do": "leak", "megabytes": 400}])
    with engines(tmp_path, engine_memory_mb=1500) as process:
        outcomes = [transcribe(process) for _ in range(8)]
        failed = [type(answer.exception(60)) for answer in outcomes]
    assert set(failed) == {type(None), ResourceLimit}
    assert failed[:2] == [type(None), type(None)]
    assert failed[-1] is type(None) or failed[-2] is type(None)


def test_a_process_killed_with_its_memory_full_is_told_from_others(tmp_path: Path) -> None:
    """So the system's own killer looks, where a container is full before the limit is. The last two are
    killed with little in them, by a parent that has held more than they may."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.workers.engine_deaths", str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=180,
        check=True,
        text=True,
    )
    assert told.stdout.split() == ["ResourceLimit", "EngineCrashed", "EngineCrashed", "EngineCrashed"]


def wrapped(cause: Exception) -> StageFailed:
    try:
        raise StageFailed("stt", "the engine failed") from cause
    except StageFailed as error:
        return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"), True),
        (RuntimeError("std::bad_alloc"), True),
        (wrapped(MemoryError()), True),
        (wrapped(RuntimeError("bad allocation")), True),
        (RuntimeError("shapes do not match"), False),
        (ValueError("out of memory"), False),
        (wrapped(ValueError("x")), False),
    ],
)
def test_want_of_memory_is_known_in_the_words_of_each_library(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected
