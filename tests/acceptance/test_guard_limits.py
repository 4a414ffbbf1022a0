"""Windows, budgets, and what is changed again and again; told in order over one home."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from otto.model.history import GrantKind

from . import damage
from .damage import HAPROXY, NGINX
from .guarded import Guarded, spec
from .harness import eventually

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("guard-limits"), pytest.mark.timeout(600)]

SITE, WEB, OTHER, BALANCER = "shop", "shop-web-1", "shop-web-2", "shop-balancer-1"

# A unit that changes a managed file of its host, so that traces of it can be found.
TWEAK = f"""cat > /usr/local/bin/tweak <<'X'
#!/bin/sh
echo "# tweaked" >> {NGINX}
X
chmod 755 /usr/local/bin/tweak
cat > /etc/systemd/system/tweak.service <<'X'
[Service]
Type=oneshot
ExecStart=/usr/local/bin/tweak
X
systemctl daemon-reload
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Guarded]:
    home = Guarded.make(OTTO_LOOP_INTERVAL="600", OTTO_FACTS_INTERVAL="3", OTTO_SOURCE_INTERVAL="600")
    try:
        home.let_go(SITE, home.begin(shop=spec(SITE)))
        yield home
    finally:
        home.close()


def fleet(home: Guarded, budget: float) -> None:
    """Set the operator's policy, and have the site looked at."""
    document = {"apiVersion": "otto/v1", "kind": "FleetPolicy", "spec": {"budget": {"monthly": budget}}}
    (home.home / "policy.yaml").write_text(json.dumps(document))


# Windows


def test_outside_its_window_a_change_waits_and_a_repair_does_not(home: Guarded) -> None:
    opens = datetime.now(UTC) + timedelta(hours=6)
    window = {"cron": f"{opens.minute} {opens.hour} * * *", "lasts": "1h"}
    home.change(SITE, {"windows": {"allow": [window]}}, algorithm="leastconn")
    site = home.held(SITE, "guard.window.site")
    (blocker,) = home.json("why", SITE)["blockers"]
    assert blocker["rule"] == "guard.window.site"
    assert f"otto override {SITE}" in blocker["unblock"]
    assert datetime.fromisoformat(blocker["until"]) == opens.replace(second=0, microsecond=0)
    home.healed(SITE, WEB)
    assert home.held(SITE, "guard.window.site")["plan"] == site["plan"]
    assert "leastconn" not in damage.read(home, BALANCER, HAPROXY)


def test_an_override_lets_it_through_and_is_on_record(home: Guarded) -> None:
    home.otto("override", SITE, "--reason", "the shop is full", "--for", "10m", "--by", "ada")
    home.let_go(SITE)
    assert "leastconn" in damage.read(home, BALANCER, HAPROXY)
    (record,) = home.record("override")
    assert (record.entry.who, record.entry.reason) == ("ada", "the shop is full")
    assert [grant.by for grant in home.grants(GrantKind.OVERRIDE, SITE)] == ["ada"]


# Budgets


def test_over_its_budget_a_site_grows_no_more_and_what_runs_is_healed(home: Guarded) -> None:
    home.change(SITE, {"budget": {"monthly": 0}}, web=2)
    site = home.held(SITE, "guard.budget.site")
    assert site["cost"]["hourly"] > 0
    home.refuses("no approval changes that", "approve", SITE, site["plan"][:12])
    home.healed(SITE, WEB)
    home.held(SITE, "guard.budget.site")


def test_over_the_fleets_budget_nothing_grows_until_it_is_raised(home: Guarded) -> None:
    fleet(home, 0)
    home.change(SITE, {"budget": {"monthly": 1000}}, web=2)
    home.held(SITE, "guard.budget.fleet")
    assert "guard.budget.site" not in {item["rule"] for item in (home.site(SITE) or {})["held"]}
    assert OTHER not in home.containers()
    fleet(home, 1000)
    home.otto("reconcile", SITE)
    home.let_go(SITE)
    assert OTHER in home.containers()


# What is changed again and again


def test_what_keeps_being_changed_is_left_and_who_does_it_is_named(home: Guarded) -> None:
    home.let_go(SITE, home.change(SITE, {"drift": {"heals": 1}}, web=2))
    text = damage.read(home, WEB, NGINX)
    damage.inside(home, WEB, "sh", "-c", TWEAK)
    damage.inside(home, WEB, "systemctl", "start", "tweak.service")
    eventually("repaired", lambda: damage.read(home, WEB, NGINX) == text, 60)
    home.let_go(SITE)
    damage.inside(home, WEB, "systemctl", "start", "tweak.service")
    home.held(SITE, "guard.drift.flapping")
    assert "tweak.service names it" in home.otto("why", SITE)
    assert "# tweaked" in damage.read(home, WEB, NGINX)
    home.serves(SITE)


def test_approved_it_is_repaired_once_more(home: Guarded) -> None:
    plan = home.held(SITE, "guard.drift.flapping")["plan"]
    home.otto("approve", SITE, plan[:12], "--by", "ada")
    home.let_go(SITE)
    assert "# tweaked" not in damage.read(home, WEB, NGINX)


def test_in_the_end_the_audit_record_is_whole(home: Guarded) -> None:
    home.whole()
