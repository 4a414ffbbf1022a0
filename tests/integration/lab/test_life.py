"""The life of a site's hosts: made, looked at, more of them, fewer, bigger, restarted, gone."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from otto.lab import hosts, inventory
from otto.lab.lab import Lab
from otto.lab.sizes import MIB, Limits

from .conftest import MakeSite, Site

pytestmark = pytest.mark.lab


def test_a_host_is_what_the_contract_says(site: Site) -> None:
    host = site.host()
    assert host.keys() == {
        "name",
        "role",
        "id",
        "address",
        "private_address",
        "ssh_port",
        "ssh_user",
        "http_port",
        "host_key",
        "image",
        "size",
    }
    assert (host["name"], host["role"], host["ssh_user"]) == ("shop-web-1", "web", "otto")
    assert host["address"] == host["private_address"]
    assert host["address"].endswith(".16")
    assert site.plan() == {}


def test_a_host_boots_whole_and_serves_nothing(site: Site) -> None:
    host = site.host()
    assert site.ssh(host, "systemctl is-system-running --wait").said == "running"
    assert site.ssh(host, "systemctl --failed --plain --no-legend").said == ""
    assert site.ssh(host, "hostname; sudo -n id -u").said == "shop-web-1\n0"
    # The machine's own names stay out of the host's file.
    assert "127.0.0.1\tlocalhost\n::1\tlocalhost\n" in site.ssh(host, "cat /etc/hosts").said
    listening = site.ssh(host, "sudo ss -Hltn '! sport = :22'").said
    assert listening == ""
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://{host['address']}/", timeout=5)


def test_a_host_can_run_what_the_roles_need(site: Site) -> None:
    host = site.host()
    assert site.ssh(host, "sudo systemctl start nginx chrony && systemctl is-active nginx chrony").status == 0
    assert site.ssh(host, "sudo systemctl stop nginx && sudo systemctl start haproxy").status == 0
    assert site.ssh(host, "sudo nft add table inet test && sudo nft list tables").said == "table inet test"
    assert site.ssh(host, "sudo python3 -c 'import apt'").status == 0


def test_only_the_key_gets_in(site: Site) -> None:
    host = site.host()
    root = site.ssh(host | {"ssh_user": "root"}, "true")
    assert root.status == 255
    assert "Permission denied (publickey)" in root.said


def test_limits_are_the_kernels(lab: Lab, site: Site, podman: Callable[..., str]) -> None:
    found = json.loads(podman("inspect", site.container()))[0]["HostConfig"]
    assert (found["Memory"], found["CpuQuota"], found["RestartPolicy"]["Name"]) == (256 * MIB, 50_000, "no")
    assert [host.size for host in lab.hosts(site.name)] == ["small"]
    site.variables["web"]["size"] = "medium"
    before = site.host()
    assert site.plan() == {"shop-web-1": ("update",)}
    site.apply()
    assert site.host() == before | {"size": "medium"}
    running = hosts.read(lab.api(), site.container())
    assert running is not None
    assert running.limits == Limits(1.0, 512 * MIB)
    assert [host.size for host in lab.hosts(site.name)] == ["medium"]
    assert site.plan() == {}


def test_scaling_touches_no_other_host(site: Site) -> None:
    before = site.host()
    site.variables["web"]["count"] = 3
    site.variables["balancer"]["count"] = 1
    assert site.plan() == {
        "shop-web-2": ("create",),
        "shop-web-3": ("create",),
        "shop-balancer-1": ("create",),
    }
    site.apply()
    assert site.host() == before
    second = site.host(2)
    site.variables["web"]["count"] = 2
    assert site.plan() == {"shop-web-3": ("delete",)}
    site.apply()
    assert (site.host(), site.host(2)) == (before, second)


def test_neighbours_know_each_other_by_name(lab: Lab, make_site: MakeSite) -> None:
    site = make_site(lab, "pair")
    site.variables["web"]["count"] = 2
    site.apply()
    looked_up = site.ssh(site.host(), "getent ahostsv4 pair-web-2 | head -1")
    assert looked_up.said.split()[0] == site.host(2)["private_address"]


def test_a_restarted_host_is_the_same_host(site: Site, podman: Callable[..., str]) -> None:
    def identity() -> tuple[str, str]:
        link = site.ssh(site.host(), "cat /sys/class/net/eth0/address /etc/machine-id")
        assert link.status == 0, link.said
        return link.said, site.host()["host_key"]

    before = identity()
    podman("restart", "--time=0", site.container())
    _until(lambda: site.ssh(site.host(), "true").status == 0)
    assert identity() == before
    assert site.plan() == {}


def test_every_host_has_keys_of_its_own(lab: Lab, make_site: MakeSite) -> None:
    site = make_site(lab, "keys")
    site.variables["web"]["count"] = 2
    site.apply()
    assert site.host(1)["host_key"] != site.host(2)["host_key"]
    ids = {site.ssh(site.host(n), "cat /etc/machine-id").said for n in (1, 2)}
    assert len(ids) == 2


def test_a_new_key_is_let_in_without_a_new_host(site: Site) -> None:
    before = site.host()
    site.variables["authorized_key"] += "-renamed"
    assert site.plan() == {"shop-web-1": ("update",)}
    site.apply()
    assert site.host() == before
    assert site.ssh(before, "cat .ssh/authorized_keys").said == site.variables["authorized_key"]


def test_ports_can_be_published_on_loopback(lab: Lab, make_site: MakeSite) -> None:
    site = make_site(lab, "published")
    site.variables["settings"] = {"publish": "true"}
    site.apply()
    host = site.host()
    assert host["address"] == "127.0.0.1"
    assert host["private_address"].startswith("10.203.")
    assert 22 != host["ssh_port"] != host["http_port"] != 80
    assert site.ssh(host, "hostname").said == "published-web-1"
    assert site.plan() == {}


def test_many_at_once(lab: Lab, make_site: MakeSite) -> None:
    site = make_site(lab, "many")
    site.variables["web"]["count"] = 8
    site.variables["balancer"]["count"] = 2
    started = time.monotonic()
    site.apply()
    assert time.monotonic() - started < 60
    assert {host.state for host in lab.hosts("many")} == {"running"}
    assert len({host.address for host in lab.hosts("many")}) == 10
    assert site.plan() == {}


def test_the_inventory_is_one_quick_request(lab: Lab, site: Site) -> None:
    api = lab.api()
    taken = []
    for _ in range(20):
        started = time.monotonic()
        [host] = inventory.live_hosts(api, lab.owner, "shop")
        taken.append(time.monotonic() - started)
    assert sorted(taken)[10] < 0.1
    assert (host.id, host.address, host.state) == (site.host()["id"], site.host()["address"], "running")
    assert host.started_at is not None


def test_destroy_leaves_nothing(lab: Lab, site: Site) -> None:
    assert site.terraform("destroy", "-auto-approve").status == 0
    assert lab.resources("shop") == ()


def _until(seen: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, "it did not come to pass"
