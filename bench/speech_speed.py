"""`POST /transcribe` by faster_whisper against `whisper.transcribe`, in one run, with base's dimensions."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.core.config import available_cores
from app.schemas.audio import SAMPLE_RATE
from bench.report import Figure, refuse_foreign_load, write
from bench.speech_calls import Samples, SpeechCalls, channels_of
from bench.whisper_weights import write_checkpoint
from tests.process.service import Service, running, start, write_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LENGTH_S, QUICK_LENGTH_S = 600.0, 120.0
SILENT_SHARE = 0.45
TOKENS = 92
"""In a window of speech: some 150 words a minute."""
LEAST_TOKENS = 8
ROUNDS = 2
SAME_WEIGHTS, AS_MANY_TOKENS, WITH_WORDS = "the same weights", "as many tokens in all", "and word times"
"""Plain Whisper with the service's own checkpoint says as much in a silent window as in one of speech; with
one that says less, silence gives it more windows to encode, not more to say; then with times of words too."""


@dataclass(frozen=True)
class Run:
    """One call through the service: seconds by stage of its log, and what the engine was given."""

    wall_s: float
    stages: dict[str, float]
    engine_s: float
    windows: int

    @property
    def around_s(self) -> float:
        """HTTP, decoding, alignment, rules, database and the way between the processes."""
        others = (self.stages.get(stage, 0.0) for stage in ("voice_activity", "diarization", "sentiment"))
        return self.wall_s - self.engine_s - sum(others)


@dataclass(frozen=True)
class Comparison:
    runs: list[Run]
    plain_s: dict[str, float]
    plain_windows: int
    plain_tokens: int

    @property
    def service_s(self) -> float:
        return statistics.median(run.wall_s for run in self.runs)


def measure(*, quick: bool = False) -> list[Figure]:
    refuse_foreign_load()
    length_s = QUICK_LENGTH_S if quick else LENGTH_S
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = SpeechCalls(folder)
        two = made.two_channel("two", length_s, SILENT_SHARE)
        one = made.mixed("one", length_s, 0.0)
        short = made.two_channel("short", 10.0, 0.0)
        checkpoint = write_checkpoint(folder / "base-like.pt", "base", TOKENS)
        write_script(folder)
        settings = {"stt_provider": "faster_whisper", "whisper_model_size": str(checkpoint)}
        with running(folder, **settings) as service:
            _post(service, short, "WARM")
            found = {call.stem: _compared(service, checkpoint, call, length_s) for call in (two, one)}
        alive_s, first_s = _first_transcript(folder, short, settings)
    figures = _figures(found, length_s, alive_s, first_s)
    details = {name: _details(comparison) for name, comparison in found.items()}
    write("speech_speed", figures, lambda axes: _draw(axes, found), details)
    return figures


def _figures(found: dict[str, Comparison], length_s: float, alive_s: float, first_s: float) -> list[Figure]:
    two, one = found["two"], found["one"]
    minutes = f"{length_s / 60:.0f} min"
    around = statistics.median(run.around_s / run.engine_s for run in two.runs)
    return [
        Figure(f"two channels, {minutes}, {SILENT_SHARE:.0%} silent: POST /transcribe", two.service_s, "s"),
        Figure(
            "  times faster than whisper.transcribe on each channel", _ratio(two), "x", 4.0, at_most=False
        ),
        Figure(f"  times faster, {AS_MANY_TOKENS}", _ratio(two, AS_MANY_TOKENS), "x"),
        Figure(f"  times faster, {AS_MANY_TOKENS} {WITH_WORDS}", _ratio(two, WITH_WORDS), "x"),
        Figure(f"one channel, {minutes}, no silence: POST /transcribe", one.service_s, "s"),
        Figure("  times faster than whisper.transcribe", _ratio(one), "x", 1.4, at_most=False),
        Figure(f"  times faster, {AS_MANY_TOKENS}", _ratio(one, AS_MANY_TOKENS), "x"),
        Figure(f"  times faster, {AS_MANY_TOKENS} {WITH_WORDS}", _ratio(one, WITH_WORDS), "x"),
        Figure("HTTP, decode, align, rules, database over the engine call", 100 * around, "%", 5.0),
        Figure("first answer of /health after the start", alive_s, "s", 2.0),
        Figure("first transcript (10 s) after the start", first_s, "s"),
    ]


def _compared(service: Service, checkpoint: Path, recording: Path, length_s: float) -> Comparison:
    """The service first and last, plain Whisper between, so that a machine that slows down is seen."""
    runs = [_post(service, recording, f"{recording.stem}-0")]
    channels = channels_of(recording, service.folder, length_s)
    windows = len(channels) * -(-round(length_s) // 30)
    tokens = max(LEAST_TOKENS, round(runs[0].windows * TOKENS / windows))
    weights = write_checkpoint(service.folder / "plain.pt", "base", tokens)
    plain_s = {
        SAME_WEIGHTS: _plain(checkpoint, channels, windows, word_times=False),
        AS_MANY_TOKENS: _plain(weights, channels, windows, word_times=False),
        WITH_WORDS: _plain(weights, channels, windows, word_times=True),
    }
    runs += [_post(service, recording, f"{recording.stem}-{number}") for number in range(1, ROUNDS)]
    return Comparison(runs, plain_s, windows, tokens)


def _post(service: Service, recording: Path, call_id: str) -> Run:
    before = len(service.log_lines())
    began = time.perf_counter()
    answer = service.post(
        "/transcribe",
        files={"audio": (recording.name, recording.read_bytes())},
        data={"call_id": call_id, "language": "en"},
        timeout=None,
    )
    wall_s = time.perf_counter() - began
    answer.raise_for_status()
    lines = service.log_lines()[before:]
    heard = [line for line in lines if line["event"] == "stt.windows_done"]
    return Run(
        wall_s,
        {line["stage"]: line["seconds"] for line in lines if line["event"] == "stage.ended"},
        sum(line["took_s"] for line in heard),
        sum(line["windows"] for line in heard),
    )


def _plain(weights: Path, channels: list[Samples], windows: int, *, word_times: bool) -> float:
    """Seconds that openai-whisper takes for all channels."""
    import torch
    import whisper

    torch.set_num_threads(available_cores())
    model = whisper.load_model(str(weights), device="cpu")
    _transcribed(model, channels[0][: 30 * SAMPLE_RATE], word_times)
    began = time.perf_counter()
    decoded = sum(_transcribed(model, samples, word_times) for samples in channels)
    took_s = time.perf_counter() - began
    if decoded != windows:
        raise RuntimeError(f"whisper.transcribe decoded {decoded} windows, not {windows}")
    return took_s


def _transcribed(model: Any, samples: Samples, word_times: bool) -> int:
    """Windows that were decoded."""
    result = model.transcribe(
        samples,
        language="en",
        temperature=0.0,
        condition_on_previous_text=False,
        word_timestamps=word_times,
        fp16=False,
        verbose=None,
    )
    return len({segment["seek"] for segment in result["segments"]})


def _first_transcript(folder: Path, recording: Path, settings: dict[str, str]) -> tuple[float, float]:
    """Seconds from the start of the process to /health, and to the transcript of a call sent at once."""
    began = time.monotonic()
    service = start(folder, **settings)
    try:
        alive_s = time.monotonic() - began
        _post(service, recording, "FIRST")
        return alive_s, time.monotonic() - began
    finally:
        service.stop()


def _ratio(found: Comparison, against: str = SAME_WEIGHTS) -> float:
    return found.plain_s[against] / found.service_s


def _details(found: Comparison) -> dict[str, Any]:
    return {
        "service": [vars(run) for run in found.runs],
        "tokens_a_window": TOKENS,
        "plain_s": found.plain_s,
        "plain_windows": found.plain_windows,
        "plain_tokens_a_window": found.plain_tokens,
    }


def _draw(axes: Axes, found: dict[str, Comparison]) -> None:
    names, values = [], []
    for case, comparison in found.items():
        label = "two channels" if case == "two" else "one channel"
        names += [f"{label}: service", *(f"{label}: {name}" for name in comparison.plain_s)]
        values += [comparison.service_s, *comparison.plain_s.values()]
    axes.barh(names, values, color=["#c77d2e", *["#3b6ea8"] * 3] * len(found))
    axes.invert_yaxis()
    axes.set_xlabel("seconds")
    axes.tick_params(axis="y", labelsize=7)


if __name__ == "__main__":
    measure(quick="--quick" in sys.argv)
