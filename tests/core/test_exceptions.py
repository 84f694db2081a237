"""Errors cross the engine process's pipe whole."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from app.core import exceptions
from app.core.exceptions import AppError, EngineUnavailable, StageFailed, ValidationFailed

README = Path(__file__).parents[2] / "README.md"


def all_errors() -> list[type[AppError]]:
    found, waiting = [], [AppError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return found


def test_codes_are_stable_names_and_statuses_are_errors() -> None:
    for kind in all_errors():
        assert kind.code.replace("_", "").isalpha()
        assert kind.code == kind.code.lower()
        assert 400 <= kind.status <= 599


def codes_in_readme() -> set[tuple[int, str]]:
    """Of its table of errors: each code with each status of its row."""
    text = README.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d{3}(?:, \d{3})*) \| (.*) \|$", text, re.MULTILINE)
    return {
        (int(status), code)
        for statuses, codes in rows
        for status in statuses.split(", ")
        for code in re.findall(r"`([a-z_]+)`", codes)
    }


def test_the_readme_names_every_code_beside_its_status() -> None:
    of_clients = [kind for kind in all_errors() if not issubclass(kind, exceptions.ConfigurationError)]
    codes = [(kind, vars(kind).get("own_code") or vars(kind).get("code")) for kind in of_clients]
    told = {(kind.status, code) for kind, code in codes if code and kind.__module__.startswith("app.core")}
    assert len(told) > 60
    assert told - codes_in_readme() == set()


@pytest.mark.parametrize(
    "error",
    [
        EngineUnavailable("stt", "no engine", retry_after_s=7),
        StageFailed("sentiment", "it broke"),
        ValidationFailed("text: is empty", errors=[{"field": "text", "message": "is empty"}]),
        exceptions.CallFailed("stt_failed", 500, "as stored"),
        exceptions.UndecodableAudio(),
    ],
)
def test_pickling_keeps_everything_that_a_client_sees(error: AppError) -> None:
    error.context = {"call_id": "CALL-1"}
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
    assert (again.code, again.status) == (error.code, error.status)


def test_the_stage_is_part_of_the_code() -> None:
    assert EngineUnavailable("stt").code == "stt_unavailable"
    assert StageFailed("sentiment").code == "sentiment_failed"
