"""Figures that people quote about sales calls, with where they come from: guides, never pass marks."""

from __future__ import annotations

from app.schemas.metrics import Guide

_QUOTED = "often quoted in sales coaching; no primary source known"

GUIDES = (
    Guide("share_of_speech", 0.43, 0.43, "share", "Gong Labs 2016, talk to listen 43 : 57"),
    Guide("longest_monologue", None, 150.0, "seconds", _QUOTED),
    Guide("patience", 0.6, 1.0, "seconds", _QUOTED),
    Guide("words_per_minute", 100.0, 180.0, "words a minute", _QUOTED),
)
