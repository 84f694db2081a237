"""The page of a long call comes with its beginning; the rest follows, and can be had without a script."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.web.call.beginning import BEGINNING, MOST_AT_ONCE
from bench.stored_calls import TenMinuteCalls
from tests.web.call.negotiation import store_negotiation
from tests.web.clients import SCRIPT, Elements, pages

LONG_S = 2400.0
PAGE = "/ui/calls/LONG"
SEGMENTS = re.compile(r'<li class="segment .*?</li>', re.DOTALL)
CARDS = re.compile(r'<li class="moment-card .*?</li>', re.DOTALL)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pages(tmp_path_factory.mktemp("long")) as made:
        store_negotiation(made, "LONG", TenMinuteCalls(LONG_S).make(1))
        store_negotiation(made, "SHORT")
        yield made


def read(client: TestClient, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    return answer.text


def parts(html: str) -> tuple[list[str], list[str]]:
    return SEGMENTS.findall(html), CARDS.findall(html)


def test_the_beginning_and_the_rest_are_the_whole(client: TestClient) -> None:
    segments, cards = parts(read(client, f"{PAGE}?whole=true"))
    first_segments, first_cards = parts(read(client, PAGE))
    later_segments, later_cards = parts(read(client, f"{PAGE}/rest/{BEGINNING}"))
    assert len(segments) > MOST_AT_ONCE
    assert len(first_segments) == BEGINNING
    assert 0 < len(first_cards) < len(cards)
    assert first_segments + later_segments == segments
    assert first_cards + later_cards == cards


def test_the_page_says_how_much_follows_and_leads_to_it(client: TestClient) -> None:
    html = read(client, PAGE)
    segments, cards = parts(read(client, f"{PAGE}?whole=true"))
    assert re.findall(r'href="([^"]*)">Show (\d+) more', html) == [
        (f"?whole=true#s{BEGINNING}", str(len(segments) - BEGINNING)),
        ("?whole=true#moments", str(len(cards) - len(parts(html)[1]))),
    ]
    assert f'Moments <span class="chip-count">{len(cards)}</span>' in html


@pytest.mark.parametrize("address", [PAGE, f"{PAGE}?whole=true", "/ui/calls/SHORT"])
def test_no_link_leads_to_a_place_that_is_not_there(client: TestClient, address: str) -> None:
    html = read(client, address)
    whole = read(client, f"{address.partition('?')[0]}?whole=true")
    for link in Elements(html).all("a"):
        page, _, place = link.get("href", "").partition("#")
        if place and page in ("", "?whole=true"):
            assert f'id="{place}"' in (whole if page else html), link


def test_a_short_call_comes_whole(client: TestClient) -> None:
    html = read(client, "/ui/calls/SHORT")
    assert "whole=true" not in html
    assert html == read(client, "/ui/calls/SHORT?whole=true")


def test_what_takes_the_place_of_a_whole_page_is_whole(client: TestClient) -> None:
    """A script swaps it in after a correction, where the rest of the page before had come by then."""
    assert parts(read(client, PAGE, **SCRIPT)) == parts(read(client, f"{PAGE}?whole=true"))


def test_a_change_without_a_script_leads_to_a_page_that_holds_its_place(client: TestClient) -> None:
    _, cards = parts(read(client, f"{PAGE}?whole=true"))
    (last,) = re.findall(r'id="(m_\w+)"', cards[-1])
    judged = client.post(f"{PAGE}/moments/{last}/review", data={"verdict": "right"}, follow_redirects=False)
    assert judged.headers["location"] == f"{PAGE}?whole=true#{last}"
    (first,) = re.findall(r'id="(m_\w+)"', cards[0])
    judged = client.post(f"{PAGE}/moments/{first}/review", data={"verdict": "right"}, follow_redirects=False)
    assert judged.headers["location"] == f"{PAGE}#{first}"


def test_there_is_no_rest_of_a_call_that_is_not_there(client: TestClient) -> None:
    assert client.get("/ui/calls/NEVER/rest/100").status_code == 404
    assert parts(read(client, f"{PAGE}/rest/999999")) == ([], [])
