"""A visitor of the pages: a browser's page that takes note of whatever must not happen on one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Response, expect

WATCHER = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`forbidden by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
});
window.xss = () => console.error("a payload ran");
"""
LAPTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 720}
PATIENCE_MS = 30_000
NOT_SERIOUS = ("minor", "moderate")
AXE = Axe()
expect.set_options(timeout=PATIENCE_MS)


class Visitor:
    """Drives ``page``. What goes wrong on the way is in ``troubles``, but for what was ``expected``."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self._troubles: list[str] = []
        self._expected: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._troubles.append(f"error: {error}"))
        page.on("dialog", self._refuse)

    def open(self, path: str) -> Response:
        answer = self.page.goto(f"{self.url}{path}")
        assert answer is not None
        return answer

    def expects(self, *patterns: str) -> None:
        """Messages of the console that belong to the test, such as that of an answer of 401."""
        self._expected += patterns

    @property
    def troubles(self) -> list[str]:
        return [one for one in self._troubles if not any(re.search(known, one) for known in self._expected)]

    def overflow_px(self) -> int:
        """By how much the page is wider than its window."""
        wider: int = self.page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wider

    def barriers(self, part: str = "html", *, least_serious: bool = False) -> list[str]:
        """What axe finds serious or critical (or, asked for, the rest) in a part: rule and elements."""
        # Whatever fades in is judged as it looks in the end.
        self.page.evaluate("() => document.getAnimations().forEach((one) => one.finish())")
        found: dict[str, Any] = AXE.run(self.page, part).response
        return [
            f"{one['id']} ({one['impact']}) at {[node['target'] for node in one['nodes'][:5]]}:"
            f" {one['nodes'][0].get('failureSummary', '')}"
            for one in found["violations"]
            if (one["impact"] in NOT_SERIOUS) is least_serious
        ]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            place = message.location.get("url", "")
            self._troubles.append(f"{message.type}: {message.text} ({place})")

    def _refuse(self, dialog: Dialog) -> None:
        self._troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@contextmanager
def visiting(browser: Browser, url: str, **options: Any) -> Iterator[Visitor]:
    """A visitor with cookies and a storage of its own; nothing may have gone wrong when it leaves."""
    scripts = options.get("java_script_enabled", True)
    context = browser.new_context(**{"viewport": LAPTOP, "locale": "en-GB", "timezone_id": "UTC", **options})
    context.set_default_timeout(PATIENCE_MS)
    if scripts:
        context.add_init_script(WATCHER)
    visitor = Visitor(context.new_page(), url)
    try:
        yield visitor
    finally:
        context.close()
    assert not visitor.troubles, visitor.troubles
