"""What the guard says of plans for zones."""

from dataclasses import replace
from datetime import timedelta

import pytest

from otto.decide.guard import taken
from otto.model.history import GrantKind, History, Removal
from otto.model.plan import (
    RECORD,
    Action,
    ActionKind,
    Circumstances,
    Plan,
    Removing,
    Step,
    StepKind,
    ZoneCircumstances,
)
from otto.model.policy import Effective, FleetPolicy, Policy, RecordShares, Window, Windows

from .cases import NOW, grant, policy, said

CREATE, UPDATE, DESTROY = ActionKind.CREATE, ActionKind.UPDATE, ActionKind.DESTROY
ZONE = "example.org"


def record(kind: ActionKind, address: str = "www A") -> Action:
    return Action(address, kind, asked=kind is DESTROY, type=RECORD)


def plan(*actions: Action, causes: tuple[str, ...] = ("spec",), managed: int = 100, **zone: object) -> Plan:
    about = Circumstances(causes=causes, zone=ZoneCircumstances(managed, **zone))  # type: ignore[arg-type]
    return Plan(ZONE, "d" * 64, (Step(StepKind.DNS, (), actions), Step(StepKind.VERIFY)), about)


def test_what_nobody_is_asked_about() -> None:
    changes = (record(CREATE, "@ A"), record(CREATE, "* A"), record(UPDATE), record(DESTROY, "a A"))
    assert said(plan(*changes)) == ("Allowed", set())


def test_a_new_zone_is_made_with_all_it_holds() -> None:
    made = (Action("zone", CREATE, type="zone"), Action("dnssec", UPDATE, type="dnssec"))
    assert said(plan(*made, record(CREATE, "@ NS"), managed=0)) == ("Allowed", set())


@pytest.mark.parametrize("address", ["@ A", "* A", "*.dev TXT", "@ MX", "mail MX", "sub NS"])
@pytest.mark.parametrize("kind", [UPDATE, DESTROY])
def test_a_commit_that_changes_what_much_depends_on(address: str, kind: ActionKind) -> None:
    assert said(plan(record(kind, address))) == ("NeedsApproval", {"guard.dns.exposed"})
    assert said(plan(record(kind, address)), policy(approval="auto")) == ("Allowed", set())


def test_following_a_site_and_putting_right_again_ask_nobody() -> None:
    follows = plan(record(UPDATE, "@ A"), causes=("follow",), followed=("@ A",))
    assert said(follows) == ("Allowed", set())
    mends = plan(record(UPDATE, "@ MX"), causes=("drift",), mended=("@ MX",))
    assert said(mends) == ("Allowed", set())


@pytest.mark.parametrize("mode", ["auto", "destructive"])
@pytest.mark.parametrize(
    ("action", "rule"),
    [
        (Action("delegation", UPDATE, type="delegation"), "guard.dns.nameservers"),
        (record(UPDATE, "@ NS"), "guard.dns.nameservers"),
        (Action("dnssec", UPDATE, type="dnssec"), "guard.dns.dnssec"),
    ],
)
def test_nameservers_and_signing_always_ask(action: Action, rule: str, mode: str) -> None:
    verdict, rules = said(plan(action), policy(approval=mode))
    assert verdict == "NeedsApproval"
    assert rule in rules


def test_shares_of_a_zone() -> None:
    updates = tuple(record(UPDATE, f"h{n} A") for n in range(4))
    assert said(plan(*updates, managed=14)) == ("Allowed", set())
    assert said(plan(*updates, managed=13)) == ("NeedsApproval", {"guard.dns.updates"})
    assert said(plan(*updates, managed=9)) == ("Allowed", set())
    wide = Effective(Policy(records=RecordShares(update=0.5)))
    assert said(plan(*updates, managed=10), wide) == ("Allowed", set())
    followed = tuple(action.address for action in updates)
    assert said(plan(*updates, managed=10, causes=("follow",), followed=followed)) == ("Allowed", set())


def test_removing_many_and_much_at_once() -> None:
    deletes = tuple(record(DESTROY, f"h{n} A") for n in range(4))
    assert said(plan(*deletes[:3])) == ("Allowed", set())
    assert said(plan(*deletes)) == ("NeedsApproval", {"guard.destroy.count"})
    assert said(plan(*deletes, managed=12))[1] == {"guard.destroy.count", "guard.dns.deletes"}


@pytest.mark.parametrize("mode", ["auto", "destructive"])
def test_an_emptied_zone(mode: str) -> None:
    gone = (record(DESTROY, "a A"), record(DESTROY, "b A"))
    verdict, rules = said(plan(*gone, managed=2), policy(approval=mode))
    assert (verdict, rules) == ("NeedsApproval", {"guard.dns.emptied"})
    assert said(plan(*gone, managed=3)) == ("Allowed", set())
    assert said(plan(*gone, record(CREATE, "c A"), managed=2)) == ("Allowed", set())


def test_a_zone_that_a_person_gives_up() -> None:
    gone = tuple(record(DESTROY, address) for address in ("@ A", "@ MX", "www A", "a A", "b A"))
    about = Circumstances(causes=("asked",), removing=Removing.PERSON, zone=ZoneCircumstances(5))
    of = Plan(ZONE, "", (Step(StepKind.DNS, (), gone),), about)
    assert said(of) == ("Allowed", set())
    assert said(of, policy(protect=True)) == ("Refused", {"guard.protect"})
    assert said(of, policy(approvers=2)) == ("NeedsApproval", {"guard.destroy.approvers"})


def test_taking_over_always_asks() -> None:
    of = plan(record(UPDATE), taken_over=("www A",))
    assert said(of, policy(approval="auto")) == ("NeedsApproval", {"guard.dns.takeover"})


def test_a_protected_zone() -> None:
    protected = policy(protect=True)
    assert said(plan(record(DESTROY)), protected) == ("Refused", {"guard.protect"})
    assert said(plan(record(UPDATE, "@ NS")), protected)[0] == "Refused"
    assert said(plan(record(UPDATE)), protected) == ("Allowed", set())
    before = History(protected=True)
    assert said(plan(record(DESTROY)), history=before) == ("NeedsApproval", {"guard.protect.recent"})


def test_a_freeze_holds_what_is_removed_and_nothing_else() -> None:
    frozen = History(grants=(grant(GrantKind.FREEZE, site=""),))
    assert said(plan(record(DESTROY)), history=frozen) == ("Waiting", {"guard.freeze"})
    assert said(plan(record(UPDATE)), history=frozen) == ("Allowed", set())


def test_windows_hold_commits_and_not_what_follows_a_site() -> None:
    closed = policy(windows=Windows((Window(allow=True, cron="0 0 1 1 *", lasts=60.0),)))
    assert said(plan(record(UPDATE)), closed) == ("Waiting", {"guard.window.site"})
    follows = plan(record(UPDATE), causes=("follow",), followed=("www A",))
    assert said(follows, closed) == ("Allowed", set())
    assert said(plan(record(UPDATE), causes=("drift",), mended=("www A",)), closed) == ("Allowed", set())
    leaves = plan(record(DESTROY), causes=("follow",), followed=("www A",))
    assert said(leaves, closed) == ("Allowed", set())


def test_records_of_all_zones_are_added_up_and_hosts_are_not() -> None:
    ago = NOW - timedelta(minutes=5)
    records = tuple(Removal(f"z{n}.example", "www A", DESTROY, ago) for n in range(12))
    hosts = tuple(Removal(f"s{n}", f"s{n}-web-1", DESTROY, ago) for n in range(12))
    of = plan(record(DESTROY))
    assert said(of, history=History(removals=hosts)) == ("Allowed", set())
    assert said(of, history=History(removals=records)) == ("NeedsApproval", {"guard.fleet.count"})


def test_what_is_remembered_of_removals() -> None:
    of = plan(record(DESTROY, "@ A"), record(DESTROY, "b A"), record(DESTROY, "c A"), followed=("c A",))
    found = {item.host: item.weight for item in taken(of, Effective(Policy(), FleetPolicy()), NOW)}
    assert found == {"@ A": 3.0, "b A": 1.0}


def test_an_approval_is_of_the_very_records() -> None:
    of = plan(record(UPDATE, "@ A"))
    approved = History(grants=(replace(grant(GrantKind.APPROVE, site=ZONE), plan=of.digest),))
    assert said(of, history=approved) == ("Allowed", set())
    other = plan(record(UPDATE, "@ A"), record(UPDATE, "www A"))
    assert said(other, history=approved)[0] == "NeedsApproval"
