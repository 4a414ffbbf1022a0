"""What the loop does when the guard holds something, and the ordinary day, when it holds nothing."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from otto.decide import audit
from otto.model.history import Account, GrantKind
from otto.model.notice import NoticeKind
from otto.model.plan import StepKind
from otto.model.policy import (
    Budget,
    DriftPolicy,
    FleetPolicy,
    Handling,
    Ignored,
    LabelDefault,
    Limits,
    Overrun,
    Place,
    Policy,
    Window,
    Windows,
)
from otto.model.run import Outcome
from otto.model.spec import Algorithm, Provider
from otto.model.status import Phase
from otto.model.verdict import Effect, Reason
from otto.testing import site_spec

from .stage import NIGHT, Stage, due, held, ids, names, push, rules, say, told, web


def told_of(stage: Stage) -> list[tuple[NoticeKind, str]]:
    """What people were told of freezes."""
    kinds = (NoticeKind.FREEZE, NoticeKind.THAW)
    return [(item.kind, item.body) for item in stage.world.notifier.notices if item.kind in kinds]


# The ordinary day


async def test_the_ordinary_day_needs_nobody(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, site_spec("one", web=web(3)))
        stage.world.push(files={"sites/one/index.html": "<h1>It works, and more</h1>"})
        await told(stage)
        stage.world.hosts.remove("one-web-2")
        await stage.calm(10)
        stage.world.hosts["one-web-1"].files["/etc/nginx/nginx.conf"] = "edited"
        await stage.calm(60)
        await push(stage, site_spec("one", web=web(2)))
        assert (await stage.status("one")).phase is Phase.READY
        assert await held(stage) == set()
        verdicts = {item.entry.detail["verdict"] for item in stage.world.ledger.log}
        assert verdicts == {"Allowed"}


# Approvals


async def test_two_people_have_to_approve_and_the_digest_is_what_they_approve(stage: Stage) -> None:
    policy = Policy(approvers=2)
    stage.world.push(site_spec("one", policy=policy))
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        stage.world.images.ids["newer"] = "img-newer"
        await push(stage, site_spec("one", web=web(2, image="newer"), policy=policy))
        waiting = await stage.status("one")
        assert waiting.phase is Phase.AWAITING_APPROVAL
        await stage.approve("one", waiting.plan, "ada")
        await stage.approve("one", waiting.plan, "Ada")
        await stage.calm(60)
        assert await ids(stage) == before
        await stage.approve("one", waiting.plan, "grace")
        await stage.calm(60)
        assert (await stage.status("one")).phase is Phase.READY
        assert (await ids(stage))["one-web-1"] != before["one-web-1"]


async def test_what_changes_after_an_approval_needs_a_new_one_and_what_changes_nothing_does_not(
    stage: Stage,
) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        await push(stage, site_spec("one", web=web(2, size="medium", image="nginx")))
        first = (await stage.status("one")).plan
        assert first
        stage.world.push(files={"README": "words"})
        await told(stage)
        assert (await stage.status("one")).plan == first
        await push(stage, site_spec("one", web=web(2, size="large", image="nginx")))
        second = (await stage.status("one")).plan
        assert second != first
        await stage.approve("one", first)
        await stage.calm(60)
        assert await ids(stage) == before


@pytest.mark.parametrize(
    ("approved", "pushed"),
    [
        ({"algorithm": Algorithm.LEASTCONN}, {"algorithm": Algorithm.RANDOM}),
        ({"domains": ("a.test",)}, {"domains": ("b.test",)}),
    ],
    ids=["algorithm", "domains"],
)
async def test_what_is_configured_is_part_of_what_is_approved(
    stage: Stage, approved: dict[str, Any], pushed: dict[str, Any]
) -> None:
    asked = site_spec("one", policy=Policy(approval="always"))
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, replace(asked, **approved))
        first = (await stage.status("one")).plan
        await push(stage, replace(asked, **pushed))
        await stage.approve("one", first)
        await stage.calm(60)
        waiting = await stage.status("one")
        assert waiting.phase is Phase.AWAITING_APPROVAL
        assert waiting.plan != first
        outcomes = [run.outcome for run in await stage.world.store.runs("one")]
        assert outcomes.count(Outcome.SUCCEEDED) == 1


async def test_an_approval_that_has_expired_is_none(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        await push(stage, site_spec("one", web=web(2, image="nginx")))
        plan = (await stage.status("one")).plan
        until = stage.world.clock.now() - timedelta(seconds=1)
        await say(stage, GrantKind.APPROVE, plan=plan, until=until)
        await stage.calm(60)
        assert (await stage.status("one")).phase is Phase.AWAITING_APPROVAL
        assert await ids(stage) == before


async def test_approvals_survive_a_restart(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, site_spec("one", web=web(2, image="nginx")))
        plan = (await stage.status("one")).plan
    await stage.approve("one", plan)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(10)
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_rejected_plan_is_not_carried_out_and_another_is_judged_anew(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, site_spec("one", web=web(2, image="nginx")))
        plan = (await stage.status("one")).plan
        await say(stage, GrantKind.REJECT, plan=plan, reason="not before the sale")
        await stage.approve("one", plan)
        await stage.calm(60)
        assert "guard.rejected" in await held(stage)
        await push(stage, site_spec("one"))
        assert (await stage.status("one")).phase is Phase.READY


async def test_what_breaks_is_mended_while_a_newer_wish_waits(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        await push(stage, site_spec("one", web=web(2, image="nginx")))
        plan = (await stage.status("one")).plan
        stage.world.hosts.remove("one-web-2")
        await stage.calm(30)
        after = await ids(stage)
        assert after.keys() == before.keys()
        assert {name for name in after if after[name] != before[name]} == {"one-web-2"}
        assert stage.world.hosts["one-web-2"].image == stage.world.hosts["one-web-1"].image
        again = await stage.status("one")
        assert again.phase is Phase.AWAITING_APPROVAL
        assert again.held
        await stage.approve("one", again.plan)
        await stage.calm(60)
        assert (await stage.status("one")).phase is Phase.READY
        assert plan


# Removal, protection, freezes


async def test_a_spec_that_just_vanishes_is_orphaned_and_keeps_serving(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        stage.world.withdraw("one")
        await told(stage)
        assert (await stage.status("one")).phase is Phase.ORPHANED
        assert await ids(stage) == before


async def test_an_emptied_repository_freezes_deletions_and_healing_goes_on(stage: Stage) -> None:
    sites = [site_spec(name) for name in ("one", "two", "three", "four", "five")]
    stage.world.push(*sites)
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.withdraw("one", "two", "three", "four", "five")
        await told(stage)
        assert {item.phase for item in await stage.world.store.statuses()} == {Phase.READY}
        notice = next(item for item in stage.world.notifier.notices if item.kind is NoticeKind.FREEZE)
        assert "one" in notice.body
        stage.world.hosts.remove("three-web-1")
        await stage.calm(30)
        assert "three-web-1" in await names(stage, "three")
        assert any(item.entry.what == "freeze" for item in stage.world.ledger.log)


async def test_a_freeze_survives_a_restart_and_ends_when_the_specs_are_back(stage: Stage) -> None:
    sites = [site_spec(name) for name in ("one", "two", "three")]
    stage.world.push(*sites)
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.withdraw("one", "two", "three")
        await told(stage)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(10)
        assert {item.phase for item in await stage.world.store.statuses()} == {Phase.READY}
        await push(stage, *sites)
        assert not await stage.world.ledger.grants(kind=GrantKind.FREEZE)
        assert any(item.kind is NoticeKind.THAW for item in stage.world.notifier.notices)


async def test_a_freeze_is_set_and_told_once_however_many_commits_and_starts_come_after_it(
    stage: Stage,
) -> None:
    sites = [site_spec(name) for name in ("one", "two", "three", "four")]
    stage.world.push(*sites)
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.withdraw("one", "two", "three")
        await told(stage)
        (freeze,) = await stage.world.ledger.grants(kind=GrantKind.FREEZE)
        stage.world.push(files={"README": "words"})
        await told(stage)
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(10)
        assert await stage.world.ledger.grants(kind=GrantKind.FREEZE) == (freeze,)
        assert [item.entry.what for item in stage.world.ledger.log].count("freeze") == 1
        assert [item.kind for item in stage.world.notifier.notices].count(NoticeKind.FREEZE) == 1


async def test_a_repository_that_was_emptied_while_nobody_looked_freezes_at_the_start(stage: Stage) -> None:
    stage.world.push(*[site_spec(name) for name in ("one", "two", "three")])
    async with stage.controller().running():
        await stage.calm(10)
    stage.world.withdraw("one", "two", "three")
    stage.world.restart()
    async with stage.controller().running():
        await stage.calm(10)
        assert {item.phase for item in await stage.world.store.statuses()} == {Phase.READY}
        assert len(await stage.world.ledger.grants(kind=GrantKind.FREEZE)) == 1


async def test_after_a_thaw_vanished_sites_are_orphaned_and_the_next_commit_freezes_nothing(
    stage: Stage,
) -> None:
    stage.world.push(*[site_spec(name) for name in ("one", "two", "three")])
    async with stage.controller().running():
        await stage.calm(10)
        stage.world.withdraw("one", "two", "three")
        await told(stage)
        (freeze,) = await stage.world.ledger.grants(kind=GrantKind.FREEZE)
        await stage.world.ledger.revoke(freeze)
        stage.world.push(files={"README": "words"})
        await told(stage)
        await stage.calm(60)
        assert {item.phase for item in await stage.world.store.statuses()} == {Phase.ORPHANED}
        assert not await stage.world.ledger.grants(kind=GrantKind.FREEZE)
        assert len(await names(stage, "one")) == 3


async def test_many_sites_that_shrink_at_once_freeze_the_scale_in(stage: Stage) -> None:
    sites = [site_spec(name, web=web(4)) for name in ("one", "two", "three")]
    stage.world.push(*sites)
    async with stage.controller().running():
        await stage.calm(10)
        await push(stage, *[replace(item, web=web(2)) for item in sites])
        assert "guard.freeze" in await held(stage)
        assert len(await names(stage)) == 5


async def test_a_freeze_by_hand_holds_a_scale_in_until_the_thaw(stage: Stage) -> None:
    stage.world.push(site_spec("one", web=web(3)))
    async with stage.controller().running():
        await stage.calm(5)
        freeze = await say(stage, GrantKind.FREEZE, "", reason="holidays")
        await push(stage, site_spec("one", web=web(2)))
        assert "guard.freeze" in await held(stage)
        assert len(await names(stage)) == 4
        assert told_of(stage) == [(NoticeKind.FREEZE, "by ada: holidays\nto end that: otto thaw")]
        await stage.world.ledger.revoke(freeze)
        await due(stage, "one")
        await stage.calm(10)
        assert [kind for kind, _ in told_of(stage)] == [NoticeKind.FREEZE, NoticeKind.THAW]
        assert len(await names(stage)) == 3
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_freeze_of_all_sites_is_shown_by_the_metric_whoever_set_it(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    controller = stage.controller()
    async with controller.running():

        async def shown() -> float | None:
            await told(stage)
            return controller.kit.metrics.registry.get_sample_value("otto_frozen")

        assert await shown() == 0
        freeze = await say(stage, GrantKind.FREEZE, "")
        assert await shown() == 1
        await stage.world.ledger.revoke(freeze)
        await say(stage, GrantKind.FREEZE, "one")
        assert await shown() == 0


async def test_protection_holds_a_replacement_and_goes_only_by_a_commit_of_its_own(stage: Stage) -> None:
    wide = Policy(approval="auto", limits=Limits(count=99, share=1.0, reason="a test"))
    safe = replace(wide, protect=True)
    stage.world.push(site_spec("one", policy=safe))
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        await push(stage, site_spec("one", policy=safe, web=web(2, image="nginx")))
        assert await held(stage) == {"guard.protect"}
        await push(stage, site_spec("one", policy=wide, web=web(2, image="nginx")))
        assert await held(stage) == {"guard.protect.recent"}
        assert await ids(stage) == before
        await push(stage, site_spec("one", policy=wide))
        await push(stage, site_spec("one", policy=wide, web=web(2, image="nginx")))
        assert (await stage.status("one")).phase is Phase.READY
        assert await ids(stage) != before


async def test_a_protected_site_is_not_destroyed_by_a_person_who_says_so(stage: Stage) -> None:
    stage.world.push(site_spec("one", policy=Policy(protect=True)))
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        await stage.world.store.set_intent("one", "destroy", on=True)
        await due(stage, "one")
        status = await stage.status("one")
        assert status.leaving == "person"
        assert rules(status.held) == {"guard.protect"}
        stage.world.hosts.remove("one-web-1")
        await stage.calm(30)
        assert (await ids(stage)).keys() == before.keys()  # and it is healed meanwhile


async def test_a_site_that_is_destroyed_is_drained_first(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await stage.world.store.set_intent("one", "destroy", on=True)
        await due(stage, "one")
        assert (await stage.status("one")).phase is Phase.DESTROYED
        run = await stage.last_run("one")
        assert [step.kind for step in run.steps] == ["drain", "destroy"]
        assert await names(stage) == set()


async def test_the_count_of_web_servers_falls_to_nothing_only_when_somebody_approves(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, site_spec("one", web=web(0)))
        assert {"guard.last-copy"} <= await held(stage)
        assert len(await names(stage)) == 3


async def test_another_provider_is_refused_and_the_site_goes_on_where_it_is(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        before = await ids(stage)
        await push(stage, site_spec("one", provider=Provider.AWS))
        assert "guard.place.provider" in await held(stage)
        stage.world.hosts.remove("one-web-1")
        await due(stage, "one")
        await stage.calm(330)
        assert (await ids(stage)).keys() == before.keys()
        assert (await ids(stage))["one-balancer-1"] == before["one-balancer-1"]


async def test_a_site_whose_spec_names_another_provider_can_be_taken_down_where_it_lives(
    stage: Stage,
) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, site_spec("one", provider=Provider.AWS))
        assert "guard.place.provider" in await held(stage)
        await stage.world.store.set_intent("one", "destroy", on=True)
        await due(stage, "one")
        assert await names(stage) == set()
        assert (await stage.status("one")).phase is Phase.DESTROYED


# Windows, life, budget, place


async def test_a_change_waits_for_its_window_and_a_repair_does_not(stage: Stage) -> None:
    night = Policy(windows=NIGHT)
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, site_spec("one", policy=night, web=web(3)))
        assert await held(stage) == {"guard.window.site"}
        stage.world.hosts.remove("one-web-1")
        await stage.calm(30)
        assert await names(stage) == {"one-web-1", "one-web-2", "one-balancer-1"}
        assert await held(stage) == {"guard.window.site"}
        await say(stage, GrantKind.OVERRIDE, reason="the shop is full")
        await due(stage, "one")
        assert len(await names(stage)) == 4


async def test_a_run_that_overruns_its_window_is_held_between_two_steps(stage: Stage) -> None:
    closing = Windows((Window(allow=True, cron="0 0 * * *", lasts=3605.0),), Overrun.HOLD)
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        gate = stage.world.infrastructure.failures.hold("apply")
        now = stage.world.clock.now()
        window = replace(closing.windows[0], cron=f"{now.minute} {now.hour} * * *", lasts=60.0)
        policy = Policy(windows=replace(closing, windows=(window,)))
        stage.world.push(site_spec("one", policy=policy, web=web(3)))
        await told(stage)
        await stage.calm(120)
        gate.open()
        await stage.calm(5)
        waiting = [run for run in await stage.world.store.runs("one") if run.outcome is Outcome.WAITING]
        assert StepKind.PROVISION.value in {step.kind for step in waiting[-1].steps}
        assert StepKind.CONFIGURE.value not in {step.kind for step in waiting[-1].steps}
        assert "no change window" in waiting[-1].message


async def test_a_site_ends_with_its_time_to_live_and_is_warned_of_before(stage: Stage) -> None:
    stage.world.push(site_spec("one", policy=Policy(ttl=7200.0)))
    async with stage.controller().running() as controller:
        await stage.calm(5)
        status = await stage.status("one")
        assert status.ends_at is not None
        series = b'otto_site_end_timestamp_seconds{site="one"}'
        assert series in controller.kit.metrics.render()[0]
        await stage.world.clock.advance(3700)
        await stage.calm()
        warned = [item for item in stage.world.notifier.notices if item.kind is NoticeKind.TTL]
        assert len(warned) == 1
        await say(stage, GrantKind.EXTEND, until=status.ends_at + timedelta(hours=1))
        await stage.world.clock.advance(3700)
        await stage.calm(10)
        assert len(await names(stage)) == 3
        await stage.world.clock.advance(3700)
        await stage.calm(10)
        assert await names(stage) == set()
        assert (await stage.status("one")).phase is Phase.DESTROYED
        assert "is taken down" in [item.title for item in stage.world.notifier.notices][-1]


async def test_a_label_gives_test_sites_an_end(stage: Stage) -> None:
    stage.world.policies.policy = FleetPolicy(labels=(LabelDefault({"env": "test"}, 600.0),), ttl_warnings=())
    stage.world.push(site_spec("one", labels={"env": "test"}), site_spec("two"))
    async with stage.controller().running():
        await stage.calm(5)
        await stage.world.clock.advance(700)
        await stage.calm(10)
        assert await names(stage, "one") == set()
        assert len(await names(stage, "two")) == 3


async def test_a_budget_stops_an_apply_and_not_what_runs(stage: Stage) -> None:
    # Three small hosts: 0.03 an hour, about 22 a month.
    policy = Policy(budget=Budget(30.0))
    stage.world.push(site_spec("one", policy=policy))
    async with stage.controller().running():
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.READY
        await push(stage, site_spec("one", policy=policy, web=web(5)))
        assert "guard.budget.site" in await held(stage)
        assert len(await names(stage)) == 3
        stage.world.hosts.remove("one-web-1")
        await stage.calm(30)
        assert len(await names(stage)) == 3


async def test_a_credential_of_another_account_is_refused_before_anything_is_planned(stage: Stage) -> None:
    stage.world.policies.policy = FleetPolicy(places={"lab": Place(accounts=("ours",))})
    stage.world.infrastructure.account_of[Provider.LAB] = Account("theirs")
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        assert await held(stage) == {"guard.place.account"}
        assert not await stage.world.store.runs("one")
        assert await names(stage) == set()


async def test_with_a_credential_of_another_account_not_even_a_repair_is_planned(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        runs = await stage.world.store.runs("one")
        stage.world.policies.policy = FleetPolicy(places={"lab": Place(accounts=("ours",))})
        stage.world.infrastructure.account_of[Provider.LAB] = Account("theirs")
        stage.world.hosts.remove("one-web-1")
        await due(stage, "one")
        await due(stage, "one")
        assert await held(stage) == {"guard.place.account"}
        assert await stage.world.store.runs("one") == runs


# Drift


async def test_drift_that_is_only_reported_is_left_and_told(stage: Stage) -> None:
    policy = Policy(drift=DriftPolicy({"configuration": Handling.REPORT}))
    stage.world.push(site_spec("one", policy=policy))
    async with stage.controller().running():
        await stage.calm(5)
        path = next(iter(stage.world.hosts["one-web-1"].files))
        stage.world.hosts["one-web-1"].files[path] = "edited"
        await stage.calm(90)
        status = await stage.status("one")
        assert status.phase is Phase.DRIFTED
        assert "only reported" in status.message
        assert stage.world.hosts["one-web-1"].files[path] == "edited"


async def test_drift_that_is_asked_about_waits_for_a_person(stage: Stage) -> None:
    policy = Policy(drift=DriftPolicy({"configuration": Handling.ASK}))
    stage.world.push(site_spec("one", policy=policy))
    async with stage.controller().running():
        await stage.calm(5)
        path = next(iter(stage.world.hosts["one-web-1"].files))
        before = stage.world.hosts["one-web-1"].files[path]
        stage.world.hosts["one-web-1"].files[path] = "edited"
        await stage.calm(90)
        assert await held(stage) == {"guard.drift.ask"}
        await stage.approve("one", (await stage.status("one")).plan)
        await stage.calm(60)
        assert stage.world.hosts["one-web-1"].files[path] == before


async def test_an_ignored_difference_is_none_until_the_rule_ends(stage: Stage) -> None:
    until = stage.world.clock.now() + timedelta(minutes=10)
    rule = Ignored("hosts/one-web-1/files/*", "a trial", until)
    stage.world.push(site_spec("one", policy=Policy(drift=DriftPolicy(ignore=(rule,)))))
    async with stage.controller().running():
        await stage.calm(5)
        path = next(iter(stage.world.hosts["one-web-1"].files))
        stage.world.hosts["one-web-1"].files[path] = "edited"
        await stage.calm(120)
        assert (await stage.status("one")).phase is Phase.READY
        assert stage.world.hosts["one-web-1"].files[path] == "edited"
        await stage.calm(600)
        assert stage.world.hosts["one-web-1"].files[path] != "edited"


async def test_a_repair_waits_for_as_many_looks_as_are_asked_for(stage: Stage) -> None:
    stage.world.push(site_spec("one", policy=Policy(drift=DriftPolicy(confirmations=3))))
    async with stage.controller().running():
        await stage.calm(5)
        count = len(await stage.world.store.runs("one"))
        path = next(iter(stage.world.hosts["one-web-1"].files))
        stage.world.hosts["one-web-1"].files[path] = "edited"
        await stage.calm(90)
        assert stage.world.hosts["one-web-1"].files[path] != "edited"
        assert len(await stage.world.store.runs("one")) == count + 1


async def test_what_is_changed_again_and_again_is_left_with_the_name_of_who_does_it(stage: Stage) -> None:
    stage.world.push(site_spec("one", policy=Policy(drift=DriftPolicy(heals=2))))
    async with stage.controller().running():
        await stage.calm(5)
        path = next(iter(stage.world.hosts["one-web-1"].files))
        for _ in range(3):
            stage.world.hosts["one-web-1"].files[path] = "edited"
            await stage.calm(90)
        assert "guard.drift.flapping" in await held(stage)
        assert any(item.kind is NoticeKind.FLAPPING for item in stage.world.notifier.notices)
        assert stage.world.hosts["one-web-1"].files[path] == "edited"
        await stage.calm(3600)
        assert stage.world.hosts["one-web-1"].files[path] != "edited"


# Record


async def test_every_verdict_is_on_record_and_the_chain_is_whole(stage: Stage) -> None:
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        await push(stage, site_spec("one", web=web(2, image="nginx")))
        await stage.calm(300)
        entries = [item.entry for item in stage.world.ledger.log]
        assert [entry.detail["verdict"] for entry in entries] == ["Allowed", "NeedsApproval"]
        assert entries[1].plan == (await stage.status("one")).plan
        assert audit.broken(stage.world.ledger.log) == ""


async def test_a_hook_can_hold_what_the_guard_would_let_go_on(stage: Stage) -> None:
    stage.world.hook.reasons = (Reason("hook.friday", "not on a Friday", "wait", Effect.REFUSE),)
    stage.world.push(site_spec("one"))
    async with stage.controller().running():
        await stage.calm(5)
        assert await held(stage) == {"hook.friday"}
        assert await names(stage) == set()
