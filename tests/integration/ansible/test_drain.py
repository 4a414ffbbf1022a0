"""A balancer that is drained: visitors finish, nobody new comes in, and it ends within its limit."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from otto.adapters.ansible.draining import MARGIN_SECONDS
from otto.model.host import Host
from otto.model.observed import Seen
from otto.model.progress import Progress, silent
from otto.model.spec import Role

from .conftest import PAGES, Site, strays
from .fleet import podman
from .visitors import SIZE, downloading

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]

DROP_INS = "/run/systemd/system/haproxy.service.d"


async def refused(balancer: Host) -> bool:
    try:
        _, writer = await asyncio.open_connection(balancer.address, 80)
    except ConnectionRefusedError:
        return True
    writer.transport.abort()
    return False


@pytest.fixture
async def big(ready: Site) -> AsyncIterator[Site]:
    """A site with something large to download; its balancer serves again afterwards."""
    assert not (await ready.deploy("big", PAGES | {"big.txt": "x" * SIZE})).failed
    yield ready
    balancer = ready.fleet.balancers[0]
    ready.fleet.ssh(balancer, "systemctl start haproxy && ! test -e " + DROP_INS)
    assert not (await ready.deploy("one", PAGES)).failed


async def test_visitors_finish_while_new_ones_are_refused(big: Site) -> None:
    balancer, told = big.fleet.balancers[0], list[Progress]()
    async with downloading(balancer) as visitor:
        draining = asyncio.create_task(big.ansible.drain((balancer,), 40, told.append))
        async with asyncio.timeout(30):
            while not await refused(balancer):
                await asyncio.sleep(0.05)
        assert not draining.done()
        assert await visitor.rest() == SIZE
    async with asyncio.timeout(10):  # the last visitor's end is the end, not the time limit
        await draining
    assert told == [Progress("drained", host=balancer.name)]
    assert big.fleet.ssh(balancer, "systemctl is-active haproxy || :").strip() == "inactive"


async def test_whoever_never_ends_is_cut_off_at_the_limit(big: Site) -> None:
    balancer, told = big.fleet.balancers[0], list[Progress]()
    async with downloading(balancer) as visitor:
        began = time.monotonic()
        await big.ansible.drain((balancer,), 2, told.append)
        assert 2 <= time.monotonic() - began < 2 + MARGIN_SECONDS
        assert await visitor.rest() < SIZE
    assert [progress.message for progress in told] == ["drained; visitors that were left were cut off"]
    assert big.fleet.ssh(balancer, "pgrep -c haproxy || :").strip() == "0"


async def test_a_connection_that_is_only_kept_open_holds_nothing_up(ready: Site) -> None:
    balancer, told = ready.fleet.balancers[0], list[Progress]()
    reader, writer = await asyncio.open_connection(balancer.address, 80)
    try:
        writer.write(b"GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        async with asyncio.timeout(10):
            await ready.ansible.drain((balancer,), 40, told.append)
        assert told == [Progress("drained", host=balancer.name)]
    finally:
        writer.transport.abort()
        ready.fleet.ssh(balancer, "systemctl start haproxy")


async def test_draining_twice_at_once_and_again_changes_no_managed_file(ready: Site) -> None:
    balancer, told = ready.fleet.balancers[0], list[Progress]()
    before = (await ready.facts((balancer,)))[balancer.name]
    try:
        await asyncio.gather(
            ready.ansible.drain((balancer,), 10, silent), ready.ansible.drain((balancer,), 10, silent)
        )
        await ready.ansible.drain((balancer,), 10, told.append)
        assert told == [Progress("drained already", host=balancer.name)]
        after = (await ready.facts((balancer,)))[balancer.name]
        assert isinstance(before, Seen)
        assert isinstance(after, Seen)
        assert after.value.files == before.value.files
        assert after.value.services == before.value.services | {"haproxy": "inactive"}
        ready.fleet.ssh(balancer, f"! test -e {DROP_INS}")
    finally:
        result = await ready.ansible.configure(ready.request(hosts=(balancer,)), silent)
    assert result.hosts[0].changed, "a play brings it back"
    assert not await refused(balancer)


async def test_whoever_breaks_off_may_do_it_again(big: Site) -> None:
    balancer, told = big.fleet.balancers[0], list[Progress]()
    async with downloading(balancer) as visitor:
        broken = asyncio.create_task(big.ansible.drain((balancer,), 40, silent))
        async with asyncio.timeout(30):
            while not await refused(balancer):
                await asyncio.sleep(0.05)
        broken.cancel()
        await asyncio.wait({broken})
        assert strays(big.options.runs) == []
        again = asyncio.create_task(big.ansible.drain((balancer,), 40, told.append))
        assert await visitor.rest() == SIZE
    async with asyncio.timeout(20):
        await again
    assert told[0].message in ("drained", "drained already")


@pytest.mark.parametrize("warm", [True, False])
async def test_a_paused_balancer_is_left_out_and_delays_nobody(ready: Site, warm: bool) -> None:
    fleet, told = ready.fleet, list[tuple[str, str]]()
    # An address for each: one that comes back with another MAC is not found at once.
    balancer, paused = fleet.balancers[0], fleet.add("balancer-9", Role.BALANCER, 28 + warm)
    came: dict[str, float] = {}
    if warm:
        await ready.facts((balancer, paused))
    podman("pause", fleet.container("balancer-9"))
    began = time.monotonic()

    def tell(progress: Progress) -> None:
        came[progress.host] = time.monotonic() - began
        told.append((progress.host, progress.message))

    try:
        await ready.ansible.drain((paused, balancer), 5, tell)
        assert time.monotonic() - began < 5 + MARGIN_SECONDS + 2
        assert told[0] == (balancer.name, "drained")
        assert told[1][0] == paused.name
        assert told[1][1].startswith("left out, it does not answer: ")
        assert came[balancer.name] < came[paused.name]
    finally:
        podman("unpause", fleet.container("balancer-9"))
        fleet.remove("balancer-9")
        fleet.ssh(balancer, "systemctl start haproxy")
