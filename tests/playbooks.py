"""A playbook of one's own that finds other moments than the default one, and one of the same."""

from __future__ import annotations

from pathlib import Path

HEARD = "that is too expensive for us"
"""In this the default playbook finds a price objection, at its last four words."""
STRICT = """\
name: strict
version: "1"
rules:
  - id: strict_price
    type: objection
    subtype: price
    role: customer
    confidence: 0.9
    why: Why.
    tip: Tip.
    condition: {phrases: [too expensive for us]}
    match: [That is too expensive for us.]
    no_match: [That is fine.]
  - id: strict_confusion
    type: confusion
    role: customer
    confidence: 0.9
    why: Why.
    tip: Tip.
    condition: {phrases: [that is]}
    match: [That is it.]
    no_match: [This is it.]
"""
SILENT = """\
name: silent
version: "1"
rules:
  - id: never
    type: confusion
    role: customer
    confidence: 0.9
    why: Why.
    tip: Tip.
    condition: {phrases: [zwetschge]}
    match: [Zwetschge.]
    no_match: [This is it.]
"""


def write_playbooks(folder: Path) -> Path:
    """A folder for PLAYBOOK_DIR with both."""
    folder.mkdir(exist_ok=True)
    for name, text in (("strict", STRICT), ("silent", SILENT)):
        (folder / f"{name}.yaml").write_text(text)
    return folder
