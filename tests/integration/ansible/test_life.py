"""The usual life of a site's hosts: configured, filled, changed; nothing done twice."""

import time

import pytest

from otto.model.configuration import ConfigurationResult, HostOutcome
from otto.model.host import HostFacts
from otto.model.observed import Seen
from otto.model.progress import Progress, silent
from otto.model.spec import Algorithm

from .conftest import PAGES, History, Site
from .visitors import visiting

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("ansible")]


def outcomes(result: ConfigurationResult) -> set[HostOutcome]:
    return {host.outcome for host in result.hosts}


def value(seen: object) -> HostFacts:
    assert isinstance(seen, Seen), seen
    assert isinstance(seen.value, HostFacts)
    return seen.value


async def test_first_run_changes_every_host(ready: Site, history: History) -> None:
    assert history.first is not None
    assert outcomes(history.first) == {HostOutcome.CHANGED}
    assert history.seconds < 240, "far too long even for a busy machine"


async def test_second_run_changes_nothing(ready: Site) -> None:
    heard: list[Progress] = []
    result = await ready.ansible.configure(ready.request(), heard.append)
    assert (result.changed, outcomes(result)) == (0, {HostOutcome.OK}), result
    assert any("nginx" in progress.message for progress in heard)


async def test_facts_describe_a_configured_site(ready: Site) -> None:
    facts = {name: value(seen) for name, seen in (await ready.facts()).items()}
    assert facts.keys() == {"shop-web-1", "shop-web-2", "shop-balancer-1"}
    for name, fact in facts.items():
        assert fact.configuration == f"digest of {name}"
        assert all(fact.files[path] for path in fact.files if path != "/etc/nftables.conf")
    web, balancer = facts["shop-web-1"], facts["shop-balancer-1"]
    assert (web.revision, web.services["nginx"]) == ("one", "active")
    assert web.content == facts["shop-web-2"].content is not None
    assert "/etc/nginx/nginx.conf" in web.files
    assert "/etc/haproxy/haproxy.cfg" in balancer.files
    assert balancer.services["haproxy"] == "active"
    assert balancer.backends.keys() == {"shop-web-1", "shop-web-2"}
    assert len({fact.fact for fact in facts.values()}) == 1


async def test_a_push_runs_one_task_on_web_servers_and_visitors_see_old_or_new(ready: Site) -> None:
    heard: list[Progress] = []
    async with visiting(f"http://{ready.fleet.balancers[0].address}/") as visits:
        started = time.monotonic()
        result = await ready.deploy("two", PAGES | {"index.html": "<h1>two</h1>"}, heard.append)
        took = time.monotonic() - started
    assert outcomes(result) == {HostOutcome.CHANGED}
    assert {host.host for host in result.hosts} == {"shop-web-1", "shop-web-2"}
    assert [progress.message for progress in heard] == ["Serve the release"]
    assert (visits.errors, visits.statuses) == ([], {200})
    assert visits.bodies <= {"<h1>one</h1>", "<h1>two</h1>"}
    assert visits.count > 20
    assert took < 20, "a push took far too long even for a busy machine"
    assert (await ready.deploy("two", PAGES | {"index.html": "<h1>two</h1>"})).changed == 0


async def test_going_back_needs_no_transfer_and_three_releases_stay(ready: Site) -> None:
    web = ready.fleet.web[0]
    for revision in ("a", "b", "c", "one"):
        assert not (await ready.deploy(revision, PAGES)).failed
    releases = set(ready.fleet.ssh(web, "ls -A /srv/otto/releases").split())
    assert releases == {"b", "c", "one"}
    assert ready.fleet.ssh(web, "readlink /srv/otto/current").strip() == "releases/one"


async def test_another_algorithm_loses_no_request(ready: Site) -> None:
    balancer = ready.fleet.balancers
    main = ready.fleet.ssh(balancer[0], "systemctl show -p MainPID haproxy")
    async with visiting(f"http://{balancer[0].address}/") as visits:
        changed = ready.request(hosts=balancer, algorithm=Algorithm.LEASTCONN)
        result = await ready.ansible.configure(changed, silent)
        back = await ready.ansible.configure(ready.request(hosts=balancer), silent)
    assert outcomes(result) == outcomes(back) == {HostOutcome.CHANGED}
    assert (visits.errors, visits.statuses) == ([], {200})
    assert ready.fleet.ssh(balancer[0], "systemctl show -p MainPID haproxy") == main, "it was restarted"


async def test_haproxy_accepts_every_algorithm(ready: Site) -> None:
    check = (
        "sed 's/^    balance .*/    balance {}/' /etc/haproxy/haproxy.cfg > /tmp/h && haproxy -c -q -f /tmp/h"
    )
    for algorithm in Algorithm:
        ready.fleet.ssh(ready.fleet.balancers[0], check.format(algorithm.value))
