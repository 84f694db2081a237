"""Who is let in, and how slowly one can guess."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app.core.door import FAMILIAR_S, Door
from app.core.exceptions import TooManyWrongKeys, Unauthorized
from app.core.guesses import LIMIT, MOST_SOURCES, WINDOW_S
from app.core.sessions import LASTS_S, Sessions
from tests.core.clocks import Clock

KEYS = (SecretStr("right"), SecretStr("other"))
NOW = 1_790_000_000.0


@dataclass
class Entrance:
    """A door with a clock that tests set. Answers are `in`, 401 or 429."""

    clock: Clock = field(default_factory=Clock)
    wall_clock: Clock = field(default_factory=lambda: Clock(NOW))

    def __post_init__(self) -> None:
        self.door = Door(KEYS, self.clock, self.wall_clock)

    def ask(self, key: str, source: str = "here") -> str:
        try:
            self.door.admit(source, key)
        except (Unauthorized, TooManyWrongKeys) as error:
            return str(error.status)
        return "in"

    def guess(self, times: int, source: str = "here") -> list[str]:
        return [self.ask(f"wrong {number}", source) for number in range(times)]


@cache
def of_key(key: str) -> Sessions:
    """Sessions begun at ``NOW`` by whoever knows or supposes this key."""
    return Sessions([SecretStr(key)], clock=lambda: NOW)


def cookie_by(key: str) -> str:
    return of_key(key).open(0)


def test_after_some_wrong_keys_the_source_has_to_wait() -> None:
    entrance = Entrance()
    assert entrance.guess(100) == ["401"] * LIMIT + ["429"] * (100 - LIMIT)
    entrance.clock.now += 60.5
    with pytest.raises(TooManyWrongKeys) as told:
        entrance.door.admit("here", "wrong")
    assert told.value.retry_after_s == WINDOW_S - 60
    entrance.clock.now += WINDOW_S - 60.5
    assert entrance.ask("right") == "in"


def test_then_a_right_key_is_answered_as_a_wrong_one_is() -> None:
    entrance = Entrance()
    entrance.guess(LIMIT)
    told = []
    for key in ("right", "wrong 0", "never seen"):
        with pytest.raises(TooManyWrongKeys) as refused:
            entrance.door.admit("here", key)
        told.append((refused.value.detail, refused.value.retry_after_s))
    assert len(set(told)) == 1


def test_other_sources_do_not_notice() -> None:
    entrance = Entrance()
    entrance.guess(100)
    assert entrance.ask("right", "elsewhere") == "in"
    assert entrance.ask("wrong", "elsewhere") == "401"


def test_clients_that_work_behind_the_same_address_go_on() -> None:
    entrance = Entrance()
    assert entrance.ask("right") == "in"
    entrance.guess(100)
    assert entrance.ask("right") == "in"
    assert entrance.ask("other") == "429"
    entrance.clock.now += WINDOW_S
    assert entrance.ask("other") == "in"


def test_an_address_is_known_for_a_key_a_day() -> None:
    entrance = Entrance()
    entrance.ask("right")
    entrance.clock.now += FAMILIAR_S - 1
    entrance.guess(LIMIT)
    assert entrance.ask("right") == "in"
    entrance.clock.now += FAMILIAR_S
    entrance.guess(LIMIT)
    assert entrance.ask("right") == "429"


def test_one_outdated_key_sent_on_and_on_shuts_nobody_out() -> None:
    entrance = Entrance()
    assert [entrance.ask("outdated") for _ in range(100)] == ["401"] * LIMIT + ["429"] * (100 - LIMIT)
    assert entrance.ask("right") == "in"
    assert entrance.ask("mistyped") == "429"
    entrance.clock.now += WINDOW_S
    assert entrance.ask("outdated") == "401"


def test_the_log_names_the_source_once(caplog: pytest.LogCaptureFixture) -> None:
    entrance = Entrance()
    with caplog.at_level(logging.WARNING, "app.core.door"):
        entrance.guess(100, "192.0.2.7")
    assert [(record.msg, record.source) for record in caplog.records] == [("access.guessing", "192.0.2.7")]
    assert "wrong 3" not in caplog.text


def test_many_at_a_time_try_no_more_keys_than_one_after_the_other() -> None:
    entrance = Entrance()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(entrance.ask, [f"wrong {number}" for number in range(2000)]))
    assert answers.count("401") == LIMIT
    assert answers.count("429") == 2000 - LIMIT


WRONG = st.integers(0, 3 * LIMIT)
SENT = st.one_of(
    st.sampled_from(["right", "other"]).map(lambda key: [key]),
    st.tuples(WRONG, st.integers(1, LIMIT)).map(lambda run: [f"wrong {run[0] + n}" for n in range(run[1])]),
)
ASKED = st.tuples(st.sampled_from(["here", "there"]), SENT, st.floats(0, WINDOW_S / 4))


@given(st.lists(ASKED, max_size=40))
def test_whatever_comes_few_keys_are_tried_and_working_clients_work(
    asked: list[tuple[str, list[str], float]],
) -> None:
    entrance = Entrance()
    tried: dict[str, dict[str, float]] = {"here": {}, "there": {}}
    working: set[tuple[str, str]] = set()
    for source, keys, pause_s in asked:
        entrance.clock.now += pause_s
        of_source = tried[source]
        if of_source and entrance.clock.now >= next(iter(of_source.values())) + WINDOW_S:
            of_source.clear()
        for key in keys:
            answer = entrance.ask(key, source)
            if key.startswith("wrong"):
                assert answer == "429" if len(of_source) == LIMIT else answer != "in"
                if len(of_source) < LIMIT:
                    of_source.setdefault(key, entrance.clock.now)
            elif (source, key) in working or len(of_source) < LIMIT:
                assert answer == "in"
                working.add((source, key))
            else:
                assert answer == "429"


def test_forged_cookies_are_looked_at_no_longer_than_keys_and_by_themselves() -> None:
    entrance = Entrance()
    for number in range(LIMIT):
        assert entrance.door.session("here", cookie_by(f"wrong {number}")) is None
    assert entrance.door.session("here", cookie_by("right")) is None
    assert entrance.door.session("elsewhere", cookie_by("right")) is not None
    value = entrance.door.sign_in("here", "right")
    assert entrance.door.session("here", value) is not None
    assert entrance.door.session("here", cookie_by("other")) is None
    assert entrance.ask("wrong") == "401"


def test_a_session_goes_on_while_others_of_its_address_guess() -> None:
    entrance = Entrance()
    value = entrance.door.sign_in("here", "right")
    entrance.guess(100)
    for number in range(LIMIT):
        entrance.door.session("here", cookie_by(f"wrong {number}"))
    assert entrance.door.session("here", value) is not None


def test_sessions_that_are_over_are_no_guesses() -> None:
    entrance = Entrance()
    entrance.wall_clock.now += LASTS_S
    for _ in range(3 * LIMIT):
        assert entrance.door.session("here", cookie_by("other")) is None
    entrance.wall_clock.now -= 1
    assert entrance.door.session("here", cookie_by("right")) is not None


def test_a_cookie_that_is_sent_on_and_on_is_one_guess() -> None:
    entrance = Entrance()
    outdated = cookie_by("a key of before")
    for _ in range(3 * LIMIT):
        assert entrance.door.session("here", outdated) is None
    assert entrance.door.session("here", cookie_by("right")) is not None


def test_of_working_clients_no_more_are_remembered_than_of_guessers() -> None:
    entrance = Entrance()
    for number in range(MOST_SOURCES + 1):
        entrance.ask("right", f"source {number}")
    assert len(entrance.door._familiar._used_at) == MOST_SOURCES
    entrance.guess(LIMIT, "source 0")
    assert entrance.ask("right", "source 0") == "429"
    entrance.guess(LIMIT, "source 1")
    assert entrance.ask("right", "source 1") == "in"
