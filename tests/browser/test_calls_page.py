"""The list of calls in a browser."""

from __future__ import annotations

from collections.abc import Callable

from tests.browser.site import Site
from tests.browser.visitor import Visitor

Visit = Callable[..., Visitor]


def test_pages_of_the_list(site: Site, visit: Visit) -> None:
    page = visit("/").page
    assert page.locator("tr.call").count() == 30
    page.get_by_role("link", name="Older calls").click()
    page.get_by_role("link", name="Newest calls").wait_for()
    assert 0 < page.locator("tr.call").count() < 30
