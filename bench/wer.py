"""Every file of `../shared/audio` through the whole service, and word error rates where words are known.

`python -m bench.wer [PROVIDER]`: of the embedded recogniser, or of the engine named; the service reads its
other settings (WHISPER_MODEL_SIZE, …) from the environment.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench.report import Figure, write
from tests.process.service import ROOT, Service, running, write_script

if TYPE_CHECKING:
    import httpx
    from matplotlib.axes import Axes

SHARED = ROOT.parent / "shared" / "audio"
HUMAN = "human"
KNOWN = {"well-known-text", "prompt-text", "test-assertion"}
"""References that nobody wrote down by listening, yet can be trusted; shown apart."""
PASSED_ON = (
    "WHISPER_MODEL_SIZE", "WHISPER_MODEL_DIR", "STT_COMPUTE_TYPE", "STT_API_BASE", "STT_API_KEY",
    "STT_API_MODEL", "ALLOW_EXTERNAL_ENGINES",
)  # fmt: skip
LEAST_MEDIAN_WORDS = 5
"""A word in a reference of one or two is all or nothing: the median is over longer ones."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file. ``answer``: status of the call, or the code of the problem; None for neither.

    ``rate``: word error rate, None without a reference or a result.
    """

    file: str
    language: str
    quality: str
    http: int
    answer: str | None
    words: int
    reference_words: int = 0
    rate: float | None = None


def measure(provider: str = "pocketsphinx") -> list[Figure]:
    """All figures are empty where the recordings are not there."""
    entries = _entries()
    if not entries:
        print(f"the recordings are not in {SHARED}")
        return []
    settings = {name.lower(): os.environ[name] for name in PASSED_ON if name in os.environ}
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        write_script(Path(folder))
        with running(Path(folder), **{**settings, "stt_provider": provider}) as service:
            for entry in entries:
                outcomes.append(_outcome(service, entry))
                print(line(outcomes[-1]), flush=True)
    figures = summary(provider, outcomes)
    details = {"outcomes": [asdict(outcome) for outcome in outcomes]}
    write(f"wer_{provider}", figures, lambda axes: _draw(axes, outcomes), details)
    return figures


def summary(provider: str, outcomes: Sequence[Outcome]) -> list[Figure]:
    handled = sum(outcome.answer is not None for outcome in outcomes)
    figures = [
        Figure(
            f"{provider}: files answered, of {len(outcomes)}", handled, "files", len(outcomes), at_most=False
        )
    ]
    for name, qualities in (("human references", {HUMAN}), ("other trusted references", KNOWN)):
        judged = [each for each in outcomes if each.quality in qualities and each.rate is not None]
        if not judged:
            continue
        figures.append(Figure(f"{provider}: WER, {name}, {len(judged)} files", total_rate(judged), ""))
        longer = [each.rate or 0.0 for each in judged if each.reference_words >= LEAST_MEDIAN_WORDS]
        if longer:
            figures.append(Figure(f"{provider}: median WER of files, {name}", median(longer), ""))
    return figures


def total_rate(outcomes: Sequence[Outcome]) -> float:
    """Errors over words, all files together."""
    errors = sum((outcome.rate or 0.0) * outcome.reference_words for outcome in outcomes)
    return errors / sum(outcome.reference_words for outcome in outcomes)


def word_error_rate(reference: str, heard: str) -> float:
    """Words wrong, missing or too many, as a share of the reference's words (jiwer, case and signs aside)."""
    import jiwer

    return float(jiwer.wer(normalised(reference), normalised(heard) or "<nothing>"))


def normalised(text: str) -> str:
    """Lower case, without punctuation but for apostrophes in words; numbers are left as they are."""
    return " ".join(re.findall(r"\w+(?:'\w+)*", text.lower().replace("\u2019", "'").replace("_", " ")))


def line(outcome: Outcome) -> str:
    rate = "      " if outcome.rate is None else f"{outcome.rate:6.1%}"
    answer = outcome.answer or "NOT ANSWERED"
    return (
        f"{rate}  {outcome.http} {answer:<22} {outcome.words:4d} words  {outcome.language:<5}  {outcome.file}"
    )


def _entries() -> list[dict[str, Any]]:
    """The recordings of the manifest, and whatever else lies beside it."""
    manifest = SHARED / "manifest.json"
    if not manifest.is_file():
        return []
    entries: list[dict[str, Any]] = json.loads(manifest.read_text("utf-8"))
    known = {entry["file"] for entry in entries}
    others = sorted(path.name for path in SHARED.iterdir() if path.is_file() and path.name not in known)
    return entries + [{"file": name, "kind": "no recording"} for name in others]


def _outcome(service: Service, entry: dict[str, Any]) -> Outcome:
    language, quality = entry.get("language", ""), entry.get("reference_quality", entry.get("kind", ""))
    path = SHARED / entry["file"]
    fields = {"language": language} if re.fullmatch("[a-z]{2}", language) else {}
    answer = service.post(
        "/transcribe", files={"audio": (path.name, path.read_bytes())}, data=fields, timeout=None
    )
    body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    heard = str(body.get("transcript") or "")
    reference = str(entry.get("reference") or "")
    counted = len(normalised(reference).split())
    is_judged = counted > 0 and quality in {HUMAN, *KNOWN} and answer.is_success
    return Outcome(
        entry["file"], language, quality, answer.status_code, named(answer, body),
        len(heard.split()), counted, word_error_rate(reference, heard) if is_judged else None,
    )  # fmt: skip


def named(answer: httpx.Response, body: dict[str, Any]) -> str | None:
    """The call's status or the problem's code; None for an answer that is neither, or an internal error."""
    if answer.is_success:
        return str(body["status"]) if "status" in body and "transcript" in body else None
    is_problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    code = body.get("code") if is_problem else None
    return None if code is None or code == "internal_error" else str(code)


def _draw(axes: Axes, outcomes: Sequence[Outcome]) -> None:
    judged = sorted(
        (each for each in outcomes if each.rate is not None), key=lambda each: -(each.rate or 0.0)
    )
    colours = ["#3b6ea8" if each.quality == HUMAN else "#c77d2e" for each in judged]
    axes.barh([each.file for each in judged], [min(each.rate or 0.0, 1.5) for each in judged], color=colours)
    axes.set_xlabel("word error rate (cut at 1.5); orange: the reference is no transcript by ear")
    axes.tick_params(axis="y", labelsize=5)


if __name__ == "__main__":
    named_provider = sys.argv[1:2] or ["pocketsphinx"]
    found = measure(named_provider[0])
    sys.exit(1 if any(figure.met is False for figure in found) else 0)
