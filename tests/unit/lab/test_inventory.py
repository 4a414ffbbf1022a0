"""Listings of both engines, read alike."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from otto.lab import inventory
from otto.lab.api import Api
from otto.model.host import HostState

LABELS = {
    "otto.owner": "0123abcd",
    "otto.site": "shop",
    "otto.role": "web",
    "otto.host": "shop-web-1",
    "otto.address": "10.203.7.16",
    "otto.size": "medium",
}
PODMAN = {
    "Id": "aea1",
    "Names": ["otto-0123abcd-shop-web-1"],
    "Labels": LABELS,
    "State": "running",
    "ImageID": "6d7a",
    "StartedAt": 1795457511,
}
DOCKER = {
    "Id": "aea2",
    "Names": ["/otto-0123abcd-shop-web-1"],
    "Labels": LABELS,
    "State": "exited",
    "ImageID": "sha256:6d7a",
}


class Listing:
    def __init__(self, *listed: Mapping[str, Any]) -> None:
        self.listed = listed
        self.asked: list[Mapping[str, str]] = []

    def list_containers(self, labels: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
        self.asked.append(labels)
        return self.listed


def test_both_engines_are_read_alike() -> None:
    podman, docker = inventory.live_hosts(cast("Api", Listing(PODMAN, DOCKER)), "0123abcd")
    for host in (podman, docker):
        assert (host.name, host.container) == ("shop-web-1", "otto-0123abcd-shop-web-1")
        assert (host.address, host.image) == ("10.203.7.16", "sha256:6d7a")
    assert podman.started_at == datetime.fromtimestamp(1795457511, UTC)
    assert docker.started_at is None


def test_one_request_and_only_ours() -> None:
    listing = Listing()
    inventory.live_hosts(cast("Api", listing), "0123abcd", "shop")
    assert listing.asked == [{"otto.owner": "0123abcd", "otto.host": "", "otto.site": "shop"}]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("running", HostState.RUNNING),
        ("paused", HostState.PAUSED),
        ("exited", HostState.STOPPED),
        ("configured", HostState.STOPPED),
        ("removing", HostState.STOPPED),
        ("strange", HostState.UNKNOWN),
    ],
)
def test_states_in_the_models_terms(told: str, state: HostState) -> None:
    [host] = inventory.live_hosts(cast("Api", Listing(PODMAN | {"State": told})), "0123abcd")
    assert host.live().state is state
    assert host.live().address == "10.203.7.16"


@pytest.mark.parametrize("pid", [0, os.getpid()], ids=["stopped", "another"])
def test_where_the_kernel_tells_nothing_the_size_is_the_one_it_was_made_with(pid: int) -> None:
    """A process that is not in the container's own control group is somebody else's by now."""
    [host] = inventory.live_hosts(cast("Api", Listing(PODMAN | {"Pid": pid})), "0123abcd")
    assert host.live().size == "medium"


def test_hosts_of_an_older_otto_tell_no_size() -> None:
    labels = {name: value for name, value in LABELS.items() if name != "otto.size"}
    [host] = inventory.live_hosts(cast("Api", Listing(PODMAN | {"Labels": labels})), "0123abcd")
    assert host.live().size == ""
