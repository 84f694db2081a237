"""Thirty payloads wherever a text comes from outside: none runs on any page, and each is shown as it is.

A visitor fails by itself when a payload runs, a dialog opens, or the policy has to stop something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import quote

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from app.db.repositories.clips import ClipRepository
from app.schemas.analysis import AnalysedSegment, Analysis
from app.schemas.clip import Consent, ConsentState, ExcerptLine
from app.schemas.sentiment import Sentiment, SentimentLabel
from app.schemas.speaker import Role, RoleSource, Speaker
from tests.analyses import analysis_of, moment_in, spoken
from tests.browser.payloads import PAYLOADS
from tests.browser.site import Site
from tests.browser.visitor import Visitor, visiting
from tests.db.clip_values import clip
from tests.db.values import at
from tests.process.service import tone

SAID = "SAID-1"
LINES = 6
HANDLERS = "[onerror], [onload], [onfocus], [onclick], [ontoggle], [onbegin], [onmouseover]"
INJECTED = f"main :is({HANDLERS}, [href^=javascript i], iframe, meta, base)"
FELT = Sentiment(SentimentLabel.NEUTRAL, 0.9, 0.05, 0.9, 0.05)


def all_said() -> Analysis:
    """A segment for each payload, said by somebody of that name, with a moment whose tip it is, too."""
    parts = []
    for number, payload in enumerate(PAYLOADS):
        segment = spoken(f"{payload} dear", 30.0 * number, number, f"speaker_{number}")
        found = replace(
            moment_in(segment, "dear", "objection", "price"), why=payload, tip=payload, rule=payload
        )
        parts.append(AnalysedSegment(segment, FELT, (found,), True, "objection"))
    speakers = tuple(
        Speaker(f"speaker_{number}", Role.CUSTOMER, 1.0, RoleSource.MANUAL, payload)
        for number, payload in enumerate(PAYLOADS)
    )
    return replace(analysis_of(*parts), speakers=speakers, duration_s=30.0 * len(PAYLOADS))


@pytest.fixture(scope="module", autouse=True)
def attacked(site: Site) -> None:
    """Stored directly where the API would refuse it."""
    site.add(SAID, all_said(), metadata=dict(zip(PAYLOADS, PAYLOADS, strict=True)))
    for number, payload in enumerate(PAYLOADS):
        site.add(f"ID-{number:02}", agent_id=payload, customer_id=payload, team_id=payload)
        body = {"time_seconds": number, "text": payload, "author": payload}
        assert site.service.post(f"/calls/{SAID}/comments", json=body).status_code == 201
    with site.database.session() as session:
        for number, payload in enumerate(PAYLOADS):
            kept = {
                "folder": payload,
                "title": payload,
                "note": payload,
                "agent_id": payload,
                "excerpt": (ExcerptLine(payload, "customer", payload),),
                "consent": Consent(ConsentState.RECORDED, payload, at(2)),
                "audio_key": f"{number:032x}",
            }
            ClipRepository(session).add(clip(SAID, f"clip_{number:02}", **kept))


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    with visiting(browser, site.url) as one:
        yield one


def plain(text: str) -> str:
    """White space is no part of what is compared."""
    return re.sub(r"\s+", " ", text).strip()


def shown_by(page: Page, selector: str) -> list[str]:
    """What stands there, when scripts have done what they do."""
    page.wait_for_timeout(150)
    assert page.locator(INJECTED).count() == 0
    return [plain(text) for text in page.locator(selector).all_text_contents()]


def as_text() -> list[str]:
    return [plain(payload) for payload in PAYLOADS]


def test_in_what_is_said_and_by_whom(site: Site, visitor: Visitor) -> None:
    visitor.open(f"/ui/calls/{SAID}")
    page = visitor.page
    expect(page.locator("#tracks.has-wave")).to_be_visible()
    assert shown_by(page, ".segment-text") == [f"{text} dear" for text in as_text()]
    assert shown_by(page, ".segment-who") == as_text()
    assert shown_by(page, ".moment-why") == as_text()
    assert [text.removeprefix("Tip: ") for text in shown_by(page, ".moment-tip")] == as_text()
    assert shown_by(page, "#comments .comment-text") == as_text()
    assert shown_by(page, "#comments strong") == as_text()
    names = [field.input_value() for field in page.locator("#speakers input[name=name]").all()]
    assert names == list(PAYLOADS)
    for tab in page.get_by_role("tab").all():
        if tab.is_visible():
            tab.click()
    for key in "nnvl":
        page.keyboard.press(key)
    expect(page.locator("button[value=right][aria-pressed=true]")).to_have_count(1)


def test_in_what_is_found(visitor: Visitor) -> None:
    for number, payload in enumerate(PAYLOADS):
        visitor.open(f"/?q={quote(payload)}&agent_id=agent-{number}&customer_id={quote('x')}")
        assert visitor.page.locator("#q").input_value() == payload
        assert visitor.page.locator(INJECTED).count() == 0
    visitor.open("/?q=xss+dear")
    assert any("dear" in text for text in shown_by(visitor.page, ".call-words"))


def test_in_ids(visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/?date_from=2026-01-01")
    seen = {".call-agent": set(), ".call-customer": set()}
    while True:
        for place, texts in seen.items():
            texts |= {text.removeprefix("with ") for text in shown_by(page, place)}
        older = page.get_by_role("link", name="Older calls")
        if not older.count():
            break
        visitor.open(older.get_attribute("href") or "")
    assert all(set(as_text()) <= texts for texts in seen.values())
    visitor.open("/ui/agents")
    assert set(as_text()) <= set(shown_by(page, ".line-link"))
    assert set(as_text()) <= {text.removeprefix("Team ") for text in shown_by(page, "#team_id option")}
    visitor.expects("status of 4(04|22)")
    for payload in PAYLOADS:
        assert visitor.open(f"/ui/agents/{quote(payload, safe='')}").status in (404, 422)
        assert page.locator(INJECTED).count() == 0


def test_the_api_takes_no_such_id(site: Site) -> None:
    """Nor does the form; what is not refused is not stored under another name either."""
    for payload in PAYLOADS:
        for name in ("call_id", "agent_id", "customer_id", "team_id"):
            answer = site.service.submit(tone(0.2), **{name: payload})
            assert (answer.status_code, answer.json()["code"]) == (422, "validation_error"), payload
            assert answer.headers["content-type"] == "application/problem+json"


def test_in_names_of_files(site: Site, visitor: Visitor) -> None:
    """Chosen all at once; none of them is a recording."""
    visitor.expects("status of 4(00|15|22)")
    visitor.open("/ui/upload")
    files = [{"name": payload, "mimeType": "audio/wav", "buffer": b"PK\x03\x04" * 20} for payload in PAYLOADS]
    visitor.page.locator("#upload-audio").set_input_files(files)  # type: ignore[arg-type]
    expect(visitor.page.locator(".upload-trouble")).to_have_count(len(PAYLOADS))
    # A browser makes a path's last part of what has a slash in it.
    assert shown_by(visitor.page, ".upload-name") == as_text()
    answer = site.service.submit(tone(0.3), call_id="NAMED-1")
    assert answer.status_code == 202


def test_in_clips(visitor: Visitor) -> None:
    visitor.open("/ui/clips")
    page = visitor.page
    seen, words = shown_by(page, ".clip-title"), shown_by(page, ".clip-words")
    while (older := page.get_by_role("link", name=re.compile("Older"))).count():
        visitor.open(older.get_attribute("href") or "")
        seen += shown_by(page, ".clip-title")
        words += shown_by(page, ".clip-words")
    assert set(as_text()) <= set(seen)
    assert {f"Customer {text}" for text in as_text()} <= set(words)
    assert set(as_text()) <= set(shown_by(page, ".folder-name"))
    page.locator(".clip").first.get_by_role("link", name=re.compile("^Change the clip")).click()
    page.locator("dialog#question[open]").wait_for()
    assert page.locator(INJECTED).count() == 0


def test_in_playbooks(site: Site, visitor: Visitor) -> None:
    rules = [
        {
            "id": f"rule_{number}",
            "type": "objection",
            "subtype": "price",
            "role": "anyone",
            "confidence": 0.8,
            "why": payload,
            "tip": payload,
            "condition": {"phrases": ["too expensive"]},
            "match": [f"too expensive {payload}"],
            "no_match": [payload],
        }
        for number, payload in enumerate(PAYLOADS)
    ]
    text = yaml.safe_dump({"name": "hostile", "version": PAYLOADS[0], "rules": rules}, allow_unicode=True)
    headers = {"Content-Type": "application/yaml"}
    answer = site.service.post("/playbooks", content=text.encode(), headers=headers)
    assert answer.status_code in (200, 201), answer.text
    revision = answer.json()["revision"]
    page = visitor.page
    visitor.open("/ui/playbooks/hostile/draft")
    assert page.locator("#yaml").input_value().strip() == text.strip()
    assert page.locator(INJECTED).count() == 0
    published = site.service.post("/playbooks/hostile/publish", json={"revision": revision})
    assert published.status_code == 200, published.text
    for path in ("/ui/playbooks", "/ui/playbooks/hostile"):
        visitor.open(path)
        assert page.locator(INJECTED).count() == 0
    body = plain(page.locator("main").text_content() or "")
    assert all(payload in body for payload in as_text())


def test_in_corrections(site: Site, visitor: Visitor) -> None:
    """By the page's own form: the new words, and the ones that were heard."""
    call = site.add("TURNED-1")
    heard = site.service.call(call)["segments"][0]["text"]
    page = visitor.page
    for number, payload in enumerate(PAYLOADS[:LINES]):
        answer = site.service.patch(f"/calls/{call}/segments/{number}", json={"text": payload})
        assert answer.status_code == 200, answer.text
    visitor.open(f"/ui/calls/{call}")
    assert shown_by(page, ".segment-text")[:LINES] == as_text()[:LINES]
    visitor.open(f"/ui/calls/{call}/segments/0")
    assert page.locator("#correction-text").input_value() == PAYLOADS[0]
    page.get_by_role("button", name="Give back what was heard").click()
    expect(page.locator("#s0 .segment-text")).to_have_text(heard)
