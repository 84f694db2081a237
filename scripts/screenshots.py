"""The pictures of docs/images/: the dashboard with the demo call and made-up calls, as Chromium draws it.

`python -m scripts.screenshots` makes all, `python -m scripts.screenshots call-light agents-dark` those.
The words of the demo call are those of its script; all else is found by the service. Chromium is Debian's
(`apt-get install chromium`) or the one that CHROMIUM_PATH names.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page

from app.db.models import CallRow, table_of
from app.db.repositories.calls import CallRepository
from app.db.repositories.results import ResultRepository
from app.db.session import Database
from app.schemas.analysis import CallStatus
from bench.stored_calls import TenMinuteCalls
from tests.browser.chromium import launched
from tests.browser.site import served
from tests.db.values import new_call
from tests.process.service import ROOT, Service

IMAGES = ROOT / "docs" / "images"
DEMO_FILE = ROOT / "samples" / "demo_call.mp3"
PLAYBOOK = ROOT / "samples" / "acme.yaml"
DEMO = "DEMO-001"
DEMO_PAGE = f"/ui/calls/{DEMO}"
WORD = "expensive"
"""Said in the objection that the pictures of the call show."""
TEAMS = {"daniel": "emea", "amira": "emea", "jonas": "emea", "lucia": "north", "priya": "north"}
MADE_CALLS = 45
WEEKS = 13
ENGINES = {"sentiment_provider": "embedding", "coachable_classifier": "embedding"}
"""Those that every machine has."""
PATIENCE_MS = 120_000


def nothing(_: Page) -> None:
    """For pages that are shown as they open."""


@dataclass(frozen=True)
class Picture:
    """``prepare`` brings the opened page into the state that is to be seen; ``window`` is in CSS pixels."""

    name: str
    path: str
    prepare: Callable[[Page], None] = nothing
    window: tuple[int, int] = (1440, 900)
    scale: float = 1


def main() -> None:
    wanted = set(sys.argv[1:])
    IMAGES.mkdir(parents=True, exist_ok=True)
    with launched() as browser:
        for where, pictures in ((_empty, EMPTY), (_locked, LOCKED), (_filled, FILLED)):
            asked = [one for one in pictures if not wanted or one.name in wanted]
            if asked:
                where(browser, asked)


def _empty(browser: Browser, pictures: list[Picture]) -> None:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), **ENGINES) as site:
        _take(browser, site.service, pictures)


def _locked(browser: Browser, pictures: list[Picture]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), api_keys="kept-for-the-picture-of-the-login", **ENGINES) as site,
    ):
        _take(browser, site.service, pictures)


def _filled(browser: Browser, pictures: list[Picture]) -> None:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), **ENGINES) as site:
        service = site.service
        _store_made_calls(site.database)
        _judge_made_calls(service)
        _send_demo_call(service)
        _keep_clips(service)
        _write_playbook(service)
        _take(browser, service, pictures)


def _take(browser: Browser, service: Service, pictures: list[Picture]) -> None:
    for picture in pictures:
        width, height = picture.window
        context = browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=picture.scale,
            color_scheme="dark" if picture.name.endswith("-dark") else "light",
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.goto(f"{service.url}{picture.path}")
        page.wait_for_load_state("networkidle")
        picture.prepare(page)
        page.wait_for_timeout(300)  # what fades in has come
        _write(picture.name, page.screenshot(caret="initial"))  # "hide" would be an inline style
        context.close()


def _write(name: str, shot: bytes) -> None:
    """In all its colours: a palette of 256 saves half of the bytes and alters those of the moments."""
    file = IMAGES / f"{name}.png"
    Image.open(BytesIO(shot)).convert("RGB").save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KB", flush=True)


def _store_made_calls(database: Database) -> None:
    """Finished calls without a recording, over the last ``WEEKS``."""
    chance = random.Random(7)
    for number in range(MADE_CALLS):
        agent = chance.choice(["daniel", *TEAMS])
        held = datetime.now(UTC).replace(minute=chance.randrange(60)) - timedelta(
            weeks=WEEKS * (1 - number / MADE_CALLS), hours=chance.randrange(1, 9)
        )
        _store(database, f"CALL-{1000 + number}", number, agent, held, chance.uniform(120, 420))


def _store(
    database: Database, call_id: str, number: int, agent: str, held: datetime, duration_s: float
) -> None:
    """At once, so that no worker of the service takes it for one that waits."""
    analysis = TenMinuteCalls(round(duration_s, 1)).make(number)
    new = new_call(
        call_id,
        agent_id=agent,
        team_id=TEAMS[agent],
        customer_id=f"cust-{100 + number * 37 % 61}",
        started_at=held,
        metadata={},
    )
    ended = {"status": CallStatus.COMPLETED, "duration_s": analysis.duration_s, "completed_at": held}
    calls = table_of(CallRow)
    with database.session() as session:
        assert CallRepository(session).insert(replace(new, webhook_url=None), held)
        ResultRepository(session).add(call_id, analysis, held)
        values = {"queue": None, "audio_key": None, **ended}
        session.execute(calls.update().where(calls.c.call_id == call_id).values(**values))


def _judge_made_calls(service: Service) -> None:
    """Three of four moments of every fourth call are right, so that rules have a precision."""
    chance = random.Random(3)
    for number in range(0, MADE_CALLS, 4):
        call_id = f"CALL-{1000 + number}"
        for moment in service.call(call_id)["moments"][:8]:
            verdict = "right" if chance.random() < 0.75 else "wrong"
            _sent(service, f"/calls/{call_id}/moments/{moment['id']}/review", {"verdict": verdict})


def _send_demo_call(service: Service) -> None:
    held = datetime.now(UTC) - timedelta(hours=2)
    fields = {
        "call_id": DEMO,
        "agent_id": "daniel",
        "team_id": TEAMS["daniel"],
        "customer_id": "maria",
        "language": "en",
        "started_at": held.isoformat(),
    }
    service.submit(DEMO_FILE.read_bytes(), **fields)
    assert service.wait_for(DEMO)["status"].startswith("completed")
    roles = {one["role"]: one["id"] for one in service.call(DEMO)["speakers"]}
    names = {roles["agent"]: {"name": "Daniel"}, roles["customer"]: {"name": "Maria"}}
    service_url = f"{service.url}/calls/{DEMO}/speakers"
    httpx.patch(service_url, json={"speakers": names}, timeout=60).raise_for_status()
    for place, moment in enumerate(service.call(DEMO)["moments"][:3]):
        verdict = {"verdict": "wrong" if place == 1 else "right"}
        _sent(service, f"/calls/{DEMO}/moments/{moment['id']}/review", verdict)
    comment = {"time_seconds": 62.0, "text": "The discount comes too early: ask first.", "author": "Robin"}
    _sent(service, f"/calls/{DEMO}/comments", comment)


def _keep_clips(service: Service) -> None:
    """Each kind of moment of the demo call once, in two folders and in none."""
    kinds: dict[str, str] = {}
    for moment in service.call(DEMO)["moments"]:
        kinds.setdefault(moment["subtype"] or moment["type"], moment["id"])
    folders = dict.fromkeys(("price", "authority"), "Objections")
    folders |= dict.fromkeys(("buying_signal", "next_step"), "Closing")
    notes = {"price": "Hear how long he waits before he answers."}
    for kind, moment_id in kinds.items():
        consent = {"state": "recorded", "recorded_by": "Robin"} if kind in folders else {"state": "unknown"}
        body = {"call_id": DEMO, "moment_id": moment_id, "consent": consent}
        body |= {"folder": folders[kind]} if kind in folders else {}
        body |= {"note": notes[kind]} if kind in notes else {}
        _sent(service, "/clips", body)


def _write_playbook(service: Service) -> None:
    """One that is published, and a draft of its next revision."""
    text = PLAYBOOK.read_text(encoding="utf-8")
    draft = f"{service.url}/playbooks/acme/draft"
    yaml = {"Content-Type": "application/yaml"}
    first = httpx.put(draft, content=text, headers=yaml, timeout=60).raise_for_status().json()
    _sent(service, "/playbooks/acme/publish", {"revision": first["revision"]})
    wider = text.replace(
        "- the {price} is too high", "- the {price} is [way|far] too high\n        - too expensive"
    )
    httpx.put(draft, content=wider, headers=yaml, timeout=60).raise_for_status()


def _sent(service: Service, path: str, body: dict[str, Any]) -> None:
    service.post(path, json=body).raise_for_status()


def _play_in_the_objection(page: Page) -> None:
    """Stopped at a word of it: the word is marked, and its moment is the one that is chosen."""
    page.locator("#tracks.has-wave").wait_for()
    card = page.locator("#moments .moment-card", has_text=WORD).first
    card.locator(".moment-time").click()
    page.wait_for_function("() => document.getElementById('audio').currentTime > 0")
    page.keyboard.press("k")
    start = float(card.get_attribute("data-start") or "0")
    page.evaluate("(at) => { document.getElementById('audio').currentTime = at; }", start + 0.45)


def _make_a_reel(page: Page) -> None:
    page.get_by_role("tab", name="Reel").click()
    page.get_by_role("button", name="Make the reel").click()
    page.get_by_role("region", name="The reel").wait_for()
    page.evaluate("() => scrollTo(0, 0)")


def _try_the_draft(page: Page) -> None:
    page.get_by_role("button", name="Try", exact=True).click()
    page.locator("#answers > *").first.wait_for()


EMPTY = [Picture("empty", "/")]
LOCKED = [Picture("login", "/", window=(900, 560))]
FILLED = [
    Picture("call-light", DEMO_PAGE, _play_in_the_objection),
    Picture("call-dark", DEMO_PAGE, _play_in_the_objection),
    Picture("reel-light", DEMO_PAGE, _make_a_reel),
    Picture("phone-call", DEMO_PAGE, _play_in_the_objection, window=(375, 812), scale=2),
    Picture("calls-light", "/"),
    Picture("calls-dark", "/"),
    Picture("agents-light", "/ui/agents?team_id=emea"),
    Picture("agents-dark", "/ui/agents?team_id=emea"),
    Picture("agent-light", "/ui/agents/daniel"),
    Picture("clips-light", "/ui/clips"),
    Picture("playbook-light", "/ui/playbooks/default"),
    Picture("draft-light", "/ui/playbooks/acme/draft", _try_the_draft),
]

if __name__ == "__main__":
    main()
