"""What the documents link to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.process.service import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ADDRESS = re.compile(r"""\]\(([^)\s]+)\)|\b(?:src|srcset)="([^"]+)\"""")
MOST_IMAGE_BYTES = 3_000_000


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_pictures_lead_to_files(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = [link or picture for link, picture in ADDRESS.findall(text)]
    here = [address.partition("#")[0] for address in named if "://" not in address]
    assert [address for address in here if not (document.parent / address).exists()] == []


def test_pictures_stay_small_and_in_use() -> None:
    pictures = sorted((ROOT / "docs" / "images").glob("*.png"))
    words = "".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)
    assert [path.name for path in pictures if f"images/{path.name}" not in words] == []
    assert 0 < sum(path.stat().st_size for path in pictures) < MOST_IMAGE_BYTES
