"""Servers out of a real haproxy's rotation and back, with visitors at the door: none of them is dropped."""

import asyncio
import time

import pytest

from otto.adapters.ansible.rotation import MARGIN_SECONDS
from otto.model.errors import TerminalError, TransientError
from otto.model.host import Host
from otto.model.progress import Progress, silent
from otto.model.spec import Role

from .conftest import PAGES, Site, strays
from .fleet import podman
from .visitors import SIZE, downloading, visiting

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]

ONE, TWO = "shop-web-1", "shop-web-2"
RATE = 200
RELOADED = "systemctl reload haproxy"


async def states(site: Site) -> dict[str, str]:
    """What the balancer's statistics call the servers."""
    balancer = site.fleet.balancers[0]
    facts = (await site.facts((balancer,)))[balancer.name]
    return dict(facts.value.backends)


async def on(site: Site, host: Host, command: str) -> str:
    return await asyncio.to_thread(site.fleet.ssh, host, command)


async def test_nobody_is_dropped_while_each_server_goes_and_comes_back(ready: Site) -> None:
    balancers, told, took = ready.fleet.balancers, list[Progress](), list[str]()
    await ready.ansible.bring_back(balancers, [ONE, TWO], 10, silent)  # content came a moment ago
    async with visiting(f"http://{balancers[0].address}/", rate=RATE) as visits:
        await asyncio.sleep(0.3)
        for web in ready.fleet.web:
            began = time.monotonic()
            assert await ready.ansible.set_aside(balancers, [web.name], 10, told.append) == {web.name: 0}
            gone = time.monotonic()
            assert (await states(ready))[web.name] == "MAINT"
            served = await on(ready, web, "systemctl stop nginx; grep -c '\"/\"' /var/log/nginx/access.log")
            await on(ready, web, "systemctl start nginx")
            again = await on(ready, web, "sleep 0.2; grep -c '\"/\"' /var/log/nginx/access.log")
            assert served == again, "a visitor came while the server was set aside"
            back = time.monotonic()
            await ready.ansible.bring_back(balancers, [web.name], 10, told.append)
            took.append(f"out {gone - began:.2f} s, back {time.monotonic() - back:.2f} s")
        await asyncio.sleep(0.3)
    print(  # noqa: T201 - the counts are wanted
        f"{visits.count} requests at {RATE}/s, {len(visits.errors)} failed; {'; '.join(took)}"
    )
    assert (visits.errors, visits.statuses, visits.bodies) == ([], {200}, {PAGES["index.html"]})
    assert await states(ready) == {ONE: "UP", TWO: "UP"}
    assert [progress.message for progress in told] == [
        f"{name} {where} rotation" for name in (ONE, TWO) for where in ("out of", "back in")
    ]


async def test_a_visitor_is_waited_for_and_counted_when_the_time_is_up(ready: Site) -> None:
    balancers = ready.fleet.balancers
    assert not (await ready.deploy("big", PAGES | {"big.txt": "x" * SIZE})).failed
    async with downloading(balancers[0]) as visitor:
        began = time.monotonic()
        left = [await ready.ansible.set_aside(balancers, [name], 0.5, silent) for name in (ONE,)]
        if left == [{ONE: 0}]:  # the other one has him
            await ready.ansible.bring_back(balancers, [ONE], 10, silent)
            left = [await ready.ansible.set_aside(balancers, [TWO], 0.5, silent)]
        assert list(left[0].values()) == [1]
        assert 0.5 <= time.monotonic() - began < 0.5 + MARGIN_SECONDS
        (server,) = left[0]
        # An old worker's visitors count as well.
        await on(ready, balancers[0], RELOADED)
        assert await ready.ansible.set_aside(balancers, [server], 0.5, silent) == {server: 1}
        waiting = asyncio.create_task(ready.ansible.set_aside(balancers, [server], 30, silent))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        assert await visitor.rest() == SIZE
        async with asyncio.timeout(10):
            assert await waiting == {server: 0}
    await ready.ansible.bring_back(balancers, [server], 10, silent)
    assert await states(ready) == {ONE: "UP", TWO: "UP"}


async def test_after_a_reload_the_server_is_back_as_if_nothing_had_been(ready: Site) -> None:
    balancers = ready.fleet.balancers
    await ready.ansible.set_aside(balancers, [ONE], 10, silent)
    await on(ready, balancers[0], RELOADED)
    await ready.ansible.bring_back(balancers, [ONE, TWO], 10, silent)
    assert await states(ready) == {ONE: "UP", TWO: "UP"}


async def test_the_last_server_stays_and_a_broken_one_gets_no_visitor(ready: Site) -> None:
    balancers, web = ready.fleet.balancers, ready.fleet.web[0]
    with pytest.raises(TransientError, match=r"shop-web-1, shop-web-2 not taken out .* nobody would be left"):
        await ready.ansible.set_aside(balancers, [ONE, TWO], 5, silent)
    assert await states(ready) == {ONE: "UP", TWO: "UP"}
    await ready.ansible.set_aside(balancers, [ONE], 5, silent)
    await on(ready, web, "systemctl stop nginx")
    try:
        with pytest.raises(
            TransientError, match=r"not back in rotation at shop-balancer-1: .* is DOWN L4CON"
        ):
            await ready.ansible.bring_back(balancers, [ONE], 1.5, silent)
        with pytest.raises(TransientError, match="nobody would be left"):
            await ready.ansible.set_aside(balancers, [TWO], 5, silent)
    finally:
        await on(ready, web, "systemctl start nginx")
    await ready.ansible.bring_back(balancers, [ONE], 10, silent)
    assert await states(ready) == {ONE: "UP", TWO: "UP"}


async def test_a_play_takes_back_what_a_killed_rollout_left(ready: Site) -> None:
    balancers = ready.fleet.balancers
    await ready.ansible.set_aside(balancers, [ONE], 5, silent)
    assert not (await ready.ansible.configure(ready.request(hosts=balancers), silent)).failed
    await ready.ansible.bring_back(balancers, [ONE], 10, silent)
    assert await states(ready) == {ONE: "UP", TWO: "UP"}


async def test_a_name_that_is_none_is_sent_nowhere(ready: Site) -> None:
    told = list[Progress]()
    for name in ("shop-web-1; disable server web/shop-web-2", "", "../x", "a" * 200):
        with pytest.raises(TerminalError, match="no web server has the name"):
            await ready.ansible.set_aside(ready.fleet.balancers, [TWO, name], 5, told.append)
    assert told == []
    assert await states(ready) == {ONE: "UP", TWO: "UP"}


async def test_a_paused_balancer_is_left_out_and_a_broken_off_order_leaves_nothing(ready: Site) -> None:
    fleet, told = ready.fleet, list[Progress]()
    paused = fleet.add("balancer-8", Role.BALANCER, 38)
    podman("pause", fleet.container("balancer-8"))
    try:
        both = fleet.balancers
        asking = asyncio.create_task(ready.ansible.set_aside(both, [ONE], 1, told.append))
        async with asyncio.timeout(10):
            while not told:
                await asyncio.sleep(0.05)
        assert (told[0].host, told[0].message) == ("shop-balancer-1", f"{ONE} out of rotation")
        asking.cancel()
        await asyncio.wait({asking})
        assert strays(ready.options.runs) == []
        assert await ready.ansible.set_aside(both, [ONE], 1, told.append) == {ONE: 0}
        assert (told[-1].host, told[-1].message[:32]) == (paused.name, "left out, it does not answer: un")
    finally:
        podman("unpause", fleet.container("balancer-8"))
        fleet.remove("balancer-8")
    await ready.ansible.bring_back(fleet.balancers, [ONE], 10, silent)
