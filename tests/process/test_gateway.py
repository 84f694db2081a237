"""nginx as it is configured in deploy/nginx: what it passes on, when, and to whom it turns next."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from app.db.migrate import migrate
from tests.db.databases import opened, postgres_url
from tests.process.gateway import gateway
from tests.process.service import Service, free_port, running, tone, wait_until, wav, write_script

MB = 2**20
EVENTS = "/calls/CALL-1/events"


class Upstream(ThreadingHTTPServer):
    """Stands for a replica: notes what it is asked, and behaves as the test wants it to."""

    daemon_threads = True

    def __init__(self, *, breaks_off: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.breaks_off = breaks_off
        self.asked: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.received = 0
        self.go_on = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def do_GET(self) -> None:
        self._note()
        if self.server.breaks_off:
            self._break_off()
        elif self.path == EVENTS:
            self._tell_events()
        else:
            self._answer(b"here")

    def do_POST(self) -> None:
        self._note()
        left = int(self.headers["Content-Length"])
        while left:
            chunk = self.rfile.read1(left)
            left -= len(chunk)
            self.server.received += len(chunk)
        if self.server.breaks_off:
            self._break_off()
        else:
            self._answer(b"taken")

    def log_message(self, *_: object) -> None:
        return

    def _note(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _break_off(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _tell_events(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.server.go_on.wait(30)
        self.wfile.write(b"data: second\n\n")
        self.close_connection = True


@contextmanager
def upstream(*, breaks_off: bool = False) -> Iterator[Upstream]:
    with Upstream(breaks_off=breaks_off) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.go_on.set()
            server.shutdown()
            thread.join()


def test_events_are_passed_on_one_by_one() -> None:
    with (
        upstream() as replica,
        gateway(replica.port) as url,
        httpx.stream("GET", f"{url}{EVENTS}", timeout=30) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == "data: first"
        replica.go_on.set()  # the second is written only now
        assert [line for line in lines if line] == ["data: second"]


@pytest.mark.parametrize("path", ["/calls", "/ui/calls", "/transcribe"])
def test_a_recording_is_passed_on_as_it_arrives(path: str) -> None:
    sent_half = threading.Event()

    def halves(replica: Upstream) -> Iterator[bytes]:
        yield b"x" * MB
        wait_until(lambda: replica.received > 0, "the replica to receive the first half")
        sent_half.set()
        yield b"y" * MB

    with upstream() as replica, gateway(replica.port) as url:
        answer = httpx.post(
            f"{url}{path}", content=halves(replica), headers={"Content-Length": str(2 * MB)}, timeout=120
        )
        assert answer.text == "taken"
    assert sent_half.is_set()
    assert replica.received == 2 * MB


def test_what_can_be_repeated_goes_to_the_next_replica() -> None:
    with (
        upstream(breaks_off=True) as broken,
        upstream() as sound,
        gateway(broken.port, sound.port) as url,
    ):
        answers = [httpx.get(f"{url}/calls/{number}").text for number in range(4)]
    assert answers == ["here"] * 4
    assert broken.asked
    assert len(sound.asked) == 4


@pytest.mark.parametrize("path", ["/calls", "/transcribe", "/webhooks"])
def test_what_a_replica_has_been_sent_is_sent_to_no_other(path: str) -> None:
    with (
        upstream(breaks_off=True) as first,
        upstream(breaks_off=True) as second,
        gateway(first.port, second.port) as url,
    ):
        assert httpx.post(f"{url}{path}", content=b"x" * MB).status_code == 502
    assert first.asked + second.asked == [f"POST {path}"]


def test_a_replica_that_nothing_could_be_sent_to_is_passed_over() -> None:
    with upstream() as sound, gateway(free_port(), sound.port) as url:
        answers = [httpx.post(f"{url}/calls", content=b"x" * MB).text for _ in range(4)]
    assert answers == ["taken"] * 4
    assert len(sound.asked) == 4


def test_replicas_are_told_who_asks_and_for_what_name() -> None:
    with upstream() as replica, gateway(replica.port) as url:
        httpx.get(f"{url}/calls", headers={"X-Request-ID": "mine", "Host": "calls.example.com"})
        httpx.get(f"{url}/calls")
    given, made = replica.headers
    assert (given["x-request-id"], given["host"]) == ("mine", "calls.example.com")
    assert len(made["x-request-id"]) == 32
    assert made["x-forwarded-for"] == "127.0.0.1"
    assert made["host"] == url.removeprefix("http://")


def test_replicas_are_told_whether_it_is_https_outside() -> None:
    with upstream() as replica, gateway(replica.port) as url:
        for said in ("https", "http", "anything"):
            httpx.get(f"{url}/calls", headers={"X-Forwarded-Proto": said})
        httpx.get(f"{url}/calls")
    assert [one["x-forwarded-proto"] for one in replica.headers] == ["https", "http", "http", "http"]


def test_metrics_are_not_for_the_outside() -> None:
    with upstream() as replica, gateway(replica.port) as url:
        assert httpx.get(f"{url}/metrics").status_code == 404
        assert httpx.get(f"{url}/calls/A/metrics").text == "here"
    assert replica.asked == ["GET /calls/A/metrics"]


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Service]]:
    """Two services on one database and one storage."""
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    for folder in folders:
        write_script(folder)
    storage = f"file://{folders[0]}/data"
    with postgres_url() as url:
        with opened(url) as database:
            migrate(database)
        with (
            running(folders[0], database_url=url, storage_url=storage) as first,
            running(folders[1], database_url=url, storage_url=storage) as second,
        ):
            yield first, second


def test_a_large_recording_goes_through_and_every_replica_knows_the_call(
    replicas: tuple[Service, Service],
) -> None:
    audio = wav(bytes(40 * MB))  # 22 minutes
    with gateway(*(service.port for service in replicas)) as url:
        files = {"audio": ("long.wav", audio)}
        answer = httpx.post(f"{url}/transcribe", files=files, data={"call_id": "LARGE"}, timeout=120)
        assert answer.json()["duration_seconds"] == pytest.approx(40 * MB / 32_000, abs=0.1)
        with httpx.Client(base_url=url) as client:
            assert {client.get("/calls/LARGE").status_code for _ in range(6)} == {200}
    for service in replicas:
        asked = [line for line in service.log_lines() if line.get("route") == "/calls/{call_id}"]
        assert asked


def test_a_recording_over_the_limit_is_refused_by_the_api_in_its_own_words(
    replicas: tuple[Service, Service],
) -> None:
    with gateway(*(service.port for service in replicas)) as url:
        answer = httpx.post(f"{url}/transcribe", files={"audio": ("long.wav", wav(bytes(55 * MB)))})
        assert answer.status_code == 413
        assert answer.json()["code"] == "upload_too_large"


def test_readers_notice_nothing_of_a_replica_that_is_killed(replicas: tuple[Service, Service]) -> None:
    first, second = replicas
    with gateway(first.port, second.port) as url:
        httpx.post(f"{url}/transcribe", files={"audio": ("a.wav", tone())}, data={"call_id": "KILLED"})
        stop = threading.Event()

        def read(_: int) -> list[int]:
            codes = []
            with httpx.Client(base_url=url) as client:
                while not stop.is_set():
                    codes.append(client.get("/calls/KILLED").status_code)
            return codes

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read, number) for number in range(4)]
            wait_until(lambda: len(_reads(second)) > 50, "both to be read from")
            second.kill()
            before = len(_reads(first))
            wait_until(lambda: len(_reads(first)) > before + 100, "the other to answer")
            stop.set()
        codes = [code for reader in readers for code in reader.result()]
    assert set(codes) == {200}


def _reads(service: Service) -> list[object]:
    with suppress(ValueError):  # a line that is being written
        return [line for line in service.log_lines() if line.get("route") == "/calls/{call_id}"]
    return []
