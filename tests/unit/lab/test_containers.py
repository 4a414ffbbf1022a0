"""What engines tell, read."""

from datetime import UTC, datetime
from typing import Any

import pytest

from otto.lab import containers
from otto.lab.containers import Attachment
from otto.lab.sizes import MIB, Limits


def inspected(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "Id": "aea18d",
        "Name": "/otto-0123abcd-shop-web-1",
        "Image": "sha256:6d7a",
        "State": {"Status": "running", "Pid": 8035, "StartedAt": "2026-11-23T18:11:51.136349668Z"},
        "Config": {"Labels": {"otto.host": "shop-web-1"}},
        "HostConfig": {
            "CpuQuota": 50_000,
            "CpuPeriod": 100_000,
            "Memory": 256 * MIB,
            "PortBindings": {"22/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40022"}], "80/tcp": None},
        },
        "NetworkSettings": {
            "Networks": {"shop": {"IPAddress": "10.203.7.16", "MacAddress": "02:42:0a:cb:07:10"}}
        },
    }
    return base | changes


def test_a_running_container() -> None:
    found = containers.container(inspected())
    assert found.name == "otto-0123abcd-shop-web-1"
    assert (found.state, found.pid) == ("running", 8035)
    assert found.limits == Limits(0.5, 256 * MIB)
    assert found.attachments == (Attachment("shop", "10.203.7.16", "02:42:0a:cb:07:10"),)
    assert found.ports == {22: 40022}
    assert found.started_at == datetime(2026, 11, 23, 18, 11, 51, tzinfo=UTC)


def test_what_docker_leaves_out() -> None:
    bare = inspected(
        Image="6d7a",
        State={"Status": "created", "StartedAt": "0001-01-01T00:00:00Z"},
        Config={"Labels": None},
        HostConfig={"NanoCpus": 1_000_000_000, "Memory": 0, "PortBindings": None},
        NetworkSettings={"Networks": None},
    )
    found = containers.container(bare)
    assert (found.image, found.state, found.pid, found.started_at) == ("sha256:6d7a", "created", 0, None)
    assert found.limits == Limits(1.0, 0)
    assert (found.labels, found.attachments, found.ports) == ({}, (), {})


@pytest.mark.parametrize(
    ("told", "state"),
    [
        ("running", "running"),
        ("Restarting", "running"),
        ("paused", "paused"),
        ("configured", "created"),
        ("initialized", "created"),
        ("stopped", "exited"),
        ("stopping", "exited"),
        ("removing", "dead"),
        ("dead", "dead"),
        ("unknown", "unknown"),
    ],
)
def test_states(told: str, state: str) -> None:
    assert containers.normal_state(told) == state


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-23T18:11:51Z", datetime(2026, 11, 23, 18, 11, 51, tzinfo=UTC)),
        ("2026-11-23T19:11:51.5+01:00", datetime(2026, 11, 23, 18, 11, 51, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("soon", None),
    ],
)
def test_moments(text: str, moment: datetime | None) -> None:
    assert containers.moment(text) == moment


def test_a_network() -> None:
    found = containers.network(
        {
            "Id": "8958",
            "Name": "otto-0123abcd-shop",
            "IPAM": {"Config": [{"Subnet": "10.203.7.0/24", "Gateway": "10.203.7.1"}]},
            "Containers": {"b": {"Name": "web-2"}, "a": {"Name": "web-1"}},
            "Labels": {"otto.site": "shop"},
        }
    )
    assert [str(subnet) for subnet in found.subnets] == ["10.203.7.0/24"]
    assert found.members == ("web-1", "web-2")


def test_a_network_without_addresses() -> None:
    found = containers.network({"Id": "1", "Name": "host", "IPAM": {"Config": None}, "Labels": None})
    assert (found.subnets, found.members, found.labels) == ((), (), {})


def test_an_image() -> None:
    found = containers.image({"Id": "6d7a", "RepoTags": ["localhost/base:1"], "Size": 3})
    assert (found.id, found.references, found.size) == ("sha256:6d7a", ("localhost/base:1",), 3)
