"""Makes the pictures of docs/images/: each page of the dashboard, in light and dark, with made-up calls.

    .venv/bin/python -m scripts.screenshots            # all of them
    .venv/bin/python -m scripts.screenshots call clips # some

Starts a service of its own on scratch data, with the embedded engines: no download, no cost. Needs Chromium
(`apt-get install chromium`, or CHROMIUM_PATH).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.chromium import launched
from tests.browser.site import Site, served
from tests.browser.visitor import LAPTOP, PHONE

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
COLOURS = 128
SCHEMES = ("light", "dark")
PEOPLE = ("emily", "daniel", "ravi", "chloe", "tomas")
CUSTOMERS = ("northwind", "acme", "globex", "initech", "umbrella", "hooli", "stark", "wayne", "soylent")
CALLS = 40
DEMO = "/ui/calls/DEMO-001"


def main() -> None:
    wanted = sys.argv[1:] or [*PICTURES, *EMPTY_PICTURES]
    unknown = [name for name in wanted if name not in PICTURES | EMPTY_PICTURES]
    if unknown:
        sys.exit(f"no such picture: {', '.join(unknown)}; there are {', '.join(PICTURES | EMPTY_PICTURES)}")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with launched() as browser:
        if set(wanted) & {*PICTURES}:
            with _service() as site:
                _fill(site)
                _take(browser, site.url, {name: PICTURES[name] for name in wanted if name in PICTURES})
        if set(wanted) & {*EMPTY_PICTURES}:
            with _service(api_keys="demo-key") as site:
                chosen = {name: EMPTY_PICTURES[name] for name in wanted if name in EMPTY_PICTURES}
                _take(browser, site.url, chosen)


@contextmanager
def _service(**settings: str) -> Iterator[Site]:
    engines = {"stt_provider": "pocketsphinx", "sentiment_provider": "embedding", "coachable_classifier": "embedding"}
    with tempfile.TemporaryDirectory(prefix="darwix-pictures-") as folder:
        with served(Path(folder), **{**engines, **settings}, diarization_provider="channel,voiceprint") as site:
            yield site


def _fill(site: Site) -> None:
    """Calls of three weeks, one that failed, clips in folders, and the demo call with verdicts and a comment."""
    now = datetime.now(UTC)
    for number in range(CALLS):
        held_at = now - timedelta(hours=13 * (CALLS - number), minutes=number * 37 % 60)
        site.add(
            f"CALL-{1000 + number}",
            agent_id=PEOPLE[number * 7 % len(PEOPLE)],
            team_id=("emea", "americas")[number * 7 % len(PEOPLE) % 2],
            customer_id=CUSTOMERS[number * 5 % len(CUSTOMERS)],
            started_at=held_at,
            created_at=held_at,
        )
    site.add_failed("CALL-1040")
    service = site.service
    assert service.post("/ui/demo").status_code == 303
    call = service.wait_for("DEMO-001")
    moments = [moment for part in call["segments"] for moment in part["moments"]]
    for moment, verdict in zip(moments, ("right", "right", "wrong", "right"), strict=False):
        service.post(f"/calls/DEMO-001/moments/{moment['id']}/review", json={"verdict": verdict})
    comment = {"time_seconds": 56, "text": "Ask what it is compared with before you offer anything.", "author": "Robin"}
    service.post("/calls/DEMO-001/comments", json=comment)
    for moment, folder in zip(moments[::2], ("Discovery", "Objections", "Objections", "Closing"), strict=False):
        kept = {"call_id": "DEMO-001", "moment_id": moment["id"], "folder": folder}
        assert service.post("/clips", json=kept).status_code == 201


def _take(browser: Browser, url: str, pictures: dict[str, Callable[[Page, str], None]]) -> None:
    for name, show in pictures.items():
        for scheme in SCHEMES:
            phone = name.startswith("phone")
            context = browser.new_context(
                viewport=PHONE if phone else LAPTOP,
                device_scale_factor=2 if phone else 1,
                color_scheme=scheme,  # type: ignore[arg-type]
                locale="en-GB",
                timezone_id="UTC",
                reduced_motion="reduce",
            )
            page = context.new_page()
            show(page, url)
            page.wait_for_timeout(400)
            _save(page.screenshot(), IMAGES / f"{name}-{scheme}.png")
            context.close()
            print(f"{name}-{scheme}.png: {(IMAGES / f'{name}-{scheme}.png').stat().st_size // 1024} KB")


def _save(picture: bytes, path: Path) -> None:
    """With few colours it has a third of the bytes, and looks the same."""
    with Image.open(BytesIO(picture)) as image:
        image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def _page(path: str) -> Callable[[Page, str], None]:
    def show(page: Page, url: str) -> None:
        page.goto(f"{url}{path}", wait_until="networkidle")

    return show


def _call(page: Page, url: str) -> None:
    """In the middle of the price objection."""
    page.goto(f"{url}{DEMO}", wait_until="networkidle")
    page.locator("#tracks.has-wave").wait_for()
    page.locator(".moment-card[data-kind=objection] .moment-time").first.click()
    page.wait_for_timeout(1500)
    page.keyboard.press("k")
    page.evaluate("() => scrollTo(0, 0)")


def _tab(name: str) -> Callable[[Page, str], None]:
    def show(page: Page, url: str) -> None:
        _call(page, url)
        page.locator(f"#tab-{name}").click()

    return show


def _signed_in(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_label("API key").fill("demo-key")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Add the first call").wait_for()


PICTURES: dict[str, Callable[[Page, str], None]] = {
    "calls": _page("/"),
    "search": _page("/?q=too+expensive"),
    "call": _call,
    "numbers": _tab("numbers"),
    "reel": _tab("reel"),
    "agents": _page("/ui/agents"),
    "agent": _page("/ui/agents/emily"),
    "clips": _page("/ui/clips"),
    "playbooks": _page("/ui/playbooks"),
    "playbook": _page("/ui/playbooks/default"),
    "draft": _page("/ui/playbooks/default/draft"),
    "phone-calls": _page("/"),
    "phone-call": _page(DEMO),
}
EMPTY_PICTURES: dict[str, Callable[[Page, str], None]] = {
    "login": _page("/ui/login"),
    "first-call": _signed_in,
}


if __name__ == "__main__":
    main()
