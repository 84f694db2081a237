"""Corrections of the text over HTTP, on calls that were heard, and what later analyses make of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.clients import services_of, started
from tests.api.test_readme_playbooks import ROOT, request_of
from tests.db.values import completed
from tests.playbooks import write_playbooks
from tests.process.service import tone, wait_until, write_script

HEARD = "that is too expansive for us"
RIGHT = "That is too expensive for us."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("corrections")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[TestClient]:
    with started(folder, playbook_dir=write_playbooks(folder / "playbooks")) as client:
        yield client


@pytest.fixture
def call(client: TestClient, folder: Path) -> Iterator[dict[str, Any]]:
    """A call of one segment that is there for one test."""
    write_script(folder, HEARD)
    answer = client.post(
        "/transcribe", files={"audio": ("a.wav", tone())}, data={"call_id": "CALL-1", "language": "en"}
    )
    assert answer.status_code == 200, answer.text
    yield client.get("/calls/CALL-1").json()
    client.delete("/calls/CALL-1")


def correct(client: TestClient, text: str = RIGHT, index: int = 0, call_id: str = "CALL-1") -> Any:
    return client.patch(f"/calls/{call_id}/segments/{index}", json={"text": text})


def corrections(client: TestClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.get("/calls/CALL-1/corrections").json()["items"]
    return items


def done_again(client: TestClient, path: str, **body: Any) -> dict[str, Any]:
    """The call once it was worked on again."""
    answer = client.post(f"/calls/CALL-1/{path}", json=body)
    assert answer.status_code == 202, answer.text
    wait_until(lambda: client.get("/calls/CALL-1").json()["percent"] == 100, f"{path} to end")
    call: dict[str, Any] = client.get("/calls/CALL-1").json()
    assert call["status"] == "completed", call
    return call


def test_a_word_is_put_right_and_taken_back(client: TestClient, call: dict[str, Any]) -> None:
    assert [(segment["index"], segment["corrected"]) for segment in call["segments"]] == [(0, False)]
    answer = correct(client, f"  {RIGHT} ")
    assert answer.status_code == 200, answer.text
    after = answer.json()
    assert client.get("/calls/CALL-1").json() == after
    (segment,) = after["segments"]
    assert (after["transcript"], segment["text"], segment["corrected"]) == (RIGHT, RIGHT, True)
    times = [(word["start_time"], word["end_time"]) for word in segment["words"]]
    assert times == [(word["start_time"], word["end_time"]) for word in call["segments"][0]["words"]]
    assert segment["words"][3]["estimated"]
    assert "price" in [moment["subtype"] for moment in after["moments"]]
    assert "price" not in [moment["subtype"] for moment in call["moments"]]
    (listed,) = corrections(client)
    assert (listed["original"], listed["corrected"], listed["applied"]) == (HEARD, RIGHT, True)
    assert client.get("/calls/CALL-1/transcript?format=txt").text.rstrip().endswith(RIGHT)
    assert "expensive" in client.get("/calls/CALL-1/transcript?format=srt").text
    assert RIGHT in str(client.get("/calls/CALL-1?format=aws").json())
    undone = client.delete("/calls/CALL-1/segments/0/correction")
    assert (undone.status_code, undone.json()) == (200, call)
    assert corrections(client) == []


def test_sentiment_is_that_of_the_new_words(client: TestClient, call: dict[str, Any]) -> None:
    assert correct(client, "I love it, great!").json()["segments"][0]["sentiment"] == "POSITIVE"
    assert correct(client, "I hate it, terrible!").json()["segments"][0]["sentiment"] == "NEGATIVE"
    assert len(corrections(client)) == 1


def test_a_verdict_stays_with_its_moment(client: TestClient, call: dict[str, Any]) -> None:
    (price,) = [moment for moment in correct(client).json()["moments"] if moment["subtype"] == "price"]
    path = f"/calls/CALL-1/moments/{price['id']}/review"
    assert client.post(path, json={"verdict": "right"}).status_code == 201
    after = correct(client, "This was too expensive for us!").json()
    (again,) = [moment for moment in after["moments"] if moment["subtype"] == "price"]
    assert (again["id"], again["review"]["verdict"]) == (price["id"], "right")


def test_corrections_outlive_another_playbook_and_a_swap(client: TestClient, call: dict[str, Any]) -> None:
    correct(client)
    named = client.patch(
        "/calls/CALL-1/speakers", json={"speakers": {"speaker_0": {"name": "Ada", "role": "customer"}}}
    ).json()
    assert (named["transcript"], named["speakers"][0]["name"]) == (RIGHT, "Ada")
    strict = done_again(client, "reanalyze", playbook="strict")
    assert strict["playbook"]["name"] == "strict"
    assert (strict["transcript"], strict["segments"][0]["words"]) == (RIGHT, named["segments"][0]["words"])
    assert (strict["speakers"], strict["segments"][0]["corrected"]) == (named["speakers"], True)
    assert "strict_price" in [moment["rule"] for moment in strict["moments"]]
    back = client.delete("/calls/CALL-1/segments/0/correction").json()
    assert (back["transcript"], back["playbook"]["name"]) == (HEARD, "strict")
    assert back["segments"][0]["words"] == call["segments"][0]["words"]
    assert back["speakers"] == named["speakers"]


def test_corrections_outlive_a_rerun_while_their_words_stand(
    client: TestClient, folder: Path, call: dict[str, Any]
) -> None:
    corrected = correct(client).json()
    (made,) = corrections(client)
    rerun = {"from": "transcription"}
    again = done_again(client, "rerun", **rerun)
    assert again["segments"] == corrected["segments"]
    assert corrections(client) == [made]
    write_script(folder, "we hear something else now")
    other = done_again(client, "rerun", **rerun)
    assert (other["transcript"], other["segments"][0]["corrected"]) == ("we hear something else now", False)
    assert corrections(client) == [{**made, "segment": None, "applied": False}]
    gone = client.delete("/calls/CALL-1/segments/0/correction")
    assert (gone.status_code, gone.json()["code"]) == (404, "correction_not_found")
    write_script(folder, HEARD)
    assert done_again(client, "rerun", **rerun)["transcript"] == RIGHT
    assert corrections(client) == [made]
    dropped = client.delete(f"/calls/CALL-1/corrections/{made['id']}")
    assert (dropped.status_code, dropped.json()["transcript"]) == (200, HEARD)


def test_a_transcript_that_is_brought_takes_their_place(client: TestClient, call: dict[str, Any]) -> None:
    correct(client)
    (made,) = corrections(client)
    segment = {"text": HEARD, "role": "customer", "start_time": 0.0, "end_time": 2.0}
    brought = client.post("/analyze", json={"call_id": "CALL-1", "segments": [segment]})
    assert brought.status_code == 200, brought.text
    assert client.get("/calls/CALL-1").json()["transcript"] == HEARD
    assert corrections(client) == [{**made, "segment": None, "applied": False}]


@pytest.mark.parametrize("text", ["", "  ", "...", "a\x00b", "x" * 5001])
def test_what_nobody_can_say_is_refused(client: TestClient, text: str) -> None:
    refused = correct(client, text)
    assert (refused.status_code, refused.json()["code"]) == (422, "validation_error")


def test_what_cannot_be_corrected(client: TestClient) -> None:
    database = services_of(client).database
    completed(database, "CALL-2", 0)
    for call_id, index, status, code in (
        ("NOBODY", 0, 404, "call_not_found"),
        ("CALL-2", 7, 404, "segment_not_found"),
    ):
        answer = correct(client, "x", index, call_id)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert correct(client, "x", -1, "CALL-2").status_code == 422
    assert client.get("/calls/NOBODY/corrections").status_code == 404


def test_the_lines_of_the_readme_do_what_they_say(client: TestClient, folder: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    block = readme.partition("# A word that was misheard")[2].partition("\n# A transcript of your own")[0]
    lines = [shlex.split(line) for line in block.splitlines() if line.startswith("curl")]
    assert len(lines) == 5
    files = {"audio": ("a.wav", tone())}
    assert client.post("/transcribe", files=files, data={"call_id": "CALL-001"}).status_code == 200
    statuses = [client.request(**request_of(line)).status_code for line in lines]
    assert statuses == [200, 200, 200, 201, 200]
