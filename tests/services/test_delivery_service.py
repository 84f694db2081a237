"""Messages on their way: the schedule, what receivers answer, and who may send. With real receivers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook, WebhookVerificationError

from app.core.exceptions import ConfigurationError, DeliveryWithdrawn, WebhookDisabled, WebhookUrlRefused
from app.db.session import Database
from app.schemas.webhook import DeliveryStatus, EndpointChange
from app.services.delivery_service import LEASE_S
from app.services.webhooks.schedule import JITTER, SCHEDULE_S
from tests.db.conftest import database, quick_folder, shared_database
from tests.db.databases import sqlite_database
from tests.services.audio.canaries import PortCanary
from tests.services.webhooks.calls import CALL_SECRET, FakeClock, Webhooks, complete, fail, rows
from tests.services.webhooks.forms import FORBIDDEN, PUBLIC
from tests.services.webhooks.receiver import Receiver, receiving

__all__ = ["database", "quick_folder", "shared_database"]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def webhooks(database: Database, clock: FakeClock) -> Webhooks:
    return Webhooks(database, clock)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_a_message_is_delivered_once_and_verifies(webhooks: Webhooks, receiver: Receiver) -> None:
    endpoint = webhooks.register(receiver.url())
    complete(webhooks.database, "CALL-001", webhooks.clock())
    assert webhooks.send_due() == 1
    assert webhooks.send_due() == 0
    (received,) = receiver.received
    message = Webhook(endpoint.secrets.current).verify(received.body, received.headers)
    assert message["data"]["call_id"] == "CALL-001"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["user-agent"] == "Darwix-AI/test"
    delivery = webhooks.only(endpoint)
    assert delivery.id == received.id
    assert (delivery.status, delivery.attempts, delivery.response_code) == (DeliveryStatus.DELIVERED, 1, 204)
    assert delivery.delivered_at == webhooks.clock()
    assert delivery.next_attempt_at is None


def test_the_address_of_a_call_is_signed_with_the_setting(webhooks: Webhooks, receiver: Receiver) -> None:
    complete(webhooks.database, "CALL-001", webhooks.clock(), webhook_url=receiver.url())
    webhooks.send_due()
    (received,) = receiver.received
    Webhook(CALL_SECRET.get_secret_value()).verify(received.body, received.headers)
    (delivery,) = webhooks.service.deliveries_of_call("CALL-001", 10, None)[0]
    assert (delivery.endpoint_id, delivery.status) == (None, DeliveryStatus.DELIVERED)


def test_an_address_that_a_call_may_not_name_is_refused_under_its_field(webhooks: Webhooks) -> None:
    webhooks.service.check_call_url(None)
    webhooks.service.check_call_url("https://public.example/")
    with pytest.raises(WebhookUrlRefused) as caught:
        webhooks.service.check_call_url("https://intern.example/")
    assert [item["field"] for item in caught.value.errors] == ["webhook_url"]


def test_without_the_setting_it_fails_and_is_tried_again(
    database: Database, clock: FakeClock, receiver: Receiver
) -> None:
    webhooks = Webhooks(database, clock, secret=None)
    complete(database, "CALL-001", clock(), webhook_url=receiver.url())
    webhooks.send_due()
    (row,) = rows(database)
    assert (row["status"], row["error"]) == ("pending", "no_secret")
    assert receiver.received == []


@pytest.mark.parametrize("down", ["unreachable", "status"])
def test_a_receiver_that_is_down_is_tried_over_the_whole_schedule(webhooks: Webhooks, down: str) -> None:
    clock = webhooks.clock
    with receiving() as receiver:
        port = receiver.port
        receiver.answers = [(500, {})]
        endpoint = webhooks.register(receiver.url())
        complete(webhooks.database, "CALL-001", clock())
        first = webhooks.only(endpoint)
        if down == "status":
            pauses = _until_dead(webhooks)
            assert {received.id for received in receiver.received} == {first.id}
            assert len({received.headers["webhook-timestamp"] for received in receiver.received}) == 10
    if down == "unreachable":
        pauses = _until_dead(webhooks)
    assert len(pauses) == len(SCHEDULE_S) - 1
    for pause_s, planned_s in zip(pauses, SCHEDULE_S[1:], strict=True):
        assert planned_s * (1 - JITTER) <= pause_s <= planned_s * (1 + JITTER)
    assert any(pause_s != planned_s for pause_s, planned_s in zip(pauses, SCHEDULE_S[1:], strict=True))
    dead = webhooks.only(endpoint)
    assert (dead.id, dead.status, dead.attempts) == (first.id, DeliveryStatus.DEAD, 10)
    assert (dead.error, dead.next_attempt_at) == (down, None)
    clock.advance(days=20)
    assert webhooks.send_due() == 0
    with receiving(port) as receiver:
        again = webhooks.service.redeliver(dead.id, endpoint_id=endpoint.id)
        assert (again.status, again.next_attempt_at) == (DeliveryStatus.PENDING, clock())
        assert webhooks.send_due() == 1
        assert [received.id for received in receiver.received] == [first.id]
    delivered = webhooks.only(endpoint)
    assert (delivered.status, delivered.attempts) == (DeliveryStatus.DELIVERED, 11)


def _until_dead(webhooks: Webhooks) -> list[float]:
    """The pauses between the attempts, in seconds; at no other time anything is sent."""
    clock, pauses = webhooks.clock, []
    while True:
        assert webhooks.send_due() == 1
        (row,) = webhooks.service.deliveries_of_call("CALL-001", 10, None)[0]
        if row.next_attempt_at is None:
            return pauses
        pause_s = (row.next_attempt_at - clock()).total_seconds()
        pauses.append(pause_s)
        clock.advance(seconds=pause_s - 0.001)
        assert webhooks.send_due() == 0
        clock.now = row.next_attempt_at


def test_a_wish_for_more_time_is_obeyed(webhooks: Webhooks, receiver: Receiver) -> None:
    receiver.answers = [(429, {"Retry-After": "3600"}), (204, {})]
    endpoint = webhooks.register(receiver.url())
    complete(webhooks.database, "CALL-001", webhooks.clock())
    webhooks.send_due()
    waiting = webhooks.only(endpoint)
    assert waiting.next_attempt_at == webhooks.clock() + timedelta(hours=1)
    assert (waiting.response_code, waiting.error) == (429, "status")
    webhooks.clock.advance(hours=1)
    webhooks.send_due()
    assert webhooks.only(endpoint).status is DeliveryStatus.DELIVERED


def test_gone_disables_the_endpoint_and_ends_what_waits_for_it(
    webhooks: Webhooks, receiver: Receiver
) -> None:
    receiver.answers = [(410, {})]
    endpoint = webhooks.register(receiver.url())
    for number in range(3):
        complete(webhooks.database, f"CALL-{number}", webhooks.clock())
    assert webhooks.send_due() == 1
    assert len(receiver.received) == 1
    found = webhooks.service.get(endpoint.id)
    assert (found.enabled, found.disabled_reason) == (False, "gone")
    assert sorted(delivery.error or "" for delivery in webhooks.of(endpoint)) == [
        "endpoint_disabled", "endpoint_disabled", "gone",
    ]  # fmt: skip
    complete(webhooks.database, "CALL-later", webhooks.clock())
    assert len(webhooks.of(endpoint)) == 3
    dead = webhooks.of(endpoint)[0]
    with pytest.raises(WebhookDisabled):
        webhooks.service.redeliver(dead.id, endpoint_id=endpoint.id)
    receiver.answers = [(200, {})]
    enabled = webhooks.service.change(endpoint.id, EndpointChange(enabled=True))
    assert (enabled.enabled, enabled.disabled_reason) == (True, None)
    webhooks.service.redeliver(dead.id, endpoint_id=endpoint.id)
    assert webhooks.send_due() == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure(webhooks: Webhooks, receiver: Receiver, status: int) -> None:
    with receiving() as canary:
        receiver.answers = [(status, {"Location": canary.url()})]
        endpoint = webhooks.register(receiver.url())
        complete(webhooks.database, "CALL-001", webhooks.clock())
        webhooks.send_due()
        assert canary.received == []
    delivery = webhooks.only(endpoint)
    assert (delivery.status, delivery.error) == (DeliveryStatus.PENDING, "redirect")
    assert delivery.response_code == status


def test_while_secrets_are_rotated_both_verify_and_then_the_new_one_alone(
    webhooks: Webhooks, receiver: Receiver
) -> None:
    endpoint = webhooks.register(receiver.url())
    rotated = webhooks.service.rotate(endpoint.id)
    old, new = endpoint.secrets.current, rotated.secrets.current
    assert old != new
    complete(webhooks.database, "CALL-001", webhooks.clock())
    webhooks.send_due()
    for secret in (old, new):
        Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)
    # The verifier goes by the real time: let the rotation be a day ago.
    with webhooks.database.session() as session:
        session.execute(
            text("UPDATE webhook_endpoints SET previous_until = :now"), {"now": str(webhooks.clock())}
        )
    complete(webhooks.database, "CALL-002", webhooks.clock())
    webhooks.send_due()
    Webhook(new).verify(receiver.received[1].body, receiver.received[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(receiver.received[1].body, receiver.received[1].headers)
    webhooks.deliveries.keep_house()
    with webhooks.database.snapshot() as session:
        assert session.scalar(text("SELECT previous_secret FROM webhook_endpoints")) is None


def test_the_old_secret_is_valid_for_a_day(webhooks: Webhooks, receiver: Receiver) -> None:
    endpoint = webhooks.register(receiver.url())
    secrets = webhooks.service.rotate(endpoint.id).secrets
    now = webhooks.clock()
    assert secrets.valid(now + timedelta(hours=23.9)) == (secrets.current, endpoint.secrets.current)
    assert secrets.valid(now + timedelta(hours=24)) == (secrets.current,)


def test_two_processes_never_send_the_same_message(
    database: Database, clock: FakeClock, receiver: Receiver
) -> None:
    both = [Webhooks(database, clock) for _ in range(2)]
    both[0].register(receiver.url())
    for number in range(20):
        complete(database, f"CALL-{number}", clock())
    threads = [threading.Thread(target=webhooks.send_due) for webhooks in (*both, *both)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.received) == 20
    assert len({received.id for received in receiver.received}) == 20


def test_a_claim_holds_until_its_lease_is_over_and_its_loser_writes_nothing(
    database: Database, clock: FakeClock, receiver: Receiver
) -> None:
    slow, quick = Webhooks(database, clock), Webhooks(database, clock)
    endpoint = slow.register(receiver.url())
    complete(database, "CALL-001", clock())
    lost = slow.deliveries.claim()
    assert lost is not None
    clock.advance(seconds=LEASE_S - 1)
    assert quick.deliveries.claim() is None
    slow.deliveries.attempt(lost)  # too late to begin: given back unsent
    assert receiver.received == []
    stale = slow.deliveries.claim()
    assert stale is not None
    clock.advance(seconds=LEASE_S)
    assert quick.send_due() == 1
    slow.deliveries.attempt(stale)
    delivery = quick.only(endpoint)
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 1)


def test_what_a_dead_process_had_claimed_is_freed(database: Database, clock: FakeClock) -> None:
    living = Webhooks(database, clock)
    machine, _pid, _unique = living.deliveries._owner.rsplit("/", 2)
    dead = Webhooks(database, clock, owner=f"{machine}/4194999/x")
    with receiving() as receiver:
        living.register(receiver.url())
        complete(database, "CALL-001", clock())
        assert dead.deliveries.claim() is not None
        assert living.deliveries.claim() is None
        living.deliveries.keep_house()
        assert living.send_due() == 1


def test_a_destination_that_is_left_aside_is_not_claimed(webhooks: Webhooks) -> None:
    endpoint = webhooks.register("http://127.0.0.1:1/")
    complete(webhooks.database, "CALL-001", webhooks.clock())
    assert webhooks.deliveries.claim([endpoint.id]) is None
    assert webhooks.deliveries.claim(["other"]) is not None


def test_a_deleted_call_is_told_no_more(webhooks: Webhooks, receiver: Receiver) -> None:
    from app.db.repositories.calls import CallRepository

    endpoint = webhooks.register(receiver.url())
    complete(webhooks.database, "CALL-001", webhooks.clock())
    with webhooks.database.session() as session:
        CallRepository(session).delete("CALL-001")
    assert webhooks.send_due() == 0
    delivery = webhooks.only(endpoint)
    assert (delivery.status, delivery.call_id) == (DeliveryStatus.WITHDRAWN, None)
    with pytest.raises(DeliveryWithdrawn):
        webhooks.service.redeliver(delivery.id, endpoint_id=endpoint.id)


def test_records_go_after_their_time_unless_they_still_wait(webhooks: Webhooks, receiver: Receiver) -> None:
    receiver.answers = [(204, {}), (500, {})]
    endpoint = webhooks.register(receiver.url())
    complete(webhooks.database, "CALL-001", webhooks.clock())
    webhooks.send_due()
    fail(webhooks.database, "CALL-002", webhooks.clock())
    webhooks.send_due()
    webhooks.clock.advance(days=29.9)
    webhooks.deliveries.keep_house()
    assert len(webhooks.of(endpoint)) == 2
    webhooks.clock.advance(days=0.2)
    webhooks.deliveries.keep_house()
    assert [delivery.call_id for delivery in webhooks.of(endpoint)] == ["CALL-002"]


@pytest.mark.parametrize("url", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_forbidden_form_is_refused_again_before_the_connection(url: str, url_database: Database) -> None:
    """As if it had been let in, or had become forbidden since."""
    webhooks = Webhooks(url_database, FakeClock(), allowed=())
    complete(url_database, "CALL-001", webhooks.clock(), webhook_url=url.encode("ascii", "replace").decode())
    with url_database.session() as session:
        session.execute(text("UPDATE webhook_deliveries SET url = :url"), {"url": url})
    assert webhooks.send_due() == 1
    (row,) = rows(url_database)
    assert (row["status"], row["error"], row["response_code"]) == ("pending", "address_refused", None)


@pytest.fixture(scope="module")
def url_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with sqlite_database(tmp_path_factory.mktemp("urls")) as found:
        yield found


@pytest.fixture
def url_database(url_file: Database) -> Database:
    with url_file.session() as session:
        for table in ("calls", "webhook_deliveries", "webhook_endpoints"):
            session.execute(text(f"DELETE FROM {table}"))
    return url_file


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_name_that_changes_its_address_leads_nowhere(url_database: Database, scheme: str) -> None:
    answers = [[PUBLIC], ["127.0.0.1"]]
    with PortCanary() as canary:
        webhooks = Webhooks(url_database, FakeClock(), allowed=(), find=lambda _host, _port: answers.pop(0))
        if scheme == "http":
            with pytest.raises(WebhookUrlRefused):
                webhooks.register(f"http://rebind.example:{canary.port}/")
            return
        webhooks.register("https://rebind.example/")
        complete(url_database, "CALL-001", webhooks.clock())
        webhooks.send_due()
        assert [row["error"] for row in rows(url_database)] == ["address_refused"]
        assert not canary.touched()


def test_the_name_is_looked_up_once_for_a_connection(url_database: Database) -> None:
    asked: list[str] = []

    def find(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with receiving() as receiver:
        webhooks = Webhooks(url_database, FakeClock(), allowed=["127.0.0.0/8"], find=find)
        complete(url_database, "CALL-001", webhooks.clock(), webhook_url=receiver.url("name.example"))
        webhooks.send_due()
        assert asked == ["name.example"]
        assert receiver.received[0].headers["host"] == f"name.example:{receiver.port}"


def test_a_bad_secret_stops_the_start_and_is_not_told(url_database: Database) -> None:
    from pydantic import SecretStr

    with pytest.raises(ConfigurationError, match="WEBHOOK_SECRET") as caught:
        Webhooks(url_database, FakeClock(), secret=SecretStr("whsec_c2hvcnQ="))
    assert "c2hvcnQ" not in str(caught.value)


def test_no_secret_is_shown_by_what_is_handed_around(webhooks: Webhooks) -> None:
    endpoint = webhooks.register("http://127.0.0.1:1/")
    webhooks.service.rotate(endpoint.id)
    complete(webhooks.database, "CALL-001", webhooks.clock())
    claimed = webhooks.deliveries.claim()
    assert claimed is not None
    shown = f"{endpoint!r} {claimed!r} {webhooks.service.get(endpoint.id)!r}"
    assert "whsec_" not in shown
    assert endpoint.secrets.current.removeprefix("whsec_") not in shown
    assert json.dumps(claimed.id) not in json.dumps(endpoint.id)
