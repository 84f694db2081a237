"""One service for all tests of pages; a browser for each file, as Playwright holds the event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import launched, needs_chromium
from tests.browser.site import Site, served
from tests.browser.visitor import Visitor, visiting

MADE_CALLS = 40
DEMO = "DEMO-001"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(needs_chromium)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """40 finished calls of five agents and two teams, and the demo call, analysed."""
    with served(tmp_path_factory.mktemp("site")) as made:
        for number in range(MADE_CALLS):
            made.add(f"MADE-{number:02}")
        assert made.service.post("/ui/demo").status_code == 303
        assert made.service.wait_for(DEMO)["status"] == "completed"
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as started:
        yield started


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors of the site: ``visit("/")``, with options of a browser's context."""
    with ExitStack() as stack:

        def opened(path: str = "/", **options: Any) -> Visitor:
            visitor = stack.enter_context(visiting(browser, site.url, **options))
            visitor.open(path)
            return visitor

        yield opened
