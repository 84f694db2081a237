"""The browser that the tests of pages drive: Debian's Chromium, or the one that CHROMIUM_PATH names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
HOW_TO = "no Chromium here: apt-get install chromium (or CHROMIUM_PATH=/path/of/another)"


def chromium_path() -> str | None:
    """None where there is no browser; one that CHROMIUM_PATH names and that is not there fails later."""
    return os.environ.get("CHROMIUM_PATH") or next(filter(None, map(shutil.which, NAMES)), None)


needs_chromium = pytest.mark.skipif(chromium_path() is None, reason=HOW_TO)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser without a window. It plays sound to nowhere."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path(), args=["--no-sandbox", "--mute-audio"]
        )
        try:
            yield browser
        finally:
            browser.close()
