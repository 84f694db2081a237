"""After a deletion: every file that the service can have written is searched for the words and the sound."""

from __future__ import annotations

import os
import random
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.process.service import Service, running, wait_until, wav, write_script
from tests.services.webhooks.receiver import receiving
from tests.storage.s3_server import s3_server

PHRASE = b"Zwetschgenpelikan"
NAME = PHRASE.decode()
WORDS = f"that is too expensive for us um said {NAME} this is {NAME} we are looking for a price"
STORAGES = ("file", "s3")


@contextmanager
def service_on(storage: str, folder: Path, **settings: str) -> Iterator[Service]:
    if storage == "file":
        with running(folder, **settings) as service:
            yield service
        return
    with s3_server(folder / "s3") as server:
        own = {**server.settings, "work_dir": str(folder / "work")}
        with running(folder, **own, **settings) as service:
            yield service


def noise(seconds: float = 3.0) -> tuple[bytes, bytes]:
    """A recording that nobody else has, and a piece of it that tells it from all others."""
    samples = [random.randint(-9000, 9000) for _ in range(round(seconds * 16000))]
    recording = wav(struct.pack(f"<{len(samples)}h", *samples))
    return recording, recording[20_000:20_048]


def traces(folder: Path, *needles: bytes) -> list[str]:
    """The files below ``folder`` that hold one of ``needles``, in capitals or not."""
    found = []
    for parent, _, names in os.walk(folder):  # unlike pathlib, it minds no folder that is gone since
        for path in (Path(parent) / name for name in names):
            with suppress(FileNotFoundError):
                whole = path.read_bytes().lower()
                if any(needle.lower() in whole for needle in needles):
                    found.append(str(path.relative_to(folder)))
    return sorted(found)


def forget_script(folder: Path) -> None:
    """The sidecar is the test's own: it must not be found."""
    write_script(folder, "nothing of interest")


@pytest.mark.parametrize("storage", STORAGES)
def test_nothing_of_a_deleted_call_is_left_in_any_file(tmp_path: Path, storage: str) -> None:
    write_script(tmp_path, WORDS)
    recording, sound = noise()
    with receiving() as receiver, service_on(storage, tmp_path, webhook_allowed_hosts="127.0.0.1") as service:
        service.post("/webhooks", json={"url": receiver.url()})
        fields = {"vocabulary": NAME, "metadata": f'{{"{NAME}": "{NAME}"}}'}
        answer = service.transcribe(recording, call_id="CALL-1", **fields)
        assert NAME in answer.json()["transcript"], answer.text
        neighbour, other_sound = noise()
        assert service.transcribe(neighbour, call_id="CALL-2").status_code == 200
        names: Any = {"speakers": {"speaker_0": {"name": NAME}}}
        assert httpx.patch(f"{service.url}/calls/CALL-1/speakers", json=names).status_code == 200
        assert service.post("/replay", json={"call_id": "CALL-1"}).status_code == 200
        assert list(tmp_path.rglob("tts-cache/scopes/*/*"))
        forget_script(tmp_path)
        place = "data" if storage == "file" else "s3"
        assert {path.partition("/")[0] for path in traces(tmp_path, sound)} == {place}
        assert any(path.startswith("calls.db") for path in traces(tmp_path, PHRASE))

        assert service.delete("/calls/CALL-1").status_code == 204
        assert traces(tmp_path, sound) == []
        assert not list(tmp_path.rglob("tts-cache/scopes/*/*"))
        assert service.delete("/calls/CALL-2").status_code == 204
        wait_until(lambda: traces(tmp_path, PHRASE) == [], "the words to be gone from every file")
        assert traces(tmp_path, sound, other_sound) == []
        assert service.delete("/calls/CALL-1").status_code == 404
        for body in (received.body for received in receiver.received):
            assert PHRASE not in body
    assert traces(tmp_path, PHRASE, sound, other_sound) == []


@pytest.mark.parametrize("storage", STORAGES)
def test_nothing_of_a_call_that_is_deleted_in_work_is_left(tmp_path: Path, storage: str) -> None:
    write_script(tmp_path, WORDS, faults=[{"do": "sleep", "seconds": 4}])
    recording, sound = noise()
    with service_on(storage, tmp_path) as service:
        senders = [
            threading.Thread(target=service.transcribe, args=(recording,), kwargs={"call_id": "CALL-1"})
            for _ in range(2)  # the second one waits for the work of the first, and its copy goes at once
        ]
        for sender in senders:
            sender.start()
        wait_until(
            lambda: service.get("/calls/CALL-1").json().get("stage") == "transcribe", "the call to be in work"
        )
        wait_until(lambda: len(_stored(tmp_path, sound)) == 1, "one recording to be there")
        assert service.delete("/calls/CALL-1").status_code == 204
        for sender in senders:
            sender.join(60)
        forget_script(tmp_path)
        wait_until(lambda: traces(tmp_path, PHRASE, sound) == [], "all of it to be gone")
        assert service.get("/calls").json()["items"] == []


def _stored(folder: Path, sound: bytes) -> list[str]:
    return [path for path in traces(folder, sound) if "/audio/" in path]
