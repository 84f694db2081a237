"""How an analysed call looks in a terminal."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import Any

from app.schemas.moment import TimedMomentType

WIDTH = 96

_COLOURS = {"POSITIVE": "32", "NEGATIVE": "31", "NEUTRAL": "2", "moment": "33", "head": "1", "dim": "2"}
_SIGNS = {"POSITIVE": "+", "NEGATIVE": "-", "NEUTRAL": "·", None: " "}


def render_call(result: dict[str, Any], *, colour: bool | None = None) -> str:
    """A call result (as `POST /transcribe` answers it) for a person to read.

    ``colour``: None decides by whether standard output is a terminal and NO_COLOR is unset.
    """
    paint = _painter(sys.stdout.isatty() and "NO_COLOR" not in os.environ if colour is None else colour)
    lines = [*_heading(result, paint), ""]
    waiting = [moment for moment in result["moments"] if moment["segment"] is None]
    for segment in result["segments"]:
        while waiting and waiting[0]["evidence"]["start_time"] < segment["start_time"]:
            lines += _call_moment(waiting.pop(0), paint)
        lines += _segment(segment, paint)
    for moment in waiting:
        lines += _call_moment(moment, paint)
    if not result["segments"]:
        lines.append("(nobody speaks in this recording)")
    return "\n".join([*lines, "", *_summary(result, paint)])


def _heading(result: dict[str, Any], paint: Any) -> list[str]:
    engines = ", ".join(f"{stage} {label}" for stage, label in result["engines"].items())
    length = clock(result["duration_seconds"] or 0)
    language = result["language"] or "no speech"
    lines = [
        paint("head", f"{result['call_id']}  {result['status']}  {length}  {language}"),
        paint("dim", f"engines: {engines}"),
    ]
    for notice in result["warnings"]:
        text = f"! {notice['stage']}: {notice['message']}"
        lines += [paint("moment", line) for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]
    return lines


def _segment(segment: dict[str, Any], paint: Any) -> list[str]:
    speaker = segment["role"] if segment["role"] != "unknown" else segment["speaker"]
    sign = _SIGNS[segment["sentiment"]]
    label = f"{clock(segment['start_time'])}  {sign} {speaker:<10} "
    indent = " " * len(label)
    lines = textwrap.wrap(segment["text"], WIDTH, initial_indent=label, subsequent_indent=indent)
    painted = [
        paint(segment["sentiment"] or "dim", lines[0][: len(label)]) + lines[0][len(label) :],
        *lines[1:],
    ]
    for moment in segment["moments"]:
        painted += _moment(moment, indent, paint)
    return painted


def _call_moment(moment: dict[str, Any], paint: Any) -> list[str]:
    start = f"{clock(moment['evidence']['start_time'])}  "
    first, *rest = _moment(moment, " " * len(start), paint)
    return [first.replace(" " * len(start), start, 1), *rest]


def _moment(moment: dict[str, Any], indent: str, paint: Any) -> list[str]:
    kind = moment["type"].replace("_", " ") + (f", {moment['subtype']}" if moment["subtype"] else "")
    evidence = moment["evidence"]
    if moment["type"] in tuple(TimedMomentType):
        shown = f"{evidence['end_time'] - evidence['start_time']:.1f} s"
    else:
        shown = f"“{evidence['text']}”"
    tip = textwrap.wrap(moment["tip"], WIDTH - len(indent) - 2)
    return [
        paint("moment", f"{indent}> {kind} ({moment['confidence']:.0%}): {shown}"),
        *(paint("dim", f"{indent}  {line}") for line in tip),
    ]


def _summary(result: dict[str, Any], paint: Any) -> list[str]:
    kinds: dict[str, int] = {}
    for moment in result["moments"]:
        kinds[moment["type"]] = kinds.get(moment["type"], 0) + 1
    listed = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in sorted(kinds.items()))
    total = sum(kinds.values())
    moments = f"{total} coachable moment{'s' if total != 1 else ''} of {len(kinds)} kinds"
    found = [paint("head", moments), listed] if kinds else [paint("head", "no coachable moments")]
    return [*found, *_talk(result["metrics"])]


def _talk(metrics: dict[str, Any] | None) -> list[str]:
    """How the talk was shared and how quickly it changed hands, as far as that is known."""
    if metrics is None or metrics["share_of_speech"] is None:
        return []
    share = metrics["share_of_speech"]
    told = [f"agent {share:.0%} : customer {1 - share:.0%} of what is said"]
    if metrics["patience"]:
        told.append(f"the agent waits {metrics['patience']['median_s']:.1f} s")
    if metrics["longest_monologue"]:
        longest = metrics["longest_monologue"]
        told.append(f"speaks for {longest['end_s'] - longest['start_s']:.0f} s at most")
    return [", ".join(told)]


def _painter(colour: bool) -> Any:
    def paint(kind: str, text: str) -> str:
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if colour else text

    return paint


def clock(seconds: float) -> str:
    """Minutes and seconds, ``01:05``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:02d}:{rest:02d}"
