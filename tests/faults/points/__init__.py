"""Processes with fault points, and the file that tells them what to do there."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from app.workers.progress import WEIGHTS

STAGES = tuple(WEIGHTS)
"""In their order."""
HERE = Path(__file__).resolve().parent


def with_points(folder: Path) -> dict[str, str]:
    """What to start processes with, so that they read ``folder``/points.json and go through every stage."""
    path = os.pathsep.join(filter(None, (str(HERE), os.environ.get("PYTHONPATH"))))
    every_stage = {"coachable_classifier": "embedding"}
    return {"pythonpath": path, "fault_points": str(folder / "points.json"), **every_stage}


def set_points(folder: Path, **points: Any) -> None:
    """From now on; see ``sitecustomize``."""
    new = folder / "points.new"
    new.write_text(json.dumps(points))
    new.replace(folder / "points.json")


def reached(folder: Path) -> list[str]:
    """The stages that were begun in any process, in their order."""
    path = folder / "points.reached"
    return path.read_text().split() if path.exists() else []


def linger_everywhere(folder: Path, seconds: float) -> None:
    """Let every stage take so much longer, so that each can be met."""
    set_points(folder, linger_s=dict.fromkeys(STAGES, seconds))
