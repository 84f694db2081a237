"""Which addresses are let through when they are registered."""

from __future__ import annotations

import pytest

from app.core.exceptions import ConfigurationError, WebhookUrlRefused
from app.services.webhooks.addresses import AddressGuard, Allowed
from tests.services.webhooks.forms import FORBIDDEN, NAMES, PUBLIC, lookup


def _guard(*allowed: str) -> AddressGuard:
    return AddressGuard(Allowed.of(allowed), lookup)


@pytest.mark.parametrize("url", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_forbidden_form_is_refused(url: str) -> None:
    with pytest.raises(WebhookUrlRefused) as caught:
        _guard().admit(url)
    assert caught.value.errors[0]["field"] == "url"


@pytest.mark.parametrize(
    "url",
    [
        "https://public.example",
        "https://PUBLIC.example:443/hooks?a=b",
        f"https://{PUBLIC}/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/x",
    ],
)
def test_the_public_internet_over_https_is_let_through(url: str) -> None:
    target, addresses = _guard().admit(url)
    assert target.port == 443
    assert addresses
    assert {str(address) for address in addresses} <= set(NAMES["public.example"])


def test_what_is_connected_to_is_what_was_looked_at() -> None:
    target, addresses = _guard().admit("https://public.example/a/b?c=d")
    assert (target.host, target.authority, target.resource) == (
        "public.example",
        "public.example",
        "/a/b?c=d",
    )
    assert [str(address) for address in addresses] == NAMES["public.example"]


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080/"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
        ("127.0.0.0/8", "http://127.3.3.3:99/"),
        ("::1", "http://[::1]:8080/"),
        ("[::1]:8080", "http://[::1]:8080/"),
        ("fd00::/8", "https://[fd12::1]/"),
        ("INTERN.example", "http://intern.example/"),
        ("intern.example:8443", "https://intern.example:8443/"),
        ("10.0.0.0/8", "http://intern.example/"),
        ("127.0.0.0/8", "https://mixed.example/"),
        ("public.example:6379", "https://public.example:6379/"),
    ],
)
def test_an_operator_may_allow_more(allowed: str, url: str) -> None:
    with pytest.raises(WebhookUrlRefused):
        _guard().admit(url)
    assert _guard(allowed).admit(url)


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8081/"),
        ("127.0.0.0/8", "https://10.0.0.1/"),
        ("127.0.0.0/8", "http://mixed.example/"),
        ("127.0.0.0/8", "https://mixed.example:8443/"),
        ("example", "https://intern.example/"),
        ("intern.example", "https://local.intern.example/"),
        ("intern.example", "https://user@intern.example/"),
        ("127.0.0.1", "https://2130706433/"),
        ("10.0.0.0/8", "https://[::ffff:10.0.0.1]/"),
        ("intern.example", "ftp://intern.example/"),
    ],
)
def test_what_is_allowed_opens_nothing_beside_it(allowed: str, url: str) -> None:
    with pytest.raises(WebhookUrlRefused):
        _guard(allowed).admit(url)


@pytest.mark.parametrize(
    "entry",
    ["10.0.0.1/8", "host:port", "http://host", "a b", "host:99999", "10.0.0.0/99", "user@host", ":80"],
)
def test_a_bad_entry_stops_the_start_and_is_named(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="WEBHOOK_ALLOWED_HOSTS") as caught:
        Allowed.of([entry])
    assert repr(entry) in str(caught.value)


def test_the_systems_resolver_is_asked_where_none_is_given() -> None:
    with pytest.raises(WebhookUrlRefused, match="not on the public internet"):
        AddressGuard(Allowed()).admit("https://localhost/")
