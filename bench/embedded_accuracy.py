"""Word error rate of the embedded recogniser through the whole service: demo call, real recordings."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.report import Figure, write
from bench.wer import word_error_rate
from tests.process.service import ROOT, Service, running, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHARED = ROOT.parent / "shared" / "audio"
GOOD_REFERENCES = {"human", "well-known-text", "prompt-text", "test-assertion"}
TARGETS = {"demo call": 0.08, "jfk_16k.wav": 0.35}


def measure() -> list[Figure]:
    rates: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_script(Path(folder))
        with running(Path(folder), stt_provider="pocketsphinx") as service:
            for name, recording, reference in _cases():
                rates[name] = word_error_rate(reference, _heard(service, recording))
                print(f"{rates[name]:6.1%}  {name}", flush=True)
    figures = [Figure(f"WER, {name}", rate, "", TARGETS.get(name)) for name, rate in rates.items()]

    def draw(axes: Axes) -> None:
        shown = sorted(rates.items(), key=lambda item: -item[1])
        axes.barh([name for name, _ in shown], [min(rate, 1.5) for _, rate in shown], color="#3b6ea8")
        axes.set_xlabel("word error rate (cut at 1.5)")
        axes.tick_params(axis="y", labelsize=6)

    write("embedded_accuracy", figures, draw)
    return figures


def _cases() -> list[tuple[str, Path, str]]:
    script = json.loads((ROOT / "samples" / "demo_call.json").read_text())
    words = " ".join(turn["text"] for turn in script["turns"])
    cases = [("demo call", ROOT / "samples" / "demo_call.mp3", words)]
    if (SHARED / "manifest.json").exists():
        for entry in json.loads((SHARED / "manifest.json").read_text()):
            is_english = entry.get("language") == "en" and entry.get("container") != "raw"
            if is_english and entry.get("reference") and entry["reference_quality"] in GOOD_REFERENCES:
                cases.append((entry["file"], SHARED / entry["file"], entry["reference"]))
    return cases


def _heard(service: Service, recording: Path) -> str:
    answer = service.transcribe(recording.read_bytes(), language="en")
    answer.raise_for_status()
    return str(answer.json()["transcript"])


if __name__ == "__main__":
    measure()
