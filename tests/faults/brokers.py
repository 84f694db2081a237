"""Rows 8, 9, 11 and 20: the broker is away, forgets all or cuts off everybody; an API process dies."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from hashlib import sha256

import httpx
from redis import Redis

from tests.faults.calls import HOOK, LENGTH_S, audio_sha256, finished_once, rows, write_speech
from tests.faults.points import set_points, with_points
from tests.faults.rounds import Rounds, some_time, until
from tests.faults.rows import Conditions, Outcome, Row
from tests.process.brokers import PrivateRedis, address_of, broker_url, private_redis, through
from tests.process.cluster import Cluster, Workers, cluster
from tests.process.proxy import Proxy
from tests.process.service import Service, tone, wav
from tests.services.webhooks.receiver import Receiver, receiving

HOOKS = {"webhook_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "webhook_allowed_hosts": "127.0.0.1"}
AWAY_S_EACH = 1.2
"""Of absence for each submission: a minute for 50."""


def broker_comes_back_empty(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    away_s = AWAY_S_EACH * count
    write_speech(conditions.folder)
    with (
        receiving() as receiver,
        private_redis(conditions.folder) as server,
        cluster(conditions.folder, server.url, **HOOKS) as found,
    ):
        service, workers = found.start_api(), found.start_workers()
        began = time.monotonic()
        absence = threading.Thread(target=leave, args=(server, 0.1 * away_s, away_s))
        absence.start()

        def one(number: int) -> None:
            due = began + number * 1.2 * away_s / count
            time.sleep(max(0.0, due - time.monotonic()))
            call_id = f"CALL-{number}"
            answer = service.submit(tone(LENGTH_S), call_id=call_id, webhook_url=receiver.url())
            rounds.saw(f"answers {answer.status_code}")
            if answer.status_code == 503:
                assert "retry-after" in answer.headers
                return
            assert answer.status_code == 202, answer.text
            assert finished_once(found, call_id) == 1

        rounds.run(8, one)
        absence.join()
        until(lambda: len(workers.lines("broker.connected")) > 1, "the workers to hear again")
    return rounds.outcome(f"Redis away for {away_s:.0f} s, then back empty")


def leave(server: PrivateRedis, after_s: float, for_s: float) -> None:
    time.sleep(after_s)
    server.kill()
    time.sleep(for_s)
    server.start()


AGAIN_WITHIN_S = 30.0


def cut_connections(conditions: Conditions, count: int) -> Outcome:
    """`CLIENT KILL` on a Redis of our own; for RabbitMQ, whose server others use too, a proxy cuts them."""
    rounds = Rounds(count)
    with ExitStack() as stack:
        redis = stack.enter_context(private_redis(conditions.folder))
        url = broker_url("rabbitmq")
        proxy = Proxy(*address_of(url))
        stack.callback(proxy.close)

        def kill_clients() -> int:
            return int(Redis(port=redis.port).client_kill_filter(_type="normal", skipme=True))

        sites = {
            "Redis": (started(stack, conditions, "redis", redis.url), kill_clients),
            "RabbitMQ": (started(stack, conditions, "rabbitmq", through(url, proxy.port)), proxy.cut),
        }

        def one(number: int) -> None:
            for name, ((found, workers), cut) in sites.items():
                some_time(0.5)
                connections = len(workers.lines("broker.connected"))
                assert cut() > 0, "there was no connection to cut"
                seconds = until(
                    lambda workers=workers, connections=connections: (  # type: ignore[misc]
                        len(workers.lines("broker.connected")) > connections
                    ),
                    f"{name} to be heard again",
                    AGAIN_WITHIN_S,
                )
                rounds.took(f"{name} heard again", seconds)
                call_id = f"CALL-{number}"
                found.submit(call_id, audio=tone(LENGTH_S), webhook_url=HOOK)
                assert finished_once(found, call_id) == 1
                until(lambda found=found: found.rings_waiting() == 0, "the rings to be heard")  # type: ignore[misc]

        rounds.run(1, one)
        rounds.saw(
            "processes replaced", sum(len(ws.lines("worker.process_ended")) for (_, ws), _ in sites.values())
        )
    return rounds.outcome()


def started(stack: ExitStack, conditions: Conditions, name: str, url: str) -> tuple[Cluster, Workers]:
    folder = conditions.folder / name
    folder.mkdir()
    write_speech(folder)
    found = stack.enter_context(cluster(folder, url))
    return found, found.start_workers()


API_PROCESSES = 2


def die_before_ring(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    write_speech(conditions.folder)
    set_points(conditions.folder, die="before_ring")
    with receiving() as receiver, cluster(conditions.folder, broker_url("rabbitmq"), **HOOKS) as found:
        found.start_workers()
        lock = threading.Lock()

        def one(number: int) -> None:
            call_id = f"CALL-{number}"
            with lock:
                service = found.start_api(**with_points(conditions.folder))
            assert not answered(service, call_id, receiver), "it did not die"
            assert service.process.wait(10) == -9
            began = time.monotonic()
            assert finished_once(found, call_id) == 1
            rounds.took("finished", time.monotonic() - began)

        rounds.run(API_PROCESSES, one)
    return rounds.outcome("the client got no answer each time")


def answered(service: Service, call_id: str, receiver: Receiver) -> bool:
    try:
        service.submit(tone(LENGTH_S), call_id=call_id, webhook_url=receiver.url())
    except httpx.TransportError:
        return False
    return True


SENDERS = 3
SENT_FOR_S = 2.0


def kill_everything(conditions: Conditions, count: int) -> Outcome:
    rounds = Rounds(count)
    write_speech(conditions.folder)
    with (
        receiving() as receiver,
        private_redis(conditions.folder) as server,
        cluster(conditions.folder, server.url, **HOOKS) as found,
    ):
        parts = [found.start_api(), found.start_workers()]

        def one(number: int) -> None:
            service, workers = parts
            assert isinstance(service, Service)
            assert isinstance(workers, Workers)
            with senders(service, receiver, f"CALL-{number}") as accepted:
                until(lambda: bool(accepted), "a call to be accepted")
                some_time(SENT_FOR_S)
                killings = [service.kill, workers.kill_all, server.kill]
                random.shuffle(killings)
                for kill in killings:
                    kill()
            server.start()
            parts[:] = found.start_api(), found.start_workers(wait_ready=False)
            began = time.monotonic()
            for call_id, digest in accepted.items():
                finished_once(found, call_id)
                assert found.row(call_id)["audio_sha256"] == audio_sha256(found, call_id) == digest, call_id
            rounds.took("all finished", time.monotonic() - began)
            rounds.saw("answers 202", len(accepted))
            unfinished = "SELECT call_id FROM calls WHERE queue IS NOT NULL"
            until(lambda: not rows(found, unfinished), "uploads without an answer to end too")
            told = [message.id for message in receiver.received]
            rounds.saw("messages sent twice", len(told) - len(set(told)))
            receiver.received.clear()

        rounds.run(1, one)
    return rounds.outcome()


@contextmanager
def senders(service: Service, receiver: Receiver, name: str) -> Iterator[dict[str, str]]:
    """Uploads, one after the other from each of several clients, until the service is gone; the ids of those
    that it accepted, with the SHA-256 of what was sent."""
    accepted: dict[str, str] = {}

    def send(client: int) -> None:
        for number in range(10_000):
            call_id = f"{name}-{client}-{number}"
            audio = wav(os.urandom(32_000 * random.choice((2, 2, 2, 20))))
            try:
                answer = service.submit(audio, call_id=call_id, webhook_url=receiver.url())
            except httpx.TransportError:
                return
            assert answer.status_code == 202, answer.text
            accepted[call_id] = sha256(audio).hexdigest()
            some_time(0.4)

    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(send, client) for client in range(SENDERS)]
        yield accepted
        for client in sending:
            client.result()


BROKER_AWAY = Row(
    8,
    "Redis away for 60 s, then back empty, while 50 calls come in: each 202 completes, anything else is 503 "
    "with Retry-After",
    50,
    broker_comes_back_empty,
    short=6,
)

CONNECTIONS_CUT = Row(
    9,
    "CLIENT KILL of all connections to the broker: consuming again within 30 s",
    10,
    cut_connections,
    short=1,
)

DIED_BEFORE_RING = Row(
    11,
    "an API process dies between storing a call and telling workers of it: the call is processed",
    20,
    die_before_ring,
    short=1,
)

ALL_KILLED = Row(
    20,
    "kill -9 API, workers and broker together at a random moment: each 202 completes after the restart, "
    "and the stored recording is the one that was sent",
    10,
    kill_everything,
    short=1,
)
