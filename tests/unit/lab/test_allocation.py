"""Subnets, addresses and MACs."""

from ipaddress import IPv4Address, IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.lab import allocation
from otto.model.errors import TerminalError

POOL = IPv4Network("10.203.0.0/16")
SMALL = IPv4Network("10.203.16.0/22")
NET = IPv4Network("10.203.7.0/24")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("banana", "no IPv4 network"),
        ("10.203.0.1/16", "no IPv4 network"),
        ("fd00::/64", "no IPv4 network"),
        ("8.8.0.0/16", "not a private network"),
        ("127.0.0.0/8", "not a private network"),
        ("169.254.0.0/16", "not a private network"),
        ("10.203.0.0/25", "smaller than one /24"),
    ],
)
def test_bad_pools_are_refused(text: str, wrong: str) -> None:
    with pytest.raises(TerminalError, match=wrong) as error:
        allocation.parse_pool(text)
    assert error.value.mend


def test_good_pools() -> None:
    assert allocation.parse_pool("10.203.0.0/16") == POOL
    assert allocation.parse_pool("192.168.5.0/24") == IPv4Network("192.168.5.0/24")


@given(st.text(max_size=20))
def test_every_subnet_is_offered_once(key: str) -> None:
    offered = list(allocation.candidates(SMALL, [], key))
    assert sorted(offered) == list(SMALL.subnets(new_prefix=24))


@given(st.text(max_size=20), st.sets(st.sampled_from(list(SMALL.subnets(new_prefix=26)))))
def test_nothing_taken_is_offered(key: str, taken: set[IPv4Network]) -> None:
    offered = set(allocation.candidates(SMALL, taken, key))
    free = {n for n in SMALL.subnets(new_prefix=24) if not any(n.overlaps(t) for t in taken)}
    assert offered == free


def test_a_taken_network_wider_than_the_pool_leaves_nothing() -> None:
    assert not list(allocation.candidates(SMALL, [IPv4Network("10.0.0.0/8")], "key"))


def test_different_askers_start_at_different_places() -> None:
    first = {next(allocation.candidates(POOL, [], f"{n:08x}/shop")) for n in range(20)}
    assert len(first) > 15


@pytest.mark.parametrize(
    ("role", "index", "address"),
    [
        ("balancer", 1, "10.203.7.2"),
        ("balancer", 14, "10.203.7.15"),
        ("web", 1, "10.203.7.16"),
        ("web", 239, "10.203.7.254"),
    ],
)
def test_addresses_follow_from_role_and_index(role: str, index: int, address: str) -> None:
    assert allocation.address(NET, role, index) == IPv4Address(address)
    assert allocation.index_of(NET, role, IPv4Address(address)) == index


@pytest.mark.parametrize(("role", "index"), [("web", 0), ("web", 240), ("balancer", 15), ("balancer", -1)])
def test_places_that_are_not_there(role: str, index: int) -> None:
    with pytest.raises(TerminalError, match="has no place for"):
        allocation.address(NET, role, index)


def test_a_small_subnet_has_fewer_places() -> None:
    with pytest.raises(TerminalError, match="from 1 to 15"):
        allocation.address(IPv4Network("10.203.7.0/27"), "web", 16)


def test_an_unknown_role_names_the_known_ones() -> None:
    with pytest.raises(TerminalError, match="balancer, web"):
        allocation.address(NET, "cache", 1)


def test_an_address_of_another_role_has_no_index() -> None:
    assert allocation.index_of(NET, "web", IPv4Address("10.203.7.2")) == 0
    assert allocation.index_of(NET, "web", IPv4Address("10.203.8.16")) == 0


def test_all_hosts_of_a_site_have_addresses_of_their_own() -> None:
    balancers = [allocation.address(NET, "balancer", n) for n in range(1, 15)]
    webs = [allocation.address(NET, "web", n) for n in range(1, 240)]
    assert len({*balancers, *webs, allocation.gateway(NET)}) == 14 + 239 + 1


def test_a_host_has_its_own_place_first_and_then_spare_ones_of_its_role() -> None:
    found = [str(place) for place in allocation.places(NET, "web", 1)]
    assert found == [f"10.203.7.{n}" for n in (16, 254, 253, 252, 251)]
    found = [str(place) for place in allocation.places(NET, "balancer", 8)]
    assert found == [f"10.203.7.{n}" for n in (9, 15, 14, 13, 12)]
    assert [str(place) for place in allocation.places(NET, "balancer", 14)] == ["10.203.7.15"]


def test_macs_are_local_and_follow_from_the_address() -> None:
    assert allocation.mac(IPv4Address("10.203.7.16")) == "02:42:0a:cb:07:10"


def test_subnets_of_other_kinds_are_left_out() -> None:
    found = allocation.subnets(["10.203.7.0/24", "", "fd00::/64", "10.88.0.1/16"])
    assert found == (NET, IPv4Network("10.88.0.0/16"))
