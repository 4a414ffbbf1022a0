"""What hosts say of themselves, and what is made of those that say nothing, nonsense or too much."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from otto.adapters.ansible.factreading import BARE
from otto.model.configuration import HostOutcome
from otto.model.host import HostFacts
from otto.model.observed import Seen, Unseen
from otto.model.progress import silent

from .conftest import PAGES, Site, strays
from .fleet import podman

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]

FACT = "/etc/ansible/facts.d/otto.fact"


def fact(seen: Mapping[str, Any], name: str) -> HostFacts:
    found = seen[name]
    assert isinstance(found, Seen), found
    assert isinstance(found.value, HostFacts)
    return found.value


def reason(seen: Mapping[str, Any], name: str) -> str:
    assert isinstance(seen[name], Unseen), seen[name]
    return str(seen[name].reason)


async def test_anything_but_a_fact_is_unknown_with_a_reason(ready: Site) -> None:
    fleet = ready.fleet
    rounds = [
        (("#!/bin/sh\necho not json", "no JSON"), ("#!/bin/sh\nsleep 60", "did not end"), ("", "empty")),
        (
            ("#!/bin/sh\necho '[1]'", "no object"),
            ("#!/bin/sh\nyes '{\"schema\":1}'", "too long"),
            ("#!/bin/sh\necho '{\"schema\":2}'", "schema"),
        ),
    ]
    fleet_names = [host.name for host in fleet.all]
    for host in fleet.all:
        fleet.ssh(host, f"cp -p {FACT} /var/tmp/kept.fact")
    try:
        for cases in rounds:
            for host, (script, _) in zip(fleet.all, cases, strict=True):
                fleet.ssh(host, f"printf %s {_shell(script)} > {FACT}")
            seen = await ready.facts()
            for name, (_, expected) in zip(fleet_names, cases, strict=True):
                assert expected in reason(seen, name)
        fleet.ssh(fleet.web[0], f"rm {FACT}")
        fleet.ssh(fleet.web[1], f"chmod 0644 {FACT}")
        seen = await ready.facts(fleet.web)
        assert fact(seen, fleet.web[0].name) == BARE
        assert "cannot be executed" in reason(seen, fleet.web[1].name)
    finally:
        for host in fleet.all:
            fleet.ssh(host, f"rm -f {FACT}; mv /var/tmp/kept.fact {FACT}")


def _shell(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


@pytest.mark.parametrize("warm", [True, False])
async def test_a_paused_host_delays_nobody_elses_answer(ready: Site, warm: bool) -> None:
    if warm:
        await ready.facts()
    podman("pause", ready.fleet.container("web-2"))
    started, came = time.monotonic(), {}
    try:
        async for name, seen in ready.ansible.facts(ready.fleet.all):
            came[name] = (time.monotonic() - started, seen)
    finally:
        podman("unpause", ready.fleet.container("web-2"))
    assert time.monotonic() - started < 16, "the run went on when every host was answered for"
    assert strays(ready.options.runs) == []
    others = [came[name][0] for name in ("shop-web-1", "shop-balancer-1")]
    late, unseen = came["shop-web-2"]
    assert isinstance(unseen, Unseen)
    assert max(others) + 2 < late < 16
    assert all(isinstance(came[name][1], Seen) for name in ("shop-web-1", "shop-balancer-1"))


async def test_hosts_that_cannot_be_asked_are_answered_for(ready: Site) -> None:
    web = ready.fleet.web[0]
    ghost = replace(web, name="ghost", address=f"{ready.fleet.subnet}.99")
    keyless = replace(web, name="keyless", host_key="")
    impostor = replace(web, name="impostor", host_key=ready.fleet.web[1].host_key)
    seen = await ready.facts((ghost, keyless, impostor, web))
    assert "unreachable" in reason(seen, "ghost")
    assert "key" in reason(seen, "keyless")
    assert "does not have the SSH key that is pinned" in reason(seen, "impostor")
    assert fact(seen, web.name).revision == "one"


async def test_leaving_early_ends_the_run(ready: Site) -> None:
    asked = ready.ansible.facts(ready.fleet.all)
    async with asyncio.timeout(20):
        await anext(aiter(asked))
        await asked.aclose()  # type: ignore[attr-defined]


async def test_full_facts_come_too(ready: Site) -> None:
    seen = {name: item async for name, item in ready.ansible.full_facts(ready.fleet.web[:1])}
    found = seen["shop-web-1"]
    assert isinstance(found, Seen)
    assert found.value["ansible_distribution"] == "Debian"
    assert found.value["ansible_local"]["otto"]["revision"] == "one"


async def test_a_hand_edit_shows_and_a_configure_run_mends_it(ready: Site) -> None:
    fleet, web = ready.fleet, ready.fleet.web[0]
    before = await ready.facts()
    fleet.ssh(web, "echo '# by hand' >> /etc/nginx/nginx.conf; systemctl stop logrotate.timer")
    fleet.ssh(fleet.balancers[0], "sed -i 's/retries 3/retries 4/' /etc/haproxy/haproxy.cfg")
    fleet.ssh(fleet.balancers[0], "systemctl stop haproxy")
    edited = await ready.facts()
    assert (
        fact(edited, web.name).files["/etc/nginx/nginx.conf"]
        != (fact(before, web.name).files["/etc/nginx/nginx.conf"])
    )
    assert fact(edited, web.name).services["nginx"] == "outdated"
    assert fact(edited, "shop-balancer-1").services["haproxy"] == "inactive"
    assert fact(edited, "shop-web-2") == fact(before, "shop-web-2")
    result = await ready.ansible.configure(ready.request(), silent)
    assert {host.host: host.outcome for host in result.hosts} == {
        "shop-web-1": HostOutcome.CHANGED,
        "shop-web-2": HostOutcome.OK,
        "shop-balancer-1": HostOutcome.CHANGED,
    }
    mended = await ready.facts()
    for name in ("shop-web-1", "shop-balancer-1"):
        assert fact(mended, name).files == fact(before, name).files
        assert fact(mended, name).services == fact(before, name).services


async def test_a_reload_that_was_cut_off_is_made_up_for(ready: Site) -> None:
    """Files written, handler never run: the next run sees that nginx runs on an older configuration."""
    web = ready.fleet.web[0]
    ready.fleet.ssh(web, "cp /etc/nginx/nginx.conf /var/tmp/n && cat /var/tmp/n > /etc/nginx/nginx.conf")
    assert fact(await ready.facts((web,)), web.name).services["nginx"] == "outdated"
    await ready.ansible.configure(ready.request(hosts=(web,)), silent)
    assert fact(await ready.facts((web,)), web.name).services["nginx"] == "active"


async def test_edited_content_shows_and_deploying_the_same_revision_mends_it(ready: Site) -> None:
    web = ready.fleet.web[0]
    site = "/srv/otto/current/site"
    before = fact(await ready.facts((web,)), web.name).content
    ready.fleet.ssh(
        web,
        f"echo defaced > {site}/index.html; rm {site}/style.css; echo x > {site}/extra.html;"
        f"rm -r {site}/about; echo x > {site}/about; chmod 0600 {site}/extra.html",
    )
    assert fact(await ready.facts((web,)), web.name).content != before
    result = await ready.deploy("one", PAGES)
    assert {host.host: host.outcome for host in result.hosts} == {
        "shop-web-1": HostOutcome.CHANGED,
        "shop-web-2": HostOutcome.OK,
    }
    assert fact(await ready.facts((web,)), web.name).content == before


async def test_facts_cost_a_host_little(ready: Site) -> None:
    web = ready.fleet.web[0]
    many = {f"d{n % 50}/f{n}.html": f"page {n}" for n in range(10_000)}
    assert not (await ready.deploy("many", many)).failed
    once = f"s=$(date +%s%N); {FACT} >/dev/null; e=$(date +%s%N); echo $(((e-s)/1000000))"
    timed = f"for i in 1 2 3 4 5; do {once}; done"
    ready.fleet.ssh(web, f"{FACT} > /dev/null; sleep 2.2; {FACT} > /dev/null")
    milliseconds = sorted(int(line) for line in ready.fleet.ssh(web, timed).split())
    assert milliseconds[0] < 600, milliseconds
