"""Only what is asked for, on the hosts it is asked for: roles, content with them, servers put off by hand."""

import asyncio
import base64

import pytest

from otto.model.configuration import HostOutcome
from otto.model.host import Host, HostFacts
from otto.model.observed import Seen
from otto.model.progress import Progress, silent

from .conftest import PAGES, Site
from .fleet import Fleet

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]

SSHD = "/etc/ssh/sshd_config.d/20-otto.conf"
NGINX = "/etc/nginx/nginx.conf"
SEAL = "/etc/otto/configuration.json"


async def fact(site: Site, host: Host) -> HostFacts:
    seen = (await site.facts((host,)))[host.name]
    assert isinstance(seen, Seen), seen
    assert isinstance(seen.value, HostFacts)
    return seen.value


async def serving(site: Site, balancer: Host, state: str | None) -> None:
    """Wait until haproxy, by way of the fact, says this of the first server."""
    said: str | None = ""
    try:
        async with asyncio.timeout(20):
            while said != state:
                said = (await fact(site, balancer)).backends.get("shop-web-1")
    except TimeoutError:
        pytest.fail(f"the server is {said!r}, not {state!r}")


def order(fleet: Fleet, balancer: Host, command: str) -> str:
    """Tell haproxy something through its admin socket, as somebody on the host would."""
    script = (
        "import socket\n"
        "s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock')\n"
        f"s.sendall({command + chr(10)!r}.encode()); print(s.makefile().read())\n"
    )
    packed = base64.b64encode(script.encode()).decode()
    return fleet.ssh(balancer, f"echo {packed} | base64 -d | python3").strip()


async def test_a_role_alone_mends_its_own_and_completes_nothing(ready: Site) -> None:
    fleet, web = ready.fleet, ready.fleet.web[0]
    before = await fact(ready, web)
    fleet.ssh(web, f"echo '# by hand' | tee -a {SSHD} >> {NGINX}; rm {SEAL}; systemctl stop nginx")
    heard: list[Progress] = []
    roles: dict[str, tuple[str, ...]] = {web.name: ("nginx",), "shop-balancer-1": ()}
    request = ready.request(hosts=(web, *fleet.balancers), roles=roles)
    result = await ready.ansible.configure(request, heard.append)
    assert [host.outcome for host in result.hosts] == [HostOutcome.CHANGED, HostOutcome.OK]
    assert len(heard) == 2, "the checks of the role's input, and the role"
    after = await fact(ready, web)
    assert (after.files[NGINX], after.services["nginx"]) == (before.files[NGINX], "active")
    assert after.files[SSHD] != before.files[SSHD]
    assert after.configuration is None
    assert (await ready.ansible.configure(ready.request(hosts=(web,)), silent)).changed == 2
    assert await fact(ready, web) == before


async def test_one_run_configures_and_brings_content(ready: Site) -> None:
    fleet, web = ready.fleet, ready.fleet.web[0]
    before = {host.name: await fact(ready, host) for host in (web, *fleet.balancers)}
    fleet.ssh(web, f"rm -r /srv/otto; echo '# by hand' >> {NGINX}")
    request = ready.request(hosts=(web, *fleet.balancers), revision="one", archive=ready.archive(PAGES))
    result = await ready.ansible.configure(request, silent)
    assert [host.outcome for host in result.hosts] == [HostOutcome.CHANGED, HostOutcome.OK]
    await serving(ready, fleet.balancers[0], "UP")
    assert {host.name: await fact(ready, host) for host in (web, *fleet.balancers)} == before


@pytest.mark.parametrize(
    ("command", "state"),
    [
        ("set server web/shop-web-1 state maint", "MAINT"),
        ("set server web/shop-web-1 state drain", "DRAIN"),
        ("disable health web/shop-web-1", "no check"),
        ("set server web/shop-web-1 weight 0", "UP"),
        ("set server web/shop-web-1 addr 127.0.0.2 port 9", "DOWN"),
        ("set server web/shop-web-1 state maint; del server web/shop-web-1", None),
    ],
)
async def test_a_server_put_off_by_hand_shows_and_is_brought_back(
    ready: Site, command: str, state: str | None
) -> None:
    fleet, balancer = ready.fleet, ready.fleet.balancers[0]
    await serving(ready, balancer, "UP")
    before = fleet.ssh(balancer, "systemctl show -p StateChangeTimestampMonotonic haproxy")
    order(fleet, balancer, command)
    await serving(ready, balancer, state)
    request = ready.request(hosts=(balancer,), roles={balancer.name: ("haproxy",)})
    assert (await ready.ansible.configure(request, silent)).hosts[0].changed == 1
    await serving(ready, balancer, "UP")
    assert (await ready.ansible.configure(request, silent)).changed == 0
    after = fleet.ssh(balancer, "systemctl show -p StateChangeTimestampMonotonic haproxy")
    assert (before != after) == (state is None), "only a server that is gone takes a reload"
