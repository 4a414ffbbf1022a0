"""What a host is made of."""

from ipaddress import IPv4Address
from typing import Any

import pytest

from otto.lab import recipe
from otto.lab.recipe import HostSpec

SPEC = HostSpec(
    name="shop-web-1",
    site="shop",
    owner="0123abcd",
    role="web",
    index=1,
    image="sha256:6d7a",
    size="small",
    network="otto-0123abcd-shop",
    authorized_key="ssh-ed25519 AAAA",
)
ADDRESS = IPv4Address("10.203.7.16")


@pytest.fixture
def body() -> dict[str, Any]:
    return recipe.request(SPEC, ADDRESS, {}, podman=True)


def test_it_is_labelled(body: dict[str, Any]) -> None:
    assert body["Labels"] == {
        "otto.owner": "0123abcd",
        "otto.site": "shop",
        "otto.role": "web",
        "otto.host": "shop-web-1",
        "otto.index": "1",
        "otto.address": "10.203.7.16",
        "otto.size": "small",
    }


def test_address_and_mac_are_fixed_where_the_engine_heeds_them(body: dict[str, Any]) -> None:
    endpoint = body["NetworkingConfig"]["EndpointsConfig"]["otto-0123abcd-shop"]
    assert endpoint["IPAMConfig"] == {"IPv4Address": "10.203.7.16"}
    assert endpoint["MacAddress"] == "02:42:0a:cb:07:10"
    assert endpoint["Aliases"] == ["shop-web-1"]


def test_limits(body: dict[str, Any]) -> None:
    host = body["HostConfig"]
    assert (host["CpuQuota"], host["CpuPeriod"]) == (50_000, 100_000)
    assert host["Memory"] == host["MemorySwap"] == 256 * 1024 * 1024


def test_it_may_do_little(body: dict[str, Any]) -> None:
    host = body["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert not {"SYS_ADMIN", "SYS_TIME", "SYS_PTRACE", "SYS_MODULE", "NET_RAW", "MKNOD"} & set(host["CapAdd"])
    assert "Privileged" not in host


def test_nothing_raises_the_dead(body: dict[str, Any]) -> None:
    assert body["HostConfig"]["RestartPolicy"] == {"Name": "no"}


def test_ports_are_published_on_loopback_alone() -> None:
    body = recipe.request(SPEC, ADDRESS, {22: 40022, 80: 40080}, podman=True)
    assert body["ExposedPorts"] == {"22/tcp": {}, "80/tcp": {}}
    assert body["HostConfig"]["PortBindings"] == {
        "22/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40022"}],
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "40080"}],
    }


def test_docker_is_told_what_podman_knows() -> None:
    host = recipe.request(SPEC, ADDRESS, {}, podman=False)["HostConfig"]
    assert host["Binds"] == ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]
    assert host["Tmpfs"].keys() == {"/run", "/run/lock"}


@pytest.mark.parametrize(("podman", "unmasked"), [(True, "unmask=ALL"), (False, "systempaths=unconfined")])
def test_one_that_makes_containers_itself_may_more_and_boots_as_its_image_says(
    podman: bool, unmasked: str
) -> None:
    body = recipe.request(SPEC, ADDRESS, {}, podman=podman)
    nested = recipe.nesting(body, podman=podman)
    assert "Cmd" not in nested
    assert nested["Volumes"] == {"/var/lib/containers": {}}
    assert unmasked in nested["HostConfig"]["SecurityOpt"]
    assert {"SYS_ADMIN", "MKNOD", *recipe.CAPABILITIES} <= set(nested["HostConfig"]["CapAdd"])
    assert not {"SYS_MODULE", "SYS_TIME", "SYS_BOOT", "SYS_RAWIO"} & set(nested["HostConfig"]["CapAdd"])
    assert "Privileged" not in nested["HostConfig"]
    # A host as any other stays one.
    assert "SYS_ADMIN" not in body["HostConfig"]["CapAdd"]
    assert body["Cmd"] == ["/sbin/init"]
