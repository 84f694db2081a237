"""A call of several segments and moments, and what must be left of it in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import text

from tests.faults.rounds import until
from tests.process.cluster import Cluster, children_of

SEGMENTS = (
    "thanks for calling how can I help you",
    "that is too expensive for us",
    "I understand what budget did you have in mind",
    "your competitor offers the same for less",
    "send me the contract please",
)
LENGTH_S = 2.0
HOOK = "https://hooks.example.com/calls"
"""Nobody sends to it: what is counted are the messages that wait for it."""
PARTS = {
    "transcripts": "result_id",
    "speakers": "result_id",
    "segments": "result_id",
    "words": "result_id",
    "moments": "result_id, public_id",
}
"""What lies under a result, and the columns that differ from call to call."""


def write_speech(folder: Path, faults: Sequence[dict[str, Any]] = ()) -> None:
    """The sidecar of the scripted engine: ``SEGMENTS`` evenly over ``LENGTH_S`` seconds, and faults."""
    count = sum(len(segment.split()) for segment in SEGMENTS)
    each_s = LENGTH_S / count
    words: list[dict[str, Any]] = []
    for segment in SEGMENTS:
        for word in segment.split():
            start = len(words) * each_s
            words.append({"text": word, "start": start, "end": start + each_s})
        words[-1]["ends_segment"] = True
    new = folder / "transcript.new"
    new.write_text(json.dumps({"language": "en", "words": words, "faults": list(faults)}))
    new.replace(folder / "transcript.json")


def finished_once(installation: Cluster, call_id: str, like: str | None = None) -> int:
    """The call is completed with one result, whole and the same as that of the call ``like``, one message
    tells of it, and nothing is left of the work. Returns how often it was begun."""
    until(lambda: installation.record(call_id).status.is_final, f"{call_id} to end")
    row = installation.row(call_id)
    assert row["status"] == "completed", (call_id, row["status"], row["failure_code"], row["attempts"])
    left = {name: row[name] for name in ("queue", "owner", "heartbeat_at", "stage", "failure_code")}
    assert not any(left.values()), (call_id, left)
    assert row["percent"] == 100, (call_id, row["percent"])
    assert len(versions(installation, call_id)) == 1, (call_id, versions(installation, call_id))
    assert messages(installation, call_id) == ["call.completed"], (call_id, messages(installation, call_id))
    assert not rows(installation, "SELECT 1 FROM checkpoints WHERE call_id = :call", call=call_id), call_id
    if like is not None:
        assert parts(installation, call_id) == parts(installation, like), f"{call_id} is not as {like}"
    return int(row["attempts"])


def versions(installation: Cluster, call_id: str) -> list[int]:
    found = rows(installation, "SELECT version FROM results WHERE call_id = :call", call=call_id)
    return [version for (version,) in found]


def messages(installation: Cluster, call_id: str) -> list[str]:
    """The events that somebody is told of."""
    found = rows(installation, "SELECT event FROM webhook_deliveries WHERE call_id = :call", call=call_id)
    return [event for (event,) in found]


def parts(installation: Cluster, call_id: str) -> dict[str, list[Any]]:
    """All that lies under the results of a call."""
    return {table: _under_results(installation, table, call_id) for table in PARTS}


def traces_of_writes(installation: Cluster, call_id: str) -> dict[str, list[Any]]:
    """Every row of a call with the number of the transaction that wrote it: any later write alters it."""
    own = {
        table: rows(
            installation, f"SELECT xmin::text, t::text FROM {table} t WHERE call_id = :call", call=call_id
        )
        for table in ("calls", "results", "checkpoints", "webhook_deliveries")
    }
    under = {
        table: rows(
            installation,
            f"SELECT t.xmin::text, t::text FROM {table} t JOIN results r ON r.id = t.result_id "
            "WHERE r.call_id = :call",
            call=call_id,
        )
        for table in PARTS
    }
    return {table: sorted(found) for table, found in {**own, **under}.items()}


def rows(installation: Cluster, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with installation.database.snapshot() as session:
        return [tuple(row) for row in session.execute(text(query), values)]


def audio_sha256(installation: Cluster, call_id: str) -> str:
    """Of the recording as it is stored now."""
    with installation.storage.local_path(installation.row(call_id)["audio_key"]) as path:
        return sha256(path.read_bytes()).hexdigest()


def pid_of(owner: str) -> int:
    """Process id of a worker, from the name under which it works."""
    return int(owner.split("/")[-2])


def engine_of(worker: int) -> int:
    """The engine process of a worker process."""
    engines = [pid for pid in children_of(worker) if b"engine_child" in _command(pid)]
    assert len(engines) == 1, engines
    return engines[0]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _under_results(installation: Cluster, table: str, call_id: str) -> list[Any]:
    found = rows(
        installation,
        f"SELECT to_jsonb(t) - ARRAY[{', '.join(repr(name.strip()) for name in PARTS[table].split(','))}] "
        f"FROM {table} t JOIN results r ON r.id = t.result_id WHERE r.call_id = :call",
        call=call_id,
    )
    return sorted((row for (row,) in found), key=lambda row: json.dumps(row, sort_keys=True))
