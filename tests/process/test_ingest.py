"""A back catalogue through the command line: every file once, whatever happens, and new calls before it."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from tests.db.databases import postgres_url
from tests.process.brokers import broker_url
from tests.process.catalogues import Calls, Loading, load, make_catalogue, on_terminal
from tests.process.cluster import cluster
from tests.process.proxy import database_through, proxied
from tests.process.service import running, tone, wait_until, write_script
from tests.process.test_parallel_calls import migrate
from tests.process.test_resources import small_volume


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/calls.db"
        return
    with postgres_url() as url:
        migrate(tmp_path, url)
        yield url


def sqlite(folder: Path) -> Calls:
    return Calls(f"sqlite:///{folder}/calls.db")


def kept(folder: Path) -> list[Path]:
    """What lies in the storage: recordings, and whatever else was left."""
    # Folders come and go meanwhile, over which rglob stumbles.
    return [Path(root, name) for root, _, names in os.walk(folder / "data") for name in names]


def have_ended(folder: Path, calls: Calls, count: int) -> bool:
    return any(kept(folder)) and len(calls.results()) >= count


def test_killed_and_started_again_every_file_is_loaded_once_and_nothing_is_left(
    tmp_path: Path, database_url: str
) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 0.1}])
    catalogue, calls = make_catalogue(tmp_path, 24), Calls(database_url)
    for ended in (0, 3, 8):
        loading = Loading(tmp_path, catalogue, database_url=database_url)
        wait_until(partial(have_ended, tmp_path, calls, ended), "calls to be loaded")
        assert loading.stop(signal.SIGKILL) == -signal.SIGKILL
    last = load(tmp_path, catalogue, database_url=database_url)
    assert last.wait() == 0, last.printed + last.logged
    assert calls.by_status() == {"completed": 24}
    assert set(calls.results().values()) == {1}
    assert len(kept(tmp_path)) == 24
    assert {path.parent.parent.name for path in kept(tmp_path)} == {"audio"}
    counts = last.counts()
    assert counts["loaded"] + counts["already there"] == 24
    again = load(tmp_path, catalogue, database_url=database_url)
    assert (again.wait(), again.counts()["already there"]) == (0, 24)
    assert len(kept(tmp_path)) == 24


def test_a_new_call_is_finished_long_before_the_catalogue(tmp_path: Path, database_url: str) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 0.5}])
    catalogue, calls = make_catalogue(tmp_path, 60), Calls(database_url)
    with running(tmp_path, database_url=database_url) as service:
        loading = Loading(tmp_path, catalogue, database_url=database_url)
        wait_until(lambda: calls.by_status().get("processing", 0) >= 2, "both to work on the catalogue")
        for number in range(3):
            answer = service.transcribe(tone(0.5, 2000 + number), call_id=f"NEW-{number}")
            assert answer.status_code == 200
            assert calls.open("bulk") > 20
        assert loading.process.poll() is None
        write_script(tmp_path)
        assert loading.wait() == 0, loading.printed + loading.logged
    assert calls.by_status() == {"completed": 63}
    assert loading.counts() == {"loaded": 60, "already there": 0, "skipped": 0, "failed": 0}


def test_ctrl_c_stops_in_order_and_says_how_to_go_on(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 0.3}])
    catalogue, calls = make_catalogue(tmp_path, 12), sqlite(tmp_path)
    loading = Loading(tmp_path, catalogue)
    wait_until(partial(have_ended, tmp_path, calls, 1), "a call to end")
    assert loading.stop(signal.SIGINT) == 130
    assert "The same command goes on where this run stopped." in loading.printed
    counts = loading.counts()
    assert counts["loaded"] == calls.by_status()["completed"]
    assert counts["loaded"] + counts["left"] == 12
    assert "processing" not in calls.by_status()
    write_script(tmp_path)
    again = load(tmp_path, catalogue)
    assert again.wait() == 0
    assert again.counts()["already there"] >= counts["loaded"]
    assert calls.by_status() == {"completed": 12}


def test_lines_of_the_log_do_not_break_the_bar_and_hold_no_name(tmp_path: Path) -> None:
    write_script(tmp_path)
    catalogue = make_catalogue(tmp_path, 4)
    (catalogue / "smith john.html").write_bytes(b"<html>")
    code, written = on_terminal(tmp_path, catalogue, log_level="INFO")
    assert code == 0, written
    lines = re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written))
    logged = [line for line in lines if '"event"' in line]
    events = [json.loads(line)["event"] for line in logged]
    assert events.count("call.completed") == 4
    bars = [line for line in lines if "━" in line]
    assert all(line.startswith("━") for line in bars)
    assert re.search("5/5 +0 failed, 0 left", bars[-1])
    assert [line for line in lines if "smith" in line] == [
        line for line in lines if line.startswith("skipped:")
    ]
    assert not [line for line in logged if "call 1" in line or "smith" in line]


def test_a_table_is_loaded_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    write_script(tmp_path)
    catalogue, table = make_catalogue(tmp_path, 3), tmp_path / "calls.csv"
    table.write_text("file,call_id,direction\ncall 0.wav,C-0,\ncall 2.wav,C 2,in\n")
    refused = load(tmp_path, catalogue, "--metadata", table)
    assert refused.wait() == 2
    assert "line 3, column call_id: must be" in refused.logged
    assert "line 3, column direction: Input should be" in refused.logged
    assert not (tmp_path / "calls.db").exists()
    table.write_text(
        "\ufefffile;call_id;started_at;agent_id;customer_id;direction;metadata\r\n"
        'call 0.wav;C-0;2023-04-05T06:07:08Z;agent-7;cust-42;inbound;"{""campaign"": ""spring""}"\r\n'
        "2023/call 1.wav;C-1\r\ngone.wav;C-G\r\n"
    )
    loaded = load(tmp_path, catalogue, "--metadata", table)
    assert loaded.wait() == 1
    assert loaded.counts() == {"loaded": 2, "already there": 0, "skipped": 1, "failed": 1}
    assert "failed: gone.wav: missing (line 4 names it, and it is not in the folder)" in loaded.printed
    assert "skipped: call 2.wav: not_in_table" in loaded.printed
    with running(tmp_path) as service:
        call = service.get("/calls/C-0").json()
        assert (call["agent_id"], call["customer_id"], call["direction"]) == ("agent-7", "cust-42", "inbound")
        assert (call["metadata"], call["started_at"]) == ({"campaign": "spring"}, "2023-04-05T06:07:08Z")
        assert service.get("/calls/C-1").json()["status"] == "completed"


def test_what_fails_is_counted_by_code_and_tried_again_when_that_is_asked_for(tmp_path: Path) -> None:
    write_script(tmp_path)
    catalogue = make_catalogue(tmp_path, 2)
    broken = catalogue / "broken.wav"
    broken.write_bytes(b"\0\1\2 no sound at all" * 100)
    first = load(tmp_path, catalogue)
    assert first.wait() == 1
    assert first.counts() == {"loaded": 2, "already there": 0, "skipped": 0, "failed": 1}
    assert re.search("^failed +1 +undecodable_audio 1$", first.printed, re.MULTILINE)
    broken.write_bytes(tone(0.5, 900))
    second = load(tmp_path, catalogue)
    assert (second.wait(), second.counts()["failed"]) == (1, 1)
    assert "in an earlier run" in second.printed
    third = load(tmp_path, catalogue, "--retry-failed")
    assert third.wait() == 0
    assert third.counts() == {"loaded": 1, "already there": 2, "skipped": 0, "failed": 0}
    assert len(kept(tmp_path)) == 3


def test_a_service_may_be_left_to_do_the_work(tmp_path: Path) -> None:
    write_script(tmp_path)
    catalogue, calls = make_catalogue(tmp_path, 6), sqlite(tmp_path)
    with running(tmp_path):
        queued = load(tmp_path, catalogue, "--no-wait")
        assert (queued.wait(), queued.counts()["queued"]) == (0, 6)
        assert "engine.started" not in queued.logged
        wait_until(lambda: calls.by_status() == {"completed": 6}, "the service to load them")


def test_a_disk_that_is_nearly_full_is_waited_for(tmp_path: Path) -> None:
    write_script(tmp_path)
    catalogue = make_catalogue(tmp_path, 2)
    with small_volume(tmp_path / "disk", 64) as disk:
        loading = Loading(tmp_path, catalogue, storage_url=f"file://{disk}/data")
        wait_until(lambda: "waits: less than 512 MB of the disk are free" in loading.printed, "the line")
        assert loading.stop(signal.SIGTERM) == 143
        assert loading.counts()["left"] == 2
        assert [path for path in disk.rglob("*") if path.is_file()] == []


def test_a_database_that_goes_away_for_a_while_costs_no_file(tmp_path: Path) -> None:
    write_script(tmp_path, faults=[{"do": "sleep", "seconds": 0.2}])
    catalogue = make_catalogue(tmp_path, 12)
    with postgres_url() as url:
        migrate(tmp_path, url)
        address, calls = make_url(url), Calls(url)
        with proxied(address.host or "127.0.0.1", address.port or 5432) as way:
            loading = Loading(tmp_path, catalogue, database_url=database_through(way, url))
            wait_until(partial(have_ended, tmp_path, calls, 2), "calls to be loaded")
            way.leave()
            wait_until(lambda: "waits: The database cannot be reached" in loading.printed, "the line")
            way.come_back()
            assert loading.wait() == 0, loading.printed + loading.logged
        assert calls.by_status() == {"completed": 12}
        assert set(calls.results().values()) == {1}
    assert loading.counts()["loaded"] == 12
    assert len(kept(tmp_path)) == 12


@pytest.mark.parametrize("broker", ["rabbitmq", "redis"])
def test_workers_behind_a_broker_do_the_work(tmp_path: Path, broker: str) -> None:
    write_script(tmp_path)
    catalogue = make_catalogue(tmp_path, 10)
    with cluster(tmp_path, broker_url(broker)) as installation:
        installation.start_workers("bulk")
        loaded = load(tmp_path, catalogue, **installation.settings)
        assert loaded.wait() == 0, loaded.printed + loaded.logged
        assert loaded.counts()["loaded"] == 10
        assert "engine.started" not in loaded.logged
        assert Calls(installation.settings["database_url"]).by_status() == {"completed": 10}


def test_what_is_away_at_the_start_ends_it_with_a_line(tmp_path: Path) -> None:
    write_script(tmp_path)
    catalogue = make_catalogue(tmp_path, 1)
    away = load(tmp_path, catalogue, database_url="postgresql://nobody@127.0.0.1:9/none")
    assert away.wait() == 3
    assert "error: database_unavailable: The database cannot be reached\n" in away.logged
    without_engine = load(tmp_path, catalogue, scripted_transcript=str(tmp_path / "none.json"))
    assert without_engine.wait() == 3
    assert "error: stt_unavailable: scripted: the sidecar" in without_engine.logged
    assert kept(tmp_path) == []


def test_the_folder_of_the_service_is_no_catalogue(tmp_path: Path) -> None:
    make_catalogue(tmp_path, 1)
    (tmp_path / "data").mkdir()
    refused = load(tmp_path, tmp_path / "data")
    assert refused.wait() == 2
    assert "error: the folder holds the service's own files: name another one\n" in refused.logged
