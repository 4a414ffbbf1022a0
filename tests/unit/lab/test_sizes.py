"""Sizes and names."""

import pytest

from otto.lab import names
from otto.lab.names import Ownership
from otto.lab.sizes import MIB, SIZES, Limits, limits_of, size_of
from otto.model.errors import TerminalError


@pytest.mark.parametrize(
    ("size", "cpus", "mib", "quota"),
    [("small", 0.5, 256, 50_000), ("medium", 1.0, 512, 100_000), ("large", 2.0, 1024, 200_000)],
)
def test_sizes(size: str, cpus: float, mib: int, quota: int) -> None:
    limits = limits_of(size)
    assert (limits.cpus, limits.memory_mib, limits.quota) == (cpus, mib, quota)


@pytest.mark.parametrize("size", SIZES)
def test_a_size_is_known_by_its_limits(size: str) -> None:
    assert size_of(limits_of(size)) == size


def test_other_limits_are_described() -> None:
    assert size_of(Limits(0.75, 300 * MIB)) == "0.75 CPU, 300 MiB"
    assert size_of(Limits(0.0, 0)) == "0 CPU, 0 MiB"


def test_an_unknown_size_names_the_known_ones() -> None:
    with pytest.raises(TerminalError, match="small, medium, large"):
        limits_of("t3.small")


def test_names() -> None:
    assert names.container_name("0123abcd", "shop-web-1") == "otto-0123abcd-shop-web-1"
    assert names.network_name("0123abcd", "shop") == "otto-0123abcd-shop"


def test_labels_there_and_back() -> None:
    whose = Ownership(owner="0123abcd", site="shop", role="web", host="shop-web-1")
    assert names.ownership(names.labels(whose)) == whose


def test_a_network_has_no_role() -> None:
    labels = names.labels(Ownership(owner="0123abcd", site="shop"))
    assert labels == {"otto.owner": "0123abcd", "otto.site": "shop"}
    assert names.ownership({}) == Ownership()
