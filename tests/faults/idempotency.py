"""Rows 21, 22, 24 and 25: a request that is sent more than once."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx

from app.db.migrate import migrate
from tests.db.databases import opened, postgres_url
from tests.faults.measures import total
from tests.faults.rounds import Rounds
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.service import Service, running, tone, write_script
from tests.process.test_async_calls import code, keyed
from tests.process.test_crashes import in_background

AT_ONCE = 20
ROOM = {"max_queued_calls": "100"}


def send_at_once(conditions: Conditions, count: int) -> Outcome:
    """``count`` keys on each database; two API processes answer."""
    write_script(conditions.folder)
    with postgres_url() as postgresql:
        urls = f"sqlite:///{conditions.folder}/calls.db", postgresql
        return total(*(_on(url, conditions, count) for url in urls))


def _on(url: str, conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    with opened(url) as database:
        migrate(database)
    folder = conditions.folder / url.split(":", maxsplit=1)[0]
    folder.mkdir()
    write_script(folder)
    with running(folder, workers=2, database_url=url, **ROOM) as service, ThreadPoolExecutor(AT_ONCE) as pool:

        def one(number: int) -> None:
            audio, together = tone(1, 300 + number), threading.Barrier(AT_ONCE)

            def send(_: int) -> httpx.Response:
                together.wait(60)
                return service.submit(audio, keyed(f"key-{number}"), agent_id="a")

            is_one_call(service, list(pool.map(send, range(AT_ONCE))))

        rounds.run(1, one)
        assert len(service.get("/calls").json()["items"]) == len(service.recordings()) == count
    return rounds.outcome()


def is_one_call(service: Service, answers: list[httpx.Response]) -> None:
    assert [answer.status_code for answer in answers] == [202] * AT_ONCE, [answer.text for answer in answers]
    (call_id,) = {answer.json()["call_id"] for answer in answers}
    assert {answer.headers["location"] for answer in answers} == {f"/calls/{call_id}"}
    marks = [answer.headers.get("idempotent-replayed") for answer in answers]
    assert (marks.count("true"), marks.count(None)) == (AT_ONCE - 1, 1)
    assert service.wait_for(call_id)["status"] == "completed"
    assert service.times_done("transcribe", call_id) == 1


def send_another(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    write_script(conditions.folder, faults=[{"do": "sleep", "seconds": 2}])
    with running(conditions.folder) as service:
        rounds.run(
            2, lambda number: answer_each_rightly(service, f"key-{number}", f"CALL-{number}", 300 + number)
        )
        items = service.get("/calls").json()["items"]
        assert len(items) == len(service.recordings()) == count
    return rounds.outcome()


def answer_each_rightly(service: Service, key: str, call_id: str, pitch: float) -> None:
    audio = tone(pitch=pitch)

    def transcribe(sent: bytes = audio, name: str = call_id) -> httpx.Response:
        form = {"files": {"audio": sent}, "data": {"call_id": name}}
        return service.post("/transcribe", headers=keyed(key), **form)

    answers: list[httpx.Response] = []
    first = in_background(lambda: answers.append(transcribe()))
    service.wait_for_stage(call_id)
    in_use = transcribe()
    assert code(in_use) == (409, "idempotency_key_in_use")
    assert int(in_use.headers["retry-after"]) > 0
    # Without the key it is another request for the same call: it waits.
    assert service.transcribe(audio, call_id=call_id).status_code == 200
    first.join(60)
    assert (answers[0].status_code, answers[0].headers.get("idempotent-replayed")) == (200, None)
    again = transcribe()
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    assert again.json() == answers[0].json()
    others = (
        transcribe(tone(pitch=pitch + 0.5)),
        transcribe(name=f"{call_id}-OTHER"),
        service.submit(audio, keyed(key), call_id=call_id, priority="1"),
    )
    assert [code(answer) for answer in others] == [(422, "idempotency_key_reused")] * len(others)


def send_again(conditions: Conditions, count: int) -> Outcome:
    """A client that closes its connection after the last byte, and knows nothing of an answer."""
    rounds = Rounds(count)
    write_script(conditions.folder)
    with running(conditions.folder, **ROOM) as service:

        def one(number: int) -> None:
            audio, headers = tone(1, 300 + number), keyed(f"key-{number}")
            request = httpx.Request(
                "POST", f"{service.url}/calls", files={"audio": ("a.wav", audio)}, headers=headers
            )
            send_and_go(service, request)
            answer = service.submit(audio, headers)
            assert answer.status_code == 202, answer.text
            rounds.saw("came second" if "idempotent-replayed" in answer.headers else "came first")
            call_id = answer.json()["call_id"]
            assert service.wait_for(call_id)["status"] == "completed"
            assert service.times_done("transcribe", call_id) == 1

        rounds.run(1, one)
        assert len(service.get("/calls").json()["items"]) == len(service.recordings()) == count
    return rounds.outcome()


def send_the_same_audio(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    write_script(conditions.folder)
    with running(conditions.folder, **ROOM) as service:

        def one(number: int) -> None:
            audio = tone(1, 300 + number)
            first = service.submit(audio, agent_id="a").json()["call_id"]
            second = service.submit(audio, agent_id="b").json()["call_id"]
            assert first != second
            calls = [service.wait_for(call_id) for call_id in (first, second)]
            assert [call["duplicate_of"] for call in calls] == [None, first]
            assert [call["agent_id"] for call in calls] == ["a", "b"]
            assert [call["status"] for call in calls] == ["completed"] * 2
            assert [service.times_done("transcribe", call_id) for call_id in (first, second)] == [1, 1]
            # Each has a recording of its own: the other's is there without it.
            assert service.delete(f"/calls/{first}").status_code == 204
            again = service.post(f"/calls/{second}/rerun", json={"from": "transcription"})
            assert again.status_code == 202, again.text
            assert service.wait_for(second)["status"] == "completed"

        rounds.run(2, one)
        assert len(service.get("/calls").json()["items"]) == len(service.recordings()) == count
    return rounds.outcome()


def send_and_go(service: Service, request: httpx.Request) -> None:
    """Send a whole request and close the connection without reading a byte of the answer."""
    body = request.read()
    head = [f"{request.method} {request.url.path} HTTP/1.1"]
    head += [f"{name}: {value}" for name, value in request.headers.items()]
    with socket.create_connection(("127.0.0.1", service.port)) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)


SAME_AT_ONCE = Row(
    21,
    "One Idempotency-Key with one body, sent by 20 at once, to two processes, on SQLite and on PostgreSQL: "
    "one call, 20 equal ids, replays are marked",
    5,
    send_at_once,
)
ANOTHER_BODY = Row(
    22,
    "The key again: 409 while the first is in work, 422 with another body, else the same answer",
    10,
    send_another,
)
NO_ANSWER_HEARD = Row(
    24,
    "The client goes away after the last byte and sends again with its key: one call",
    10,
    send_again,
    short=2,
)
SAME_AUDIO = Row(
    25,
    "The same recording without a key: another call, which names the first and is never merged with it",
    10,
    send_the_same_audio,
)
