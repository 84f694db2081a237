"""Sessions of the pages: what opens one, what ends it, what a cookie gives away."""

from __future__ import annotations

from pydantic import SecretStr

from app.core.sessions import LASTS_S, Sessions

NOW = 1_790_000_000.0


def sessions(*keys: str, now: float = NOW) -> Sessions:
    return Sessions([SecretStr(key) for key in keys], clock=lambda: now)


def opened(key: str = "right") -> str:
    return sessions(key).open(0)


def test_a_known_key_opens_a_session_that_any_replica_finds() -> None:
    value = opened()
    first, second = sessions("right").find(value), sessions("other", "right").find(value)
    assert first is not None
    assert first == second


def test_each_key_signs_for_itself() -> None:
    both = sessions("right", "other")
    assert [both.signer_of(both.open(place)) for place in (0, 1)] == [0, 1]
    assert sessions("other").find(both.open(0)) is None
    assert sessions("other").find(both.open(1)) is not None


def test_it_ends_with_its_time_and_with_its_key() -> None:
    value = opened()
    assert sessions("right", now=NOW + LASTS_S - 1).find(value) is not None
    over = sessions("right", now=NOW + LASTS_S)
    assert over.find(value) is None
    assert over.signer_of(value) == 0
    assert sessions("other").find(value) is None
    assert sessions().find(value) is None


def test_what_was_altered_is_no_session() -> None:
    until, nonce, signature = opened().split(".")
    other_nonce, other_signature = opened().split(".")[1:]
    for forged in (
        f"{int(until) + 9999}.{nonce}.{signature}",
        f"{until}.{other_nonce}.{signature}",
        f"{until}.{nonce}.{other_signature}",
        f"{until}.{nonce}.",
        f"{until}.{nonce}",
        f"x.{nonce}.{signature}",
        f"{until}.{nonce}.{'ü' * 43}",
        "..",
        "x" * 5000,
        "",
    ):
        assert sessions("right").find(forged) is None
        assert sessions("right").signer_of(forged) is None


def test_the_cookie_holds_neither_the_key_nor_the_token_of_forms() -> None:
    value = opened("a-secret-key")
    found = sessions("a-secret-key").find(value)
    assert found is not None
    assert "a-secret-key" not in value
    assert found.form_token not in value


def test_each_session_has_a_token_of_its_own() -> None:
    found = [sessions("right").find(opened()) for _ in range(2)]
    assert found[0] is not None
    assert found[1] is not None
    assert found[0].form_token != found[1].form_token
