"""Who counts as one source, and what is remembered of it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.guesses import LIMIT, WINDOW_S, Guesses, source_of

NATIVE = st.ip_addresses(v=6).filter(lambda address: address.ipv4_mapped is None)


@given(NATIVE, st.integers(0, 2**64 - 1))
def test_all_addresses_of_one_64_are_one_source(address: IPv6Address, host: int) -> None:
    neighbour = IPv6Address(int(address) >> 64 << 64 | host)
    assume(neighbour.ipv4_mapped is None)
    assert source_of(str(neighbour)) == source_of(str(address))
    assert source_of(neighbour.exploded) == source_of(str(address))


@given(NATIVE, NATIVE)
def test_other_networks_are_other_sources(one: IPv6Address, other: IPv6Address) -> None:
    assume(int(one) >> 64 != int(other) >> 64)
    assert source_of(str(one)) != source_of(str(other))


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_each_address_of_version_4_is_one_however_it_is_written(one: IPv4Address, other: IPv4Address) -> None:
    assert source_of(f"::ffff:{one}") == source_of(str(one))
    assert (source_of(str(one)) == source_of(f"::ffff:{other}")) is (one == other)


@pytest.mark.parametrize("name", ["", "testclient", "unix:", "1.2.3", "x" * 5000, "\ud800"])
def test_what_is_no_address_counts_under_its_name(name: str) -> None:
    assert source_of(name) == name[:64]


def test_a_zone_is_of_this_machine_alone() -> None:
    assert source_of("fe80::1%eth0") == source_of("fe80::2%eth1")


def test_no_more_sources_are_remembered_than_may_be() -> None:
    guesses = Guesses(lambda: 0.0, most_sources=50)
    for number in range(LIMIT):
        guesses.refuse("first", str(number))
    assert guesses.wait_s("first") == WINDOW_S
    for number in range(49):
        guesses.refuse(f"source {number}", "x")
    assert (len(guesses), guesses.wait_s("first")) == (50, WINDOW_S)
    guesses.refuse("one more", "x")
    assert (len(guesses), guesses.wait_s("first")) == (50, 0)


def test_a_guess_is_not_kept_as_it_was_sent() -> None:
    guesses = Guesses(lambda: 0.0)
    guesses.refuse("source", "almost-the-key")
    window = guesses._windows["source"]
    assert [len(seen) for seen in window.guesses] == [16]
    assert b"almost" not in window.guesses[0]
