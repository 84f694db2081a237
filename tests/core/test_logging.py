"""Log lines are JSON with the ids of the work in hand."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from app.core.logging import JsonFormatter, log_fields


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("test.lines")
    logger.addHandler(handler)
    logger.setLevel("INFO")
    logger.propagate = False
    yield stream
    logger.removeHandler(handler)


def test_a_line_carries_event_fields_and_context(lines: io.StringIO) -> None:
    with log_fields(request_id="r1"), log_fields(call_id="c1"):
        logging.getLogger("test.lines").info("stage.ended", extra={"stage": "decode", "seconds": 1.5})
    line = json.loads(lines.getvalue())
    assert line["event"] == "stage.ended"
    assert (line["request_id"], line["call_id"], line["stage"], line["seconds"]) == (
        "r1",
        "c1",
        "decode",
        1.5,
    )


def test_hostile_text_stays_on_one_line(lines: io.StringIO) -> None:
    logging.getLogger("test.lines").info("x", extra={"value": 'a\nb\r{"event": "forged"}'})
    assert len(lines.getvalue().splitlines()) == 1
    assert json.loads(lines.getvalue())["value"] == 'a\nb\r{"event": "forged"}'


def test_a_traceback_is_a_field(lines: io.StringIO) -> None:
    try:
        raise ValueError("no")
    except ValueError:
        logging.getLogger("test.lines").exception("it.broke")
    line = json.loads(lines.getvalue())
    assert line["error"] == "ValueError"
    assert "test_logging" in line["traceback"]


def test_context_ends_with_its_block(lines: io.StringIO) -> None:
    with log_fields(call_id="c1"):
        pass
    logging.getLogger("test.lines").info("later")
    assert "call_id" not in json.loads(lines.getvalue())
