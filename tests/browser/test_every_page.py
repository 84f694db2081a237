"""What holds for every page: a quiet console, nothing that axe finds serious, no wider than a phone."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import DEMO
from tests.browser.site import Site
from tests.browser.visitor import PHONE, Visitor, visiting

Visit = Callable[..., Visitor]

LONG = "/ui/calls/MADE-03"
MISSING = "/ui/calls/NOBODY"
PAGES = (
    "/",
    "/?q=price&agent_id=agent-1",
    "/?agent_id=nobody",
    "/ui/upload",
    f"/ui/calls/{DEMO}",
    LONG,
    "/ui/calls/BROKEN",
    f"/ui/calls/{DEMO}/again",
    f"/ui/calls/{DEMO}/delete",
    f"/ui/calls/{DEMO}/segments/0",
    "/ui/agents",
    "/ui/agents?team_id=team-1",
    "/ui/agents?date_from=2020-01-01&date_to=2020-01-31",
    "/ui/agents/agent-1",
    "/ui/clips",
    "/ui/playbooks",
    "/ui/playbooks/default",
    "/ui/playbooks/default/draft",
    "/ui/playbooks/-/new",
    MISSING,
)


@pytest.fixture(scope="module", autouse=True)
def filled(site: Site) -> None:
    """A failed call and a clip."""
    site.add_failed("BROKEN")
    moment = next(one["id"] for part in site.service.call(DEMO)["segments"] for one in part["moments"])
    kept = {"call_id": DEMO, "moment_id": moment, "folder": "Objections", "title": "How he asks"}
    assert site.service.post("/clips", json=kept).status_code == 201


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(site: Site, browser: Browser, scheme: str) -> None:
    found = {}
    with visiting(browser, site.url, color_scheme=scheme) as visitor:
        visitor.expects("status of 404")
        for path in PAGES:
            if path == LONG:  # it has the elements of the demo call, a hundred times as many
                continue
            assert visitor.open(path).status == (404 if path == MISSING else 200), path
            found[path] = visitor.barriers()
    assert not {path: barriers for path, barriers in found.items() if barriers}


@pytest.mark.parametrize("opened", ["upload", "keys", "question", "tabs"])
def test_nor_in_what_opens(visit: Visit, opened: str) -> None:
    page = (visitor := visit(f"/ui/calls/{DEMO}" if opened in ("tabs", "question") else "/")).page
    if opened == "tabs":
        for name in page.get_by_role("tab").all():
            if name.is_visible():
                name.click()
                assert visitor.barriers(".panel") == []
        return
    if opened == "question":
        page.locator(".moment-card").first.get_by_role("link", name="Other, note").click()
    else:
        page.keyboard.press({"upload": "u", "keys": "?"}[opened])
    page.locator("dialog[open]").wait_for()
    assert visitor.barriers() == []


def test_nothing_is_wider_than_a_phone(site: Site, browser: Browser) -> None:
    with visiting(browser, site.url, viewport=PHONE, has_touch=True, is_mobile=True) as visitor:
        visitor.expects("status of 404")
        wider = {}
        for path in PAGES:
            visitor.open(path)
            wider[path] = visitor.overflow_px()
    assert not {path: pixels for path, pixels in wider.items() if pixels > 0}


def test_the_theme_is_kept(visit: Visit) -> None:
    page = visit("/", color_scheme="light").page
    colour = "() => getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(colour)
    page.get_by_role("button", name="Light or dark").click()
    dark = page.evaluate(colour)
    assert dark != light
    page.goto(page.url)
    assert page.evaluate(colour) == dark


def test_everything_is_read_without_scripts(site: Site, visit: Visit) -> None:
    """And a verdict is passed, and a call deleted."""
    call = site.add("PLAIN-1")
    visitor = visit("/", java_script_enabled=False)
    visitor.expects("status of 404.*NOBODY")
    page = visitor.page
    page.get_by_label("Search in transcripts").fill("fifteen percent")
    page.get_by_label("Agent", exact=True).first.fill("daniel")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tr.call .call-id")).to_have_text([DEMO])
    page.goto(f"{site.url}/ui/calls/{call}")
    segments = site.service.call(call)["segments"]
    assert [part["text"] for part in segments] == page.locator(".segment-text").all_text_contents()
    card = page.locator(".moment-card").first
    card.get_by_role("button", name=re.compile("right$")).click()
    expect(card.locator("button[value=right]")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete").click()
    assert site.service.get(f"/calls/{call}").status_code == 404
    for path in PAGES:
        page.goto(f"{site.url}{path}")
        assert page.locator("h1").count() == 1, path
