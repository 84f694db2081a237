"""Keys, origins and addresses."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from app.core.exceptions import ConfigurationError
from app.core.security import check_exposure, is_loopback, origin_is_allowed, place_of_key

KEYS = (SecretStr("alpha"), SecretStr("bêta"))


@pytest.mark.parametrize(
    ("presented", "place"),
    [("alpha", 0), ("bêta", 1), ("Alpha", None), ("", None), ("alph", None), ("\udcff", None)],
)
def test_a_key_is_known_or_not(presented: str, place: int | None) -> None:
    assert place_of_key(presented, KEYS) == place


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("app.localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("localhost.example.com", False),
    ],
)
def test_loopback_is_this_machine_alone(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_open_address_needs_a_key_or_a_word() -> None:
    with pytest.raises(ConfigurationError, match="API_KEYS"):
        check_exposure("0.0.0.0", (), allow_no_auth=False)
    check_exposure("0.0.0.0", KEYS, allow_no_auth=False)
    check_exposure("0.0.0.0", (), allow_no_auth=True)
    check_exposure("127.0.0.1", (), allow_no_auth=False)


@pytest.mark.parametrize(
    ("origin", "host", "allowed", "expected"),
    [
        ("http://localhost:8000", "localhost:8000", (), True),
        ("http://localhost:3000", "localhost:8000", (), False),
        ("https://evil.example", "localhost:8000", (), False),
        ("null", "localhost:8000", (), False),
        ("https://crm.example", "localhost:8000", ("https://crm.example",), True),
        ("https://crm.example.evil", "localhost:8000", ("https://crm.example",), False),
        ("https://any.example", "localhost:8000", ("*",), True),
    ],
)
def test_origins(origin: str, host: str, allowed: tuple[str, ...], expected: bool) -> None:
    assert origin_is_allowed(origin, host, allowed) is expected
