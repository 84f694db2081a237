"""`python -m bench [--quick]`: runs the measurements; exits with 1 when a target is missed."""

from __future__ import annotations

import sys

from bench import (
    analysis_speed,
    call_list,
    call_search,
    database_growth,
    diarization,
    embedded_accuracy,
    health_latency,
    moments,
    pages_speed,
    roles,
    rules_speed,
    sentiment_speed,
    speech_length,
    speech_speed,
    startup,
    submit_rate,
    voice_activity,
    worker_throughput,
)
from bench.report import line


def main() -> None:
    quick = "--quick" in sys.argv
    measurements = [startup, health_latency, submit_rate, roles, moments, sentiment_speed, analysis_speed]
    if not quick:
        measurements += [worker_throughput, call_list, pages_speed, call_search, database_growth]
        measurements += [embedded_accuracy, diarization, voice_activity]
    figures = [figure for measurement in measurements for figure in measurement.measure()]
    figures += [
        figure
        for timed in (rules_speed, speech_speed, speech_length)
        for figure in timed.measure(quick=quick)
    ]
    missed = [figure for figure in figures if figure.met is False]
    print(f"\n{len(figures)} figures, {len(missed)} targets missed")
    for figure in figures:
        print(line(figure))
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
