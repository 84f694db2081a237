"""What pages show of 100 drawn calls equals what their stored rows say, worked out by another way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.web.formatting import MOST_DRAWN
from tests.db.values import T0
from tests.services.coaching.random_calls import random_call
from tests.services.coaching.recomputed import recomputed
from tests.web.clients import Elements, pages, services_of
from tests.web.test_calls_page import line_of, lines_of, store

CALLS = 100
AGENTS = ("ana", "ben", "cem")
PARTS = 24
WINDOW = "date_from=2026-02-01&date_to=2026-03-31"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pages(tmp_path_factory.mktemp("figures")) as made:
        for number in range(CALLS):
            known = {"agent_id": AGENTS[number % 3], "started_at": T0 + timedelta(hours=9 * number)}
            store(made, f"C-{number:03}", number, random_call(number), **known)
        yield made


@pytest.fixture(scope="module")
def plain(client: TestClient) -> dict[str, dict[str, Any]]:
    with services_of(client).database.snapshot() as session:
        names = [f"C-{number:03}" for number in range(CALLS)]
        return {name: {**recomputed(session, name), "curve": curve(session, name)} for name in names}


def curve(session: Any, call_id: str) -> list[float | None]:
    """Mean sentiment of each of at most 24 equal parts of the call, by how long each segment is in it."""
    query = (
        "SELECT r.duration_s, s.* FROM segments s JOIN results r ON r.id = s.result_id"
        " WHERE r.call_id = :call_id AND s.sentiment_score IS NOT NULL"
    )
    rows = list(session.execute(text(query), {"call_id": call_id}))
    count = min(PARTS, len(rows))
    drawn: list[float | None] = []
    for part in range(count):
        begin, end = (rows[0].duration_s / count * at for at in (part, part + 1))
        inside = [(row, min(row.end_s, end) - max(row.start_s, begin)) for row in rows]
        inside = [(row, length) for row, length in inside if length > 0]
        weight = sum(length for _, length in inside)
        total = sum(5 * (row.sentiment_positive - row.sentiment_negative) * length for row, length in inside)
        drawn.append(total / weight if weight else None)
    return drawn


def share(value: float) -> str:
    return f"{round(value * 100)} %"


def clock(seconds: float | None) -> str:
    return "–" if seconds is None else f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def signed(value: float | None) -> str:
    if value is None:
        return "–"
    written = f"{value:+.1f}".replace("-", "−")
    return written if written.strip("+−0.") else "0.0"


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", Elements(html).text).strip()


def part_of(html: str, pattern: str) -> str:
    found = re.search(pattern, html, re.DOTALL)
    assert found, pattern
    return text_of(found[1])


def test_the_list(client: TestClient, plain: dict[str, dict[str, Any]]) -> None:
    seen, address = 0, "/"
    while address:
        page = client.get(address).text
        for name in lines_of(page):
            line, known = line_of(page, name), plain[name]
            assert part_of(line, r'class="talk-number">(.*?)</span>') == share(known["share_of_speech"])
            counts = sorted(known["moments"].items(), key=lambda item: (-item[1], item[0]))
            chips = [
                text_of(chip) for chip in re.findall(r'(<span class="chip moment.*?)</span></span>', line)
            ]
            assert chips == [f"{kind.replace('_', ' ').capitalize()} {count}" for kind, count in counts[:3]]
            more = sum(count for _, count in counts[3:])
            assert (f">+{more}<" in line) == (more > 0)
            points = [
                point.split(",") for run in re.findall(r'points="(.*?)"', line) for point in run.split()
            ]
            felt = [score for score in known["curve"] if score is not None]
            drawn = [10 - 8 * max(-1, min(1, one / MOST_DRAWN)) for one in felt]
            assert [float(y) for _, y in points] == pytest.approx(drawn, abs=0.1), name
            seen += 1
        address = next((one["href"] for one in Elements(page).all("a") if one.get("rel") == "next"), "")
    assert seen == CALLS


def test_the_numbers_of_each_call(client: TestClient, plain: dict[str, dict[str, Any]]) -> None:
    for name, known in plain.items():
        page = client.get(f"/ui/calls/{name}").text
        shown = {
            key: part_of(page, rf'id="figure-{key}">.*?class="figure-value">(.*?)</span>')
            for key in ("share_of_speech", "patience", "longest_monologue", "interruptions")
        }
        waits = known["patience_s"]
        assert shown == {
            "share_of_speech": share(known["share_of_speech"]),
            "patience": "–" if waits is None else f"{waits:.1f} s".replace("-", "−"),
            "longest_monologue": clock(known["longest_monologue_s"]),
            "interruptions": f"{known['agent_interruptions']} : {known['customer_interruptions']}",
        }, name
        quarters = part_of(page, r'aria-label="Sentiment by quarter">(.*?)</table>')
        customer = quarters.partition("Customer")[2].partition("Whole")[0]
        told = re.findall(r"[−+]?\d+\.\d|–", customer)[5]
        assert told == signed(known["sentiment_shift"]), name
        cards = re.findall(r'class="moment-card[^>]* data-kind="(\w+)"', page)
        assert {kind: cards.count(kind) for kind in cards} == known["moments"]


def test_the_agents(client: TestClient, plain: dict[str, dict[str, Any]]) -> None:
    page = client.get(f"/ui/agents?{WINDOW}").text
    for agent in AGENTS:
        own = [known for number, known in enumerate(plain.values()) if AGENTS[number % 3] == agent]
        (row,) = [part for part in page.split("<tr ") if f'line-link" href="/ui/agents/{agent}?' in part]
        cells = [text_of(cell) for cell in re.findall(r"<td .*?</td>", row, re.DOTALL)]
        told = " ".join(cells)

        def middle(name: str, own: list[dict[str, Any]] = own) -> float:
            return round(median(one[name] for one in own if one[name] is not None), 4)

        assert cells[0] == f"Calls{len(own)}"
        assert share(middle("share_of_speech")) in told
        assert f"{middle('patience_s'):.2f} s" in told
        assert clock(middle("longest_monologue_s")) in told
        assert f"{sum(one['agent_interruptions'] for one in own) / len(own):.1f}" in told
        assert signed(middle("sentiment_shift")) in told
