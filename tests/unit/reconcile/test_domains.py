"""Zones in the loop: from a push to what nameservers answer, with the sites that records follow."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from otto.model.domain import DomainPolicy, DomainSpec, Record, RecordType
from otto.model.errors import StaleError, TerminalError, TransientError
from otto.model.history import GrantKind
from otto.model.policy import Limits, Window, Windows
from otto.model.run import Outcome
from otto.model.spec import HostGroup
from otto.model.status import Condition, ConditionType, Phase, Truth
from otto.model.zone import RecordSet
from otto.reconcile.controller import Controller
from otto.testing import SimZone, site_spec

from .stage import Stage, due, held, say, told

ZONE = "one.example"
A, AAAA, MX, TXT = RecordType.A, RecordType.AAAA, RecordType.MX, RecordType.TXT


def holds(name: str, *values: str, kind: RecordType = A, ttl: int | None = None) -> Record:
    return Record(name, kind, values, ttl)


def follows(name: str, site: str = "one") -> tuple[Record, Record]:
    return Record(name, A, site=site), Record(name, AAAA, site=site)


def domain(*records: Record, name: str = ZONE, **fields: object) -> DomainSpec:
    return replace(DomainSpec(name, records=records), **fields)  # type: ignore[arg-type]


def allowing(**fields: object) -> DomainPolicy:
    return replace(DomainPolicy(approval="auto"), **fields)  # type: ignore[arg-type]


MANY = tuple(holds(f"h{n}", f"192.0.2.{n}") for n in range(4))


@asynccontextmanager
async def at_work(stage: Stage, *zones: DomainSpec) -> AsyncIterator[Controller]:
    stage.world.declare(*zones)
    async with stage.controller().running() as controller:
        await stage.calm(5)
        yield controller


async def push(stage: Stage, *zones: DomainSpec) -> None:
    stage.world.declare(*zones)
    await told(stage)


def held_by(stage: Stage, zone: str = ZONE) -> dict[str, tuple[str, ...]]:
    return dict(stage.world.zones.records(zone))


def sim(stage: Stage, zone: str = ZONE) -> SimZone:
    return stage.world.zones.zones[zone]


async def condition(stage: Stage, name: str, kind: ConditionType) -> Condition:
    return (await stage.status(name)).conditions[kind.value]


def measured(controller: Controller, name: str, **labels: str) -> float | None:
    return controller.kit.metrics.registry.get_sample_value(f"otto_dns_zone_{name}", {"zone": ZONE, **labels})


def calls(stage: Stage, name: str) -> int:
    return stage.world.zones.failures.count(name)


def record(name: str, *values: str, ttl: int = 300) -> RecordSet:
    return RecordSet(name, "A", ttl, values)


# From a push to Ready


async def test_a_zone_is_made_and_verified(stage: Stage) -> None:
    async with at_work(stage, domain(holds("a", "192.0.2.1"), holds("@t", "x", kind=TXT))):
        status = await stage.status(ZONE)
        assert (status.phase, status.ready) == (Phase.READY, True)
        assert held_by(stage)["a A"] == ("192.0.2.1",)
        run = await stage.last_run(ZONE)
        assert [step.kind for step in run.steps] == ["observe", "plan", "guard", "dns", "verify"]
        assert run.outcome is Outcome.SUCCEEDED
        for kind in (
            ConditionType.VALID,
            ConditionType.ALLOWED,
            ConditionType.RESOLVING,
            ConditionType.IN_SYNC,
        ):
            assert status.holds(kind)
        assert status.provider == "rfc2136"
        verdicts = [item.entry for item in await stage.world.ledger.records(site=ZONE)]
        assert [(entry.what, entry.plan) for entry in verdicts] == [("verdict", run.plan)]


async def test_a_commit_changes_what_it_says_and_nothing_else(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        changed = domain(MANY[1], MANY[2], holds("h3", "192.0.2.99", ttl=60), holds("new", "192.0.2.1"))
        await push(stage, changed)
        assert held_by(stage) == {
            "h1 A": ("192.0.2.1",),
            "h2 A": ("192.0.2.2",),
            "h3 A": ("192.0.2.99",),
            "new A": ("192.0.2.1",),
        }
        step = await stage.step(ZONE, "dns")
        assert step.summary == "1 destroy, 1 update, 1 create"
        assert "h3 A: 192.0.2.3 (ttl 300) -> 192.0.2.99 (ttl 60)" in step.detail["changes"]  # type: ignore[operator]


async def test_a_bad_spec_holds_back_its_zone_alone(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY), domain(name="two.example")):
        stage.world.source.commit({f"specs/{ZONE}.yaml": f'[{{"name": "{ZONE}", "records": 7}}]'})
        await told(stage)
        status = await stage.status(ZONE)
        assert status.conditions["Valid"].status is Truth.FALSE
        assert status.ready
        assert "last good one is in force" in status.message
        assert len(held_by(stage)) == 4
        assert (await stage.status("two.example")).holds(ConditionType.VALID)


# The steady state


async def test_nothing_but_a_serial_is_asked_for_while_nothing_changes(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        await stage.calm(60)
        before = {name: calls(stage, name) for name in ("plan", "check", "read", "apply")}
        serials, runs = calls(stage, "serial"), len(await stage.world.store.runs(ZONE))
        writes = stage.world.store.failures.count("save_status")
        await stage.calm(300)
        assert {name: calls(stage, name) for name in before} == before
        assert 8 <= calls(stage, "serial") - serials <= 14
        assert len(await stage.world.store.runs(ZONE)) == runs
        assert stage.world.store.failures.count("save_status") == writes


async def test_the_whole_zone_is_looked_at_now_and_then(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        plans, checks = calls(stage, "plan"), calls(stage, "check")
        await stage.calm(1200)
        assert (calls(stage, "plan") - plans, calls(stage, "check") - checks) == (1, 1)


async def test_a_restart_over_a_clean_zone_reads_nothing(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        pass
    stage.world.restart()
    plans = calls(stage, "plan")
    async with stage.controller().running():
        await stage.calm(5)
        assert calls(stage, "plan") == plans
        assert (await stage.status(ZONE)).ready
        assert len(await stage.world.store.runs(ZONE)) == 1


async def test_metrics_tell_of_a_zone_before_and_after_a_restart(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)) as controller:
        assert measured(controller, "differences") == 0  # of what was found after the change
        assert measured(controller, "serial") == sim(stage).serial
        assert measured(controller, "observed_age_seconds", look="check") is not None
    stage.world.restart()
    plans = calls(stage, "plan")
    async with stage.controller().running() as controller:
        assert measured(controller, "observed_age_seconds", look="full") is not None
        await stage.calm(35)
        assert calls(stage, "plan") == plans
        found = {name: measured(controller, name) for name in ("ready", "in_sync", "resolving", "failures")}
        assert found == {"ready": 1, "in_sync": 1, "resolving": 1, "failures": 0}
        assert measured(controller, "serial") == sim(stage).serial
        age = measured(controller, "observed_age_seconds", look="serial")
        assert age is not None
        assert age < 35


async def test_a_provider_without_serials_is_read_at_the_slow_interval(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        sim(stage).serial = None
        await due(stage, ZONE)
        plans = calls(stage, "plan")
        await stage.calm(300)
        assert calls(stage, "plan") == plans
        sim(stage).touch(record("h1", "192.0.2.66"))
        await stage.calm(1000)
        assert held_by(stage)["h1 A"] == ("192.0.2.1",)


# Drift


@pytest.mark.parametrize("change", ["changed", "gone"])
async def test_drift_is_found_by_the_serial_and_repaired(stage: Stage, change: str) -> None:
    async with at_work(stage, domain(*MANY)):
        zone = sim(stage)
        zone.touch(record("h1", "192.0.2.66")) if change == "changed" else zone.touch(gone=[("h1", "A")])
        await stage.calm(40)
        assert held_by(stage)["h1 A"] == ("192.0.2.1",)
        run = await stage.last_run(ZONE)
        assert run.steps[0].detail["differences"][0]["cause"] == "drift"  # type: ignore[index]
        assert (await stage.status(ZONE)).ready


async def test_drift_that_is_only_reported(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY, policy=DomainPolicy(drift="report"))):
        sim(stage).touch(record("h1", "192.0.2.66"))
        await stage.calm(40)
        status = await stage.status(ZONE)
        assert status.phase is not Phase.READY
        assert "only reported" in status.message
        assert status.conditions["InSync"].reason == "Drifted"
        assert held_by(stage)["h1 A"] == ("192.0.2.66",)
        plans = calls(stage, "plan")
        await stage.calm(300)
        assert calls(stage, "plan") == plans
        sim(stage).touch(record("h1", "192.0.2.1"))
        await stage.calm(40)
        assert (await stage.status(ZONE)).ready


@pytest.mark.parametrize(("drift", "stays"), [("repair", False), ("report", True), ("ask", True)])
async def test_what_somebody_adds_to_an_exclusive_zone_is_drift(
    stage: Stage, drift: str, *, stays: bool
) -> None:
    policy = DomainPolicy(exclusive=True, drift=drift)
    async with at_work(stage, domain(*MANY, policy=policy)):
        sim(stage).touch(record("", "192.0.2.66"))
        await stage.calm(40)
        assert ("@ A" in held_by(stage)) is stays
        assert (await stage.status(ZONE)).ready is not stays


async def test_drift_that_is_asked_about(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY, policy=DomainPolicy(drift="ask"))):
        sim(stage).touch(record("h1", "192.0.2.66"))
        await stage.calm(40)
        assert await held(stage, ZONE) == {"guard.drift.ask"}
        await stage.approve(ZONE, (await stage.status(ZONE)).plan)
        await stage.calm(40)
        assert held_by(stage)["h1 A"] == ("192.0.2.1",)


async def test_a_zone_that_somebody_else_keeps_changing_flaps(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        for _ in range(7):
            sim(stage).touch(record("h1", "192.0.2.66"))
            await stage.calm(40)
        assert await held(stage, ZONE) == {"guard.drift.flapping"}
        assert held_by(stage)["h1 A"] == ("192.0.2.66",)


async def test_records_of_others_are_left_alone(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        sim(stage).touch(record("theirs", "192.0.2.77"))
        await stage.calm(40)
        status = await stage.status(ZONE)
        assert status.ready
        assert "1 record set of others is left alone" in status.conditions["InSync"].message
        assert len(await stage.world.store.runs(ZONE)) == 1


async def test_a_record_of_somebody_else_is_taken_over_only_with_the_flag_and_approval(stage: Stage) -> None:
    zone = domain(holds("a", "192.0.2.1"), holds("b", "192.0.2.1"))
    stage.world.zones.zones[ZONE] = SimZone({("a", "A"): record("a", "192.0.2.77")})
    async with at_work(stage, zone):
        status = await stage.status(ZONE)
        assert status.conditions["InSync"].reason == "Conflict"
        assert status.conditions["Resolving"].status is Truth.FALSE
        assert not status.ready
        verify = (await stage.last_run(ZONE)).steps[-1]
        assert "2 of them by what is left alone: otto dns diff one.example" in verify.summary
        assert verify.outcome is Outcome.SUCCEEDED  # to try again would mend nothing
        plans = calls(stage, "plan")
        await stage.calm(200)
        assert calls(stage, "plan") == plans
        await push(stage, replace(zone, policy=allowing(takeover=True)))
        assert await held(stage, ZONE) == {"guard.dns.takeover"}
        await stage.approve(ZONE, (await stage.status(ZONE)).plan)
        await stage.calm(40)
        assert held_by(stage) == {"a A": ("192.0.2.1",), "b A": ("192.0.2.1",)}
        assert (await stage.status(ZONE)).ready


# The guard


async def test_an_emptied_zone_waits_for_a_person(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY[:2])):
        await push(stage, domain())
        assert await held(stage, ZONE) == {"guard.dns.emptied"}
        status = await stage.status(ZONE)
        assert status.phase is Phase.AWAITING_APPROVAL
        assert f"otto approve {ZONE} {status.plan[:12]}" in status.conditions["Allowed"].message
        assert len(held_by(stage)) == 2
        plans, runs = calls(stage, "plan"), len(await stage.world.store.runs(ZONE))
        await stage.calm(300)
        assert (calls(stage, "plan"), len(await stage.world.store.runs(ZONE))) == (plans, runs)
        await stage.approve(ZONE, status.plan)
        await stage.calm(40)
        assert not held_by(stage)
        assert (await stage.status(ZONE)).ready
        assert not await stage.world.ledger.grants(site=ZONE, kind=GrantKind.APPROVE)


async def test_a_plan_that_is_no_more_is_not_to_be_approved_any_more(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY[:2])):
        await push(stage, domain())
        assert (await condition(stage, ZONE, ConditionType.ALLOWED)).status is Truth.FALSE
        await push(stage, domain(*MANY[:2]))
        status = await stage.status(ZONE)
        assert status.ready
        assert status.holds(ConditionType.ALLOWED)
        assert not status.held
        assert not status.plan


async def test_nameservers_never_change_without_a_person(stage: Stage) -> None:
    policy = allowing()
    zone = domain(*MANY, nameservers=("ns1.a.example",), registrar="lab", policy=policy)
    async with at_work(stage, zone):
        assert "guard.dns.nameservers" not in await held(stage, ZONE)
        assert sim(stage).delegation == ("ns1.a.example",)
        await push(stage, replace(zone, nameservers=("ns2.a.example",)))
        assert await held(stage, ZONE) == {"guard.dns.nameservers"}
        assert sim(stage).delegation == ("ns1.a.example",)
        await stage.approve(ZONE, (await stage.status(ZONE)).plan)
        await stage.calm(40)
        assert sim(stage).delegation == ("ns2.a.example",)


async def test_a_zone_changes_in_its_windows(stage: Stage) -> None:
    soon = Windows((Window(allow=True, cron="20 0 * * *", lasts=3600.0),))  # twenty minutes from the start
    zone = domain(*MANY, policy=DomainPolicy(windows=soon))
    async with at_work(stage, zone):
        status = await stage.status(ZONE)
        assert {reason.rule for reason in status.held} == {"guard.window.site"}
        await stage.calm(15 * 60)
        assert not calls(stage, "apply")
        await stage.calm(5 * 60 + 30)
        assert (await stage.status(ZONE)).ready


async def test_a_policy_that_changes_alone_is_judged_at_once(stage: Stage) -> None:
    zone = domain(*MANY, policy=DomainPolicy(approval="always"))
    async with at_work(stage, zone):
        assert await held(stage, ZONE) == {"guard.approval.always"}
        await push(stage, domain(*MANY))
        assert (await stage.status(ZONE)).ready


async def test_protection_holds_for_the_commit_that_takes_it_away(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY, policy=DomainPolicy(protect=True))):
        await push(stage, domain(*MANY[1:]))
        assert "guard.protect.recent" in await held(stage, ZONE)
        assert len(held_by(stage)) == 4


async def test_a_zone_whose_nameserver_was_removed_is_made_anew_and_nobody_is_asked(stage: Stage) -> None:
    """As that of the lab, when somebody removes it by hand: delegation, signatures and all."""
    records = (*MANY, holds("@", "192.0.2.9"), holds("mail", "10 mx.two.example.", kind=MX))
    zone = domain(*records, nameservers=("ns1.a.example",), registrar="lab", dnssec=True)
    async with at_work(stage, zone):
        before = held_by(stage)
        del stage.world.zones.zones[ZONE]
        await stage.calm(60)
        assert held_by(stage) == before
        assert (sim(stage).delegation, sim(stage).signed) == (("ns1.a.example",), True)
        assert (await stage.status(ZONE)).ready


# Errors


async def test_a_server_that_is_away_is_tried_again_with_growing_pauses(stage: Stage) -> None:
    stage.world.zones.failures.always("plan", TransientError("ns1 does not answer", mend="see ns1"))
    async with at_work(stage, domain(*MANY)):
        status = await stage.status(ZONE)
        assert status.phase is Phase.DEGRADED
        assert status.message == "ns1 does not answer (see ns1)"
        await stage.calm(120)
        assert 4 <= calls(stage, "plan") <= 12
        stage.world.zones.failures.stop("plan")
        await stage.calm(300)
        assert (await stage.status(ZONE)).ready
        assert (await stage.status(ZONE)).failures == 0


def away(stage: Stage) -> None:
    for question in ("serial", "plan"):
        stage.world.zones.failures.always(question, TransientError("ns1 does not answer"))


def back(stage: Stage) -> None:
    for question in ("serial", "plan"):
        stage.world.zones.failures.stop(question)


async def test_a_server_that_goes_away_later_changes_no_condition(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        away(stage)
        await stage.calm(40)
        status = await stage.status(ZONE)
        assert status.phase is Phase.DEGRADED
        assert status.holds(ConditionType.RESOLVING)


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_server_that_comes_back_is_told_of_at_once(stage: Stage, *, restarted: bool) -> None:
    async with at_work(stage, domain(*MANY)) as controller:
        away(stage)
        await stage.calm(40)
        assert (await stage.status(ZONE)).failures > 0
        if not restarted:
            back(stage)
            await stage.calm(60)
            assert measured(controller, "failures") == 0
    if restarted:
        stage.world.restart()
        back(stage)
        async with stage.controller().running() as controller:
            await stage.calm(5)
            assert measured(controller, "failures") == 0
    status = await stage.status(ZONE)
    assert (status.phase, status.failures, status.message) == (Phase.READY, 0, "")


async def test_a_wrong_key_stalls(stage: Stage) -> None:
    stage.world.zones.failures.always(
        "apply", TerminalError("ns1 refuses the key", mend="see spec.server.key")
    )
    async with at_work(stage, domain(*MANY)):
        assert (await stage.status(ZONE)).message == "ns1 refuses the key (see spec.server.key)"
        await stage.calm(250)
        assert calls(stage, "apply") == 1


async def test_a_zone_that_moved_is_planned_again_at_once(stage: Stage) -> None:
    stage.world.zones.failures.next("apply", StaleError("the zone moved on"))
    async with at_work(stage, domain(*MANY)):
        runs = await stage.world.store.runs(ZONE)
        assert {run.outcome for run in runs} == {Outcome.SUCCEEDED, Outcome.SUPERSEDED}
        assert (await stage.status(ZONE)).ready


async def test_what_a_stale_plan_would_have_removed_counts_nowhere(stage: Stage) -> None:
    policy = allowing(limits=Limits(window_count=2))
    zone = domain(*MANY, *(holds(f"k{n}", "192.0.2.9") for n in range(20)), policy=policy)
    async with at_work(stage, zone):
        gate = stage.world.zones.failures.hold("apply")
        stage.world.declare(replace(zone, records=zone.records[2:]))
        await told(stage)
        await gate.reached()
        sim(stage).touch(record("h1", "192.0.2.67"))  # and the next plan is another one
        stage.world.zones.failures.unhold("apply")
        gate.open()
        await stage.calm(40)
        assert await held(stage, ZONE) == frozenset()
        assert (await stage.status(ZONE)).ready
        assert "h1 A" not in held_by(stage)
        outcomes = [run.outcome for run in await stage.world.store.runs(ZONE)]
        assert outcomes == [Outcome.SUCCEEDED, Outcome.SUPERSEDED, Outcome.SUCCEEDED]
        # The two that went count: one more is too much for this hour.
        await push(stage, replace(zone, records=zone.records[3:]))
        assert await held(stage, ZONE) == {"guard.window.count"}


async def test_a_zone_that_moves_for_ever_is_told_of(stage: Stage) -> None:
    stage.world.zones.failures.always("apply", StaleError("the zone moved on"))
    async with at_work(stage, domain(*MANY)):
        status = await stage.status(ZONE)
        assert "keeps changing while it is worked on" in status.message
        assert calls(stage, "apply") <= 6


async def test_a_secondary_that_lags_is_waited_for(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        sim(stage).slow = {"ns2": dict(sim(stage).records)}
        await push(stage, domain(*MANY, holds("new", "192.0.2.9")))
        assert (await stage.status(ZONE)).phase is Phase.VERIFYING
        sim(stage).slow = {}
        await stage.calm(5)
        assert (await stage.status(ZONE)).ready


async def test_a_secondary_that_never_follows_fails_the_run(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        sim(stage).slow = {"ns2": dict(sim(stage).records)}
        await push(stage, domain(*MANY, holds("new", "192.0.2.9")))
        await stage.calm(70)
        run = (await stage.world.store.runs(ZONE))[0]
        assert run.outcome is Outcome.FAILED
        resolving = await condition(stage, ZONE, ConditionType.RESOLVING)
        assert resolving.status is Truth.FALSE
        assert "new.one.example A at ns2: expected 192.0.2.9, got no such record" in resolving.message
        sim(stage).slow = {}
        await stage.calm(300)
        assert (await stage.status(ZONE)).ready


async def test_a_resolver_that_keeps_the_old_answer_fails_no_run_and_is_asked_when_its_time_is_over(
    stage: Stage,
) -> None:
    resolver = "192.0.2.153"
    async with at_work(stage, domain(*MANY, resolvers=(resolver,))):
        sim(stage).slow = {resolver: dict(sim(stage).records)}
        await push(stage, domain(holds("h0", "192.0.2.9", ttl=120), *MANY[1:], resolvers=(resolver,)))
        await stage.calm(70)
        status = await stage.status(ZONE)
        assert (await stage.last_run(ZONE)).outcome is Outcome.SUCCEEDED
        resolving = status.conditions["Resolving"]
        assert resolving.status is Truth.FALSE
        assert f"h0.one.example A on {resolver}" in resolving.message
        assert (status.ready, status.failures) == (False, 0)
        sim(stage).slow = {}
        await stage.calm(130)
        assert (await stage.status(ZONE)).ready


async def test_a_stuck_nameserver_holds_up_no_site(stage: Stage) -> None:
    stage.world.zones.failures.hold("plan")
    zones = [domain(*MANY, name=f"z{n}.example") for n in range(20)]
    stage.world.push(site_spec("one"))
    async with at_work(stage, *zones):
        await stage.calm(30)
        assert (await stage.status("one")).ready
        assert calls(stage, "plan") == 0
        stage.world.push(site_spec("one", web=HostGroup(3, "small", "base")))
        await told(stage)
        await stage.calm(30)
        assert (await stage.status("one")).ready
        assert len((await stage.status("one")).hosts) == 4


async def test_a_killed_controller_goes_on_where_things_are(stage: Stage) -> None:
    gate = stage.world.zones.failures.hold("apply")
    stage.world.declare(domain(*MANY))
    async with stage.controller().running():
        await stage.calm(5)
        await gate.reached()
    assert (await stage.last_run(ZONE)).outcome is Outcome.INTERRUPTED
    stage.world.zones.failures.unhold("apply")
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(5)
        assert (await stage.status(ZONE)).ready


# Suspended, orphaned, given up


async def test_a_suspended_zone_is_left_alone(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        await stage.world.store.set_intent(ZONE, "suspend", on=True)
        sim(stage).touch(record("h1", "192.0.2.66"))
        await due(stage, ZONE)
        assert (await stage.status(ZONE)).phase is Phase.SUSPENDED
        await stage.calm(400)
        assert held_by(stage)["h1 A"] == ("192.0.2.66",)
        await stage.world.store.set_intent(ZONE, "suspend", on=False)
        await due(stage, ZONE)
        assert held_by(stage)["h1 A"] == ("192.0.2.1",)


async def test_a_domain_that_vanishes_leaves_its_records(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        stage.world.withdraw(ZONE)
        await told(stage)
        status = await stage.status(ZONE)
        assert status.phase is Phase.ORPHANED
        assert f"otto destroy {ZONE}" in status.message
        assert len(held_by(stage)) == 4
        await stage.world.store.set_intent(ZONE, "destroy", on=True)
        await due(stage, ZONE)
        assert not held_by(stage)
        assert await stage.world.store.status(ZONE) is None
        assert ZONE not in await stage.world.store.remembered_domains()
        said = [item.entry.what for item in await stage.world.ledger.records(site=ZONE)]
        assert said[-1] == "destroy"


async def test_a_zone_that_vanished_says_when_it_leads_to_what_is_gone(stage: Stage) -> None:
    async with with_site(stage):
        stage.world.withdraw(ZONE)
        await told(stage)
        assert "still lead" not in (await stage.status(ZONE)).message
        stage.world.hosts.remove("one-balancer-1")
        await stage.calm(60)
        await due(stage, ZONE)
        assert (await stage.status(ZONE)).message.endswith("they still lead to where one was")
        assert held_by(stage)["www A"] != await addresses(stage)


async def test_a_zone_that_is_given_up_keeps_what_others_made(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY)):
        sim(stage).touch(record("theirs", "192.0.2.77"))
        await stage.world.store.set_intent(ZONE, "destroy", on=True)
        await due(stage, ZONE)
        assert held_by(stage) == {"theirs A": ("192.0.2.77",)}
        assert (await stage.status(ZONE)).phase is Phase.DESTROYED
        await stage.calm(600)
        assert held_by(stage) == {"theirs A": ("192.0.2.77",)}
        for intent in ("destroy", "destroyed"):
            await stage.world.store.set_intent(ZONE, intent, on=False)
        await due(stage, ZONE)
        assert len(held_by(stage)) == 5


async def test_a_protected_zone_is_not_given_up(stage: Stage) -> None:
    async with at_work(stage, domain(*MANY, policy=DomainPolicy(protect=True))):
        await stage.world.store.set_intent(ZONE, "destroy", on=True)
        await due(stage, ZONE)
        assert await held(stage, ZONE) == {"guard.protect"}
        assert (await stage.status(ZONE)).leaving == "person"
        assert len(held_by(stage)) == 4


# Records that follow sites


@asynccontextmanager
async def with_site(stage: Stage, *records: Record, **fields: object) -> AsyncIterator[Controller]:
    spec = site_spec("one", domains=("www.one.example", "one.example"), **fields)
    stage.world.push(spec)
    async with at_work(stage, domain(*(records or (*follows(""), *follows("www"))))) as controller:
        await stage.calm(10)
        yield controller


async def addresses(stage: Stage, site: str = "one") -> tuple[str, ...]:
    return tuple(sorted(item.address for item in (await stage.status(site)).endpoints))


async def test_records_follow_a_site_and_its_names_resolve(stage: Stage) -> None:
    async with with_site(stage):
        at = await addresses(stage)
        assert at
        assert held_by(stage) == {"@ A": at, "www A": at}
        resolving = await condition(stage, "one", ConditionType.RESOLVING)
        assert (resolving.status, resolving.reason) == (Truth.TRUE, "AsDesired")
        assert (await stage.status("one")).ready


async def test_records_come_when_the_site_serves_and_not_before(stage: Stage) -> None:
    gate = stage.world.configuration.failures.hold("configure")
    async with with_site(stage):
        await gate.reached()
        assert not held_by(stage)
        status = await stage.status(ZONE)
        assert "no address of one is known" in status.conditions["InSync"].message
        gate.open()
        await stage.calm(10)
        assert held_by(stage)["www A"] == await addresses(stage)


async def test_records_follow_at_once_when_balancers_are_made_anew(stage: Stage) -> None:
    async with with_site(stage):
        before = await addresses(stage)
        stage.world.hosts.remove("one-balancer-1")
        await stage.calm(60)
        after = await addresses(stage)
        assert after != before
        assert held_by(stage) == {"@ A": after, "www A": after}
        # Apex and all: what only follows a site asks nobody.
        assert (await stage.status(ZONE)).ready
        assert (await condition(stage, "one", ConditionType.RESOLVING)).status is Truth.TRUE


async def test_a_name_that_no_record_leads_to_is_told_of(stage: Stage) -> None:
    async with with_site(stage, *follows("")):
        resolving = await condition(stage, "one", ConditionType.RESOLVING)
        assert (resolving.status, resolving.reason) == (Truth.FALSE, "NoRecord")
        assert "www.one.example: no record of the zone one.example leads to one" in resolving.message
        status = await stage.status("one")
        assert not status.ready
        await push(stage, domain(*follows(""), *follows("*")))
        assert (await stage.status("one")).ready


async def test_an_alias_leads_to_a_site(stage: Stage) -> None:
    alias = Record("www", RecordType.CNAME, ("one.example.",))
    async with with_site(stage, *follows(""), alias):
        assert (await condition(stage, "one", ConditionType.RESOLVING)).status is Truth.TRUE


@pytest.mark.parametrize(
    ("record_set", "reason"),
    [(holds("www", "192.0.2.99"), "OtherAddress"), (Record("www", A, site="two"), "OtherSite")],
)
async def test_a_record_that_leads_elsewhere(stage: Stage, record_set: Record, reason: str) -> None:
    stage.world.push(site_spec("two", domains=("two.other.example",)))
    async with with_site(stage, *follows(""), record_set):
        assert (await condition(stage, "one", ConditionType.RESOLVING)).reason == reason


async def test_a_wrong_answer_is_shown_with_the_site(stage: Stage) -> None:
    async with with_site(stage):
        at = await addresses(stage)
        sim(stage).slow = {"ns2": {("", "A"): record("", *at), ("www", "A"): record("www", "192.0.2.66")}}
        await due(stage, ZONE)
        await stage.calm(70)
        resolving = await condition(stage, "one", ConditionType.RESOLVING)
        assert resolving.reason == "Failed"
        words = f"www.one.example A at ns2: expected {at[0]}, got 192.0.2.66"
        assert words in resolving.message
        sim(stage).slow = {}
        await stage.calm(300)
        assert (await stage.status("one")).ready


async def test_a_name_where_somebody_elses_record_stands_does_not_resolve(stage: Stage) -> None:
    stage.world.zones.zones[ZONE] = SimZone({("www", "A"): record("www", "192.0.2.77")})
    async with with_site(stage):
        await stage.calm(60)
        assert held_by(stage)["www A"] == ("192.0.2.77",)
        resolving = await condition(stage, "one", ConditionType.RESOLVING)
        assert (resolving.status, resolving.reason) == (Truth.FALSE, "Failed")
        assert "got 192.0.2.77" in resolving.message
        assert not (await stage.status("one")).ready


async def test_without_a_domain_resolving_is_unknown_and_nothing_depends_on_it(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(10)
        resolving = await condition(stage, "one", ConditionType.RESOLVING)
        assert (resolving.status, resolving.reason) == (Truth.UNKNOWN, "NotManaged")
        assert (await stage.status("one")).ready


async def test_a_plan_that_waits_leaves_names_as_they_resolve(stage: Stage) -> None:
    async with with_site(stage):
        records = (*follows(""), *follows("www"), holds("", "10 mail.one.example.", kind=MX))
        await push(stage, domain(*records, policy=DomainPolicy(approval="always")))
        assert (await stage.status(ZONE)).phase is Phase.AWAITING_APPROVAL
        await due(stage, "one")
        assert (await stage.status("one")).ready


# Leaving DNS


async def test_a_site_leaves_dns_and_waits_its_time_before_it_goes(stage: Stage) -> None:
    async with with_site(stage):
        await stage.world.store.set_intent("one", "destroy", on=True)
        await due(stage, "one")
        await stage.calm(5)
        assert not held_by(stage)
        status = await stage.status("one")
        assert "has left DNS; visitors may still come until" in status.message
        assert await stage.world.infrastructure.inventory("one")
        await stage.calm(200)
        assert await stage.world.infrastructure.inventory("one")
        await stage.calm(120)
        assert not await stage.world.infrastructure.inventory("one")
        assert (await stage.status("one")).phase is Phase.DESTROYED
        assert not held_by(stage)
        await stage.calm(100)
        assert not held_by(stage)


async def test_a_killed_controller_still_knows_what_leaves(stage: Stage) -> None:
    async with with_site(stage):
        await stage.world.store.set_intent("one", "destroy", on=True)
        await due(stage, "one")
        await stage.calm(100)
        assert not held_by(stage)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(5)
        assert not held_by(stage)
        assert await stage.world.infrastructure.inventory("one")
        await stage.calm(230)
        assert not await stage.world.infrastructure.inventory("one")


async def test_a_site_waits_while_a_person_is_asked_about_its_zone(stage: Stage) -> None:
    async with with_site(stage):
        frozen = await say(stage, GrantKind.FREEZE, ZONE)
        await stage.world.store.set_intent("one", "destroy", on=True)
        await due(stage, "one")
        await stage.calm(1200)
        assert held_by(stage)
        assert await stage.world.infrastructure.inventory("one")
        assert "leaves DNS first: one.example" in (await stage.status("one")).message
        await stage.world.ledger.revoke(frozen)
        await stage.calm(400)
        assert not await stage.world.infrastructure.inventory("one")


async def test_a_nameserver_that_is_gone_does_not_keep_a_site_for_ever(stage: Stage) -> None:
    async with with_site(stage):
        stage.world.zones.failures.always("plan", TransientError("ns1 does not answer"))
        await stage.world.store.set_intent("one", "destroy", on=True)
        await due(stage, "one")
        await stage.calm(600)
        assert await stage.world.infrastructure.inventory("one")
        await stage.calm(1000)
        assert not await stage.world.infrastructure.inventory("one")


async def test_a_balancer_leaves_dns_before_it_is_taken_away(stage: Stage) -> None:
    async with with_site(stage, balancer=HostGroup(2, "small", "base")):
        both = await addresses(stage)
        assert held_by(stage)["www A"] == both
        stage.world.push(site_spec("one", domains=("www.one.example", "one.example")))
        await told(stage)
        await stage.calm(10)
        assert len(held_by(stage)["www A"]) == 1
        assert len(await stage.world.infrastructure.inventory("one")) == 4
        assert "has left DNS" in (await stage.status("one")).message
        await stage.calm(320)
        assert len(await stage.world.infrastructure.inventory("one")) == 3
        assert (await stage.status("one")).ready
        assert held_by(stage)["www A"] == await addresses(stage)


async def test_the_last_balancer_is_not_waited_for(stage: Stage) -> None:
    async with with_site(stage):
        stage.world.push(
            site_spec(
                "one",
                domains=("www.one.example", "one.example"),
                balancer=HostGroup(1, "medium", "base"),
                policy=replace(site_spec("one").policy, approval="auto"),
            )
        )
        await told(stage)
        await stage.calm(30)
        assert (await stage.status("one")).ready
        assert held_by(stage)["www A"] == await addresses(stage)
