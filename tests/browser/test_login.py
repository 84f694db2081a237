"""A new service with keys, seen by somebody who has one: the login, and how the first call gets in."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DEMO
from tests.browser.site import Site, served
from tests.browser.visitor import PHONE, Visitor, visiting

KEY = "a-key-of-this-service"


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("keyed"), api_keys=f"{KEY},another-key") as site:
        yield site


@pytest.fixture
def visitor(browser: Browser, keyed: Site) -> Iterator[Visitor]:
    with visiting(browser, keyed.url) as one:
        yield one


def sign_in(page: Page, key: str = KEY) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def test_only_a_known_key_leads_in_and_nothing_without_it(keyed: Site, visitor: Visitor) -> None:
    visitor.expects("status of 401")
    page = visitor.page
    visitor.open("/ui/agents")
    expect(page).to_have_url(f"{keyed.url}/ui/login?next=/ui/agents")
    assert visitor.barriers() == []
    sign_in(page, "wrong")
    expect(page.get_by_text("This key is not known here.")).to_be_visible()
    assert visitor.barriers() == []
    sign_in(page)
    expect(page).to_have_url(f"{keyed.url}/ui/agents")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert visitor.open(f"/calls/{DEMO}/audio").status == 401
    visitor.open("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_cookie_is_for_this_site_and_for_no_script(keyed: Site, visitor: Visitor) -> None:
    visitor.open("/")
    sign_in(visitor.page)
    visitor.page.get_by_role("heading", name="Calls", level=1).wait_for()
    (cookie,) = visitor.page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert KEY not in cookie["value"]
    assert visitor.page.evaluate("() => document.cookie") == ""


@pytest.mark.parametrize(
    "options", [{}, {"viewport": PHONE, "color_scheme": "dark"}], ids=["laptop", "phone"]
)
def test_an_empty_service_says_how_to_begin(
    keyed: Site, browser: Browser, options: dict[str, object]
) -> None:
    with visiting(browser, keyed.url, **options) as visitor:
        visitor.open("/")
        sign_in(visitor.page)
        expect(visitor.page.get_by_role("heading", name="Add the first call")).to_be_visible()
        expect(visitor.page.locator(".command")).to_contain_text(f"curl {keyed.url}/calls -H")
        for path in ("/", "/ui/agents", "/ui/clips", "/ui/playbooks"):
            visitor.open(path)
            assert visitor.barriers() == []
            assert visitor.overflow_px() == 0


def test_the_demo_call_comes_in_by_one_click_and_is_heard(keyed: Site, visitor: Visitor) -> None:
    page = visitor.page
    visitor.open("/")
    sign_in(page)
    page.get_by_role("button", name="Analyse the demo call").click()
    expect(page.locator("tr.call .status")).to_have_text("Done", timeout=90_000)
    page.locator(".call-link").click()
    expect(page.locator("#tracks.has-wave")).to_be_visible()
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("() => document.getElementById('audio').currentTime > 0.5")


@pytest.mark.parametrize(
    ("path", "field", "button"),
    [
        ("/ui/playbooks/-/new", "Text, in YAML", "Keep as draft"),
        (f"/ui/calls/{DEMO}#comments-panel", "Comment", "Comment"),
    ],
    ids=["draft", "comment"],
)
def test_what_was_written_outlives_the_session(
    keyed: Site, visitor: Visitor, path: str, field: str, button: str
) -> None:
    """The demo call is there since the test before."""
    visitor.expects("status of 401", "status of 422")
    page = visitor.page
    visitor.open("/")
    sign_in(page)
    page.get_by_role("heading", name="Calls", level=1).wait_for()
    visitor.open(path)
    if "comments" in path:
        page.get_by_role("tab", name="Comments").click()
    text = page.get_by_label(field, exact=True)
    text.fill("name: written for long")
    page.context.clear_cookies()
    page.get_by_role("button", name=button, exact=True).click()
    sign_in(page)
    expect(page.get_by_text("What you wrote before you signed in stands here again.")).to_be_visible()
    expect(text).to_have_value("name: written for long")
    visitor.open("/")
    visitor.open(path)
    expect(text).not_to_have_value("name: written for long")
