"""What happens to sites behind OttO's back is seen, told and mended in time, and visitors notice nothing.

Two sites, made once. Every story finds them Ready and leaves them so. A full look (`loop.interval`) is far
away, so nothing is found by accident: whatever is seen, a tier of observation saw it, at its own pace.
"""

from collections.abc import Callable, Iterator

import pytest

from otto.model.status import Phase

from . import damage
from .client import Visitors
from .damage import HAPROXY, NGINX, PAGE
from .harness import Home, eventually, fetch, free_port, site_spec, step, steps_of
from .machine import Machine
from .story import Healing, Limits

# A group of its own: the limits of its stories are held while the other worker does its share.
pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("healing"), pytest.mark.timeout(600)]

SITE, WEB, OTHER, LAST, BALANCER = "shop", "shop-web-1", "shop-web-2", "shop-web-3", "shop-balancer-1"
SMALL, SMALL_WEB = "small", "small-web-1"
WORDS = "A small site."
# Seconds between two looks at facts, instead of 30: the stories wait for it again and again.
FACTS = 8.0

# A host's loss is told by its provider; the inventory that tier 0 looks at with its probes may be quicker.
LOSS = frozenset({"event", "inventory"})
PROBE, STATISTICS = frozenset({"probe"}), frozenset({"statistics"})
BY_FACTS, BY_STATE = frozenset({"facts"}), frozenset({"state"})


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    home = Home.make(
        OTTO_API_PORT=str(free_port()),
        OTTO_LOOP_INTERVAL="600",
        OTTO_LOOP_BACKOFFBASE="2",
        OTTO_LOOP_BACKOFFCAP="300",
        OTTO_FACTS_INTERVAL=str(FACTS),
        OTTO_SOURCE_INTERVAL="600",
    )
    home.start()
    try:
        home.clone()
        home.empty()
        home.write("sites/small/index.html", f"<!doctype html><title>Small</title><p>{WORDS}</p>\n")
        home.write(f"specs/{SITE}.yaml", site_spec(SITE, web=3))
        home.write(f"specs/{SMALL}.yaml", site_spec(SMALL))
        home.push("Two sites")
        home.ready(SITE)
        home.ready(SMALL)
        yield home
    finally:
        home.close()


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine()


@pytest.fixture
def healing(home: Home, machine: Machine, record_property: Callable[[str, object], None]) -> Healing:
    return Healing(home, machine, record_property)


@pytest.fixture
def visitors(home: Home) -> Visitors:
    url = home.ready(SITE)["endpoints"][0]["url"]
    return Visitors(url, f"{SITE}.test", WORDS)


def test_a_killed_web_server_comes_back_and_no_visitor_notices(healing: Healing, visitors: Visitors) -> None:
    before = healing.home.containers()
    healing.heals(
        "web server killed",
        damage.kill(WEB),
        site=SITE,
        seen_by=LOSS,
        within=Limits(2, 30),
        visitors=visitors,
    )
    _only_these_changed(healing.home, before, WEB)


def test_a_removed_web_server_is_made_anew_and_no_visitor_notices(
    healing: Healing, visitors: Visitors
) -> None:
    before = healing.home.containers()
    healing.heals(
        "web server removed",
        damage.remove(OTHER),
        site=SITE,
        seen_by=LOSS,
        within=Limits(2, 30),
        visitors=visitors,
    )
    assert healing.home.containers()[OTHER]["id"] != before[OTHER]["id"]
    _only_these_changed(healing.home, before, OTHER)


def test_a_paused_web_server_goes_on_and_no_visitor_notices(healing: Healing, visitors: Visitors) -> None:
    before = healing.home.containers()
    healing.heals(
        "web server paused",
        damage.pause(LAST),
        site=SITE,
        seen_by=LOSS,
        within=Limits(2, 30),
        visitors=visitors,
    )
    _only_these_changed(healing.home, before, LAST)


def test_a_web_server_cut_off_is_replaced_after_the_confirmations_and_no_visitor_notices(
    healing: Healing, visitors: Visitors
) -> None:
    before = healing.home.containers()
    runs = healing.heals(
        "web server's network cut off",
        damage.cut(WEB, SITE),
        site=SITE,
        seen_by=PROBE,
        within=Limits(5, 45),
        visitors=visitors,
    )
    assert healing.home.containers()[WEB]["id"] != before[WEB]["id"]
    assert step(runs[-1], "provision")["hosts"] == [WEB]
    _only_these_changed(healing.home, before, WEB)


def test_a_removed_balancer_is_made_anew(healing: Healing) -> None:
    home = healing.home
    before = home.containers()
    healing.heals("balancer removed", damage.remove(BALANCER), site=SITE, seen_by=LOSS, within=Limits(2, 30))
    assert home.containers()[BALANCER]["id"] != before[BALANCER]["id"]
    _only_these_changed(home, before, BALANCER)
    assert WORDS in fetch(home.ready(SITE)["endpoints"][0]["url"], f"{SITE}.test")[2]


def test_a_stopped_nginx_is_started_and_nothing_else_is_touched(healing: Healing) -> None:
    before = healing.home.containers()
    runs = healing.heals(
        "nginx stopped",
        damage.stop("nginx", WEB),
        site=SITE,
        seen_by=PROBE | STATISTICS,
        within=Limits(5, 15),
    )
    assert step(runs[0], "configure")["hosts"] == [WEB]
    _only_these_changed(healing.home, before)


@pytest.mark.parametrize(("path", "host"), [(NGINX, WEB), (HAPROXY, BALANCER), (PAGE, OTHER)])
@pytest.mark.parametrize(("done", "harm"), [("edited", damage.edit), ("deleted", damage.delete)])
def test_a_managed_file_is_restored(
    healing: Healing, path: str, host: str, done: str, harm: Callable[[str, str], damage.Harm]
) -> None:
    home = healing.home
    before = home.containers()
    text = damage.read(home, host, path)
    healing.facts_are_fresh()
    runs = healing.heals(
        f"{path.rpartition('/')[2]} {done} by hand",
        harm(path, host),
        site=SITE,
        seen_by=BY_FACTS,
        within=Limits(FACTS, 20),
    )
    assert damage.read(home, host, path) == text
    assert step(runs[0], "deploy" if path == PAGE else "configure")["hosts"] == [host]
    assert "provision" not in steps_of(runs[0])
    _only_these_changed(home, before)


def test_a_server_disabled_in_haproxy_is_enabled_again(healing: Healing) -> None:
    home = healing.home
    before = home.containers()
    runs = healing.heals(
        "server disabled in haproxy",
        damage.disable(OTHER, BALANCER),
        site=SITE,
        seen_by=STATISTICS,
        within=Limits(5, 15),
        mended=lambda: "MAINT" not in damage.haproxy(home, BALANCER, "show stat"),
    )
    assert step(runs[0], "configure")["hosts"] == [BALANCER]
    _only_these_changed(home, before)


def test_a_lost_state_is_made_good_by_import_and_nothing_is_created(healing: Healing) -> None:
    """At once is at the next look of tier 0: two seconds and its jitter away, plus the look itself."""
    home = healing.home
    before = home.containers()
    runs = healing.heals(
        "Terraform state lost", damage.lose_state(SITE), site=SITE, seen_by=BY_STATE, within=Limits(3, 30)
    )
    actions = step(runs[0], "provision")["detail"]["actions"]
    assert actions
    assert all(action.startswith("import ") for action in actions), actions
    assert (home.home / "sites" / SITE / "terraform.tfstate").exists()
    _only_these_changed(home, before)


def test_a_hung_host_delays_nobody(healing: Healing) -> None:
    """One host's sshd takes connections and says nothing: whatever is asked of it hangs."""
    home = healing.home
    before = home.containers()
    with damage.hung(home, LAST):
        healing.facts_are_fresh()
        healing.heals(
            "nginx stopped, beside a hung host",
            damage.stop("nginx", SMALL_WEB),
            site=SMALL,
            seen_by=PROBE,
            within=Limits(5, 15),
        )
        healing.facts_are_fresh()
        healing.heals(
            "content edited, beside a hung host",
            damage.edit(PAGE, SMALL_WEB),
            site=SMALL,
            seen_by=BY_FACTS,
            within=Limits(FACTS, 20),
        )
        healing.heals(
            "content edited on a hung host's neighbour",
            damage.edit(PAGE, WEB),
            site=SITE,
            seen_by=BY_FACTS,
            within=Limits(FACTS, 20),
            only=WEB,
            mended=lambda: "by hand" not in damage.read(home, WEB, PAGE),
        )
    healing.at_rest(SITE)
    _only_these_changed(home, before)


def test_a_host_that_is_nobodys_is_told_of_and_never_deleted(healing: Healing) -> None:
    home = healing.home
    healing.at_rest(SITE)
    before = {run["id"] for run in home.runs(SITE)}
    with damage.stray(home, "shop-web-9", SITE) as stray:
        eventually("an orphan in the metrics", lambda: home.metric("otto_orphan_hosts") == 1, 30)
        assert home.metric("otto_site_orphan_hosts", site=SITE) == 1
        listed = home.json("status")["orphans"]
        assert [(host["name"], host["site"], host["id"]) for host in listed] == [("shop-web-9", SITE, stray)]
        assert "shop-web-9" in home.otto("status")
        assert "orphan.found" in home.otto("logs", SITE, "--lines", "200")
        healing.facts_are_fresh()
        home.otto("reconcile", SITE)
        healing.at_rest(SITE)
        assert home.containers()["shop-web-9"]["id"] == stray
        assert home.metric("otto_orphan_hosts") == 1
        assert not [
            run for run in home.runs(SITE) if run["id"] not in before and "provision" in steps_of(run)
        ]
    eventually("no orphan in the metrics", lambda: home.metric("otto_orphan_hosts") == 0, 60)
    assert home.json("status")["orphans"] == []
    assert "orphan.gone" in home.otto("logs", SITE, "--lines", "200")


def test_at_the_end_nothing_differs_and_nothing_exists_twice(healing: Healing) -> None:
    home = healing.home
    assert sorted(home.containers()) == [
        BALANCER,
        WEB,
        OTHER,
        LAST,
        "small-balancer-1",
        SMALL_WEB,
    ]
    for site in (SITE, SMALL):
        assert home.phase(site, Phase.READY)["ready"]
        assert home.json("diff", site)["differences"] == []


def _only_these_changed(home: Home, before: dict[str, dict[str, str]], *hosts: str) -> None:
    """All other hosts are the same containers, and were not even started again."""
    after = home.containers()
    assert after.keys() == before.keys()
    touched = {host for host in before if after[host] != before[host]}
    assert touched <= set(hosts), f"touched: {touched}"
