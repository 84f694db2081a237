"""A real streaming replica, made by the scripts of deploy/postgres, under a real service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from app.db.migrate import migrate
from tests.db.clusters import Server, prepare, primary, replica, server_folder
from tests.db.databases import opened
from tests.process.service import Service, running, tone, wait_until, write_script


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Server, Server]]:
    with ExitStack() as stack:
        first = stack.enter_context(primary(stack.enter_context(server_folder())))
        with opened(first.url) as database:
            migrate(database)
        yield first, stack.enter_context(replica(stack.enter_context(server_folder()), first))


@contextmanager
def service_over(first: Server, second: Server, folder: Path) -> Iterator[Service]:
    write_script(folder)
    with running(folder, database_url=first.url, database_read_url=second.url) as service:
        yield service


def listed(service: Service) -> set[str]:
    return {item["call_id"] for item in service.get("/calls").raise_for_status().json()["items"]}


def test_the_replica_follows_and_cannot_be_written_to(servers: tuple[Server, Server]) -> None:
    first, second = servers
    assert second.ask("SELECT pg_is_in_recovery()") is True
    assert second.ask("SHOW transaction_read_only") == "on"
    assert first.ask("SELECT state FROM pg_stat_replication") == "streaming"
    assert first.ask("SELECT active FROM pg_replication_slots WHERE slot_name = 'replica'") is True


def test_settings_of_the_two_fit(servers: tuple[Server, Server]) -> None:
    first, second = servers
    for name in ("max_connections", "max_wal_senders", "max_worker_processes", "max_locks_per_transaction"):
        assert second.ask(f"SHOW {name}") == first.ask(f"SHOW {name}")
    assert first.ask("SHOW max_slot_wal_keep_size") == "8GB"
    assert second.ask("SHOW hot_standby_feedback") == "on"


def test_replication_needs_its_password(servers: tuple[Server, Server]) -> None:
    rules = "SELECT count(*) FROM pg_hba_file_rules WHERE error IS NOT NULL"
    replication = "SELECT auth_method FROM pg_hba_file_rules WHERE 'replication' = ANY (database)"
    for server in servers:
        assert server.ask(rules) == 0
        assert server.ask(replication) == "scram-sha-256"
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(
            host="127.0.0.1", port=servers[0].port, user="replicator", password="x", replication="1"
        )


def test_preparing_the_primary_again_changes_nothing(servers: tuple[Server, Server]) -> None:
    first, _ = servers
    prepare(first)
    assert first.ask("SELECT count(*) FROM pg_replication_slots") == 1
    wait_until(lambda: first.ask("SELECT state FROM pg_stat_replication") == "streaming", "the replica")


def test_a_call_just_made_is_read_though_the_replica_does_not_know_it(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    first, second = servers
    with service_over(first, second, tmp_path) as service:
        service.transcribe(tone(pitch=500), call_id="BEFORE").raise_for_status()
        wait_until(lambda: "BEFORE" in listed(service), "the replica to replay")
        second.ask("SELECT pg_wal_replay_pause()")
        try:
            service.transcribe(tone(pitch=600), call_id="AFTER").raise_for_status()
            assert service.get("/calls/AFTER").json()["status"] == "completed"
            assert service.get("/calls/AFTER/metrics").status_code == 200
            assert listed(service) == {"BEFORE"}
            assert "AFTER" not in service.get("/calls.csv").text
        finally:
            second.ask("SELECT pg_wal_replay_resume()")
        wait_until(lambda: listed(service) == {"BEFORE", "AFTER"}, "the replica to catch up")
        assert "AFTER" in service.get("/calls.csv").text


def test_the_primary_answers_while_the_replica_is_down_and_it_goes_on_afterwards(
    servers: tuple[Server, Server], tmp_path: Path
) -> None:
    first, _ = servers
    first.ask("SELECT pg_create_physical_replication_slot('second')")
    with server_folder() as folder:
        with (
            replica(folder, first, slot="second") as second,
            service_over(first, second, tmp_path) as service,
        ):
            assert service.get("/ready").json()["checks"]["database_replica"] == "ok"
            known = listed(service)
            second.stop()
            service.transcribe(tone(pitch=700), call_id="MEANWHILE").raise_for_status()
            assert listed(service) == known | {"MEANWHILE"}
            ready = service.get("/ready")
            assert ready.status_code == 200
            assert ready.json()["checks"]["database_replica"] == "The database cannot be reached"
            assert "database.replica_away" in [line["event"] for line in service.log_lines()]
        with replica(folder, first, slot="second") as second:  # its copy is there: it only catches up
            arrived = "SELECT count(*) FROM calls WHERE call_id = 'MEANWHILE'"
            wait_until(lambda: second.ask(arrived) == 1, "the replica to catch up")
