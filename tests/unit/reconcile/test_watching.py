"""What happens to a site behind OttO's back, which tier sees it, and what is done about it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from otto.model.cost import PriceTable
from otto.model.errors import TransientError
from otto.model.run import Outcome
from otto.model.spec import Role
from otto.model.status import Phase
from otto.reconcile.controller import Controller
from otto.testing import World, site_spec

from .stage import WEB, Stage, ready

BALANCER = "one-balancer-1"


def signs(detail: dict[str, object]) -> list[dict[str, str]]:
    found = detail["signs"]
    assert isinstance(found, list)
    return found


async def healed(stage: Stage, seconds: float) -> dict[str, object]:
    """The story's beginning of the one run that healed the site within so many seconds."""
    before = len(await stage.world.store.runs("one", 100))
    await stage.calm(seconds)
    status = await stage.status("one")
    assert status.phase is Phase.READY, status.message
    runs = await stage.world.store.runs("one", 100)
    assert len(runs) == before + 1
    assert runs[0].outcome is Outcome.SUCCEEDED
    return (await stage.step("one", "observe")).detail


@pytest.mark.parametrize("host", [WEB, BALANCER])
@pytest.mark.parametrize("harm", ["kill", "pause", "remove"])
async def test_a_lost_host_is_told_by_its_provider_and_brought_back(
    stage: Stage, harm: str, host: str
) -> None:
    async with ready(stage):
        getattr(stage.world.hosts, harm)(host)
        detail = await healed(stage, 0.5)
        assert signs(detail)[0]["tier"] == "event"
        assert stage.world.hosts[host].serves


@pytest.mark.parametrize("harm", ["kill", "pause", "remove"])
async def test_a_lost_host_is_seen_without_any_event(stage: Stage, harm: str) -> None:
    stage.world.infrastructure.failures.always("events", TransientError("no stream"))
    async with ready(stage):
        getattr(stage.world.hosts, harm)(WEB)
        detail = await healed(stage, 5)
        assert signs(detail)[0]["tier"] in ("probe", "inventory", "statistics")
        assert stage.world.hosts[WEB].serves


async def test_a_stopped_service_is_seen_by_probe_and_only_its_role_is_run(stage: Stage) -> None:
    async with ready(stage):
        stage.world.hosts[WEB].services["nginx"] = "inactive"
        detail = await healed(stage, 3)
        assert {sign["tier"] for sign in signs(detail)} >= {"probe", "facts"}
        request = stage.world.configuration.requests[-1]
        assert [host.name for host in request.hosts] == [WEB]
        assert request.roles == {WEB: ("nginx",)}


@pytest.mark.parametrize("path", ["/etc/nginx/nginx.conf", "/etc/ssh/sshd_config.d/20-otto.conf"])
async def test_an_edited_file_is_seen_by_facts_within_an_interval(stage: Stage, path: str) -> None:
    async with ready(stage):
        host = stage.world.hosts[WEB]
        known = next(name for name in host.files if ("nginx" in name) == ("nginx" in path))
        before, host.files[known] = host.files[known], "edited"
        detail = await healed(stage, 35)
        assert signs(detail)[0]["tier"] == "facts"
        assert host.files[known] == before


async def test_a_host_that_hangs_delays_nobody_else(stage: Stage) -> None:
    stage.world.push(site_spec("two"))
    async with ready(stage):
        before = stage.world.configuration.asked.count("one-web-2")
        gate = stage.world.configuration.failures.hold("facts:one-web-2")
        await stage.calm(35)
        await gate.reached()
        for host in (WEB, "two-web-1"):
            stage.world.hosts[host].damage["other.html"] = "defaced"
        await stage.calm(35)
        assert not stage.world.hosts["two-web-1"].damage
        assert stage.world.configuration.asked.count("one-web-2") == before + 1
        stage.world.configuration.failures.unhold("facts:one-web-2")
        gate.open()
        await stage.calm(35)
        assert not stage.world.hosts[WEB].damage, "its neighbour is heard in the next round"


async def test_a_host_that_missed_its_question_is_not_waited_for_by_a_repair_beside_it(stage: Stage) -> None:
    async with ready(stage):
        failures = stage.world.configuration.failures
        failures.always("facts:one-web-2", TransientError("no answer within 8 s"))
        await stage.calm(35)
        asked = failures.count("facts:one-web-2")
        stage.world.hosts[WEB].services["nginx"] = "inactive"
        await healed(stage, 3)
        assert failures.count("facts:one-web-2") == asked


async def test_what_happened_to_several_hosts_is_mended_in_one_run(stage: Stage) -> None:
    async with ready(stage):
        for host in (WEB, "one-web-2"):
            stage.world.hosts[host].damage["other.html"] = "defaced"
        await healed(stage, 35)
        assert not stage.world.hosts[WEB].damage
        assert not stage.world.hosts["one-web-2"].damage


async def test_rounds_of_facts_begin_an_interval_apart_at_most(stage: Stage) -> None:
    async with ready(stage):
        failures = stage.world.configuration.failures
        await stage.calm(30)
        before = failures.count("facts")
        await stage.calm(300)
        assert failures.count("facts") - before >= 10


async def test_edited_content_is_seen_by_facts_and_only_content_is_laid(stage: Stage) -> None:
    async with ready(stage):
        stage.world.hosts[WEB].damage["other.html"] = "defaced"
        detail = await healed(stage, 35)
        assert signs(detail)[0]["tier"] == "facts"
        assert not stage.world.hosts[WEB].damage
        assert [step.kind for step in (await stage.last_run("one")).steps] == [
            "observe", "plan", "guard", "deploy", "verify",
        ]  # fmt: skip


async def test_a_strangers_edit_beside_a_narrow_repair_does_not_become_the_standard(stage: Stage) -> None:
    async with ready(stage):
        host = stage.world.hosts[WEB]
        base = next(name for name in host.files if "nginx" not in name)
        before, host.files[base] = host.files[base], "edited"
        host.services["nginx"] = "inactive"
        await stage.calm(3)
        await stage.calm(35)
        assert host.files[base] == before
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_server_disabled_by_hand_is_seen_by_statistics_and_enabled_again(stage: Stage) -> None:
    async with ready(stage):
        stage.world.hosts[BALANCER].disabled.add(WEB)
        detail = await healed(stage, 3)
        assert "statistics" in {sign["tier"] for sign in signs(detail)}
        assert stage.world.configuration.requests[-1].roles == {BALANCER: ("haproxy",)}
        assert not stage.world.hosts[BALANCER].disabled


async def test_a_host_cut_off_is_made_anew_only_after_the_confirmations(stage: Stage) -> None:
    async with ready(stage):
        before = stage.world.hosts[WEB].id
        stage.world.hosts.cut(WEB)
        await stage.calm(2.5)
        status = await stage.status("one")
        assert stage.world.hosts[WEB].id == before
        assert status.phase is Phase.DEGRADED
        assert "not certain yet" in status.message
        await stage.calm(6)
        assert stage.world.hosts[WEB].id != before
        assert (await stage.status("one")).phase is Phase.READY
        observe = await stage.step("one", "observe")
        assert signs(observe.detail)[0]["tier"] == "probe"
        assert (await stage.last_run("one")).started_at - observe.started_at >= timedelta(seconds=3)


async def test_a_host_that_answers_again_in_time_is_left_alone(stage: Stage) -> None:
    async with ready(stage):
        before, runs = stage.world.hosts[WEB].id, len(await stage.world.store.runs("one"))
        stage.world.hosts.cut(WEB)
        await stage.calm(2.5)
        stage.world.hosts.join(WEB)
        await stage.calm(10)
        assert (await stage.status("one")).phase is Phase.READY
        assert stage.world.hosts[WEB].id == before
        assert len(await stage.world.store.runs("one")) == runs


async def test_a_host_that_speaks_again_makes_its_site_ready_without_waiting_for_a_full_look(
    stage: Stage,
) -> None:
    stage.loop = replace(stage.loop, interval=3600.0)
    async with ready(stage):
        failures = stage.world.configuration.failures
        failures.always(f"facts:{WEB}", TransientError("no answer within 8 s"))
        await stage.calm(150)
        assert (await stage.status("one")).phase is Phase.DEGRADED
        failures.stop(f"facts:{WEB}")
        await stage.calm(35)
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_lost_state_is_made_good_by_import_at_once(stage: Stage) -> None:
    async with ready(stage):
        ids = {host.id for host in stage.world.hosts}
        stage.world.infrastructure.forget_state("one")
        detail = await healed(stage, 3)
        assert "state" in {sign["tier"] for sign in signs(detail)}
        assert {host.id for host in stage.world.hosts} == ids


async def test_what_only_terraform_sees_is_seen_at_its_interval(stage: Stage) -> None:
    async with ready(stage):
        plans = stage.world.infrastructure.failures.count("plan")
        stage.world.hosts[WEB].size = "large"
        await stage.calm(600)
        assert stage.world.infrastructure.failures.count("refresh") == 0
        await stage.calm(1500)
        assert stage.world.infrastructure.failures.count("refresh") == 1
        assert stage.world.infrastructure.failures.count("plan") == plans + 1
        assert stage.world.hosts[WEB].size == "small"
        assert signs((await stage.step("one", "observe")).detail)[0]["tier"] == "refresh"


async def test_the_steady_state_runs_neither_terraform_nor_a_play(stage: Stage) -> None:
    async with ready(stage):
        plans, plays = (
            stage.world.infrastructure.failures.count("plan"),
            len(stage.world.configuration.requests),
        )
        await stage.calm(600)
        assert stage.world.infrastructure.failures.count("plan") == plans
        assert len(stage.world.configuration.requests) == plays
        assert len(await stage.world.store.runs("one")) == 1


async def test_facts_of_many_sites_are_asked_together(stage: Stage) -> None:
    stage.world.push(*(site_spec(f"site-{number}") for number in range(8)))
    async with stage.controller().running():
        await stage.calm(20)
        runs = stage.world.configuration.failures.count("facts")
        await stage.calm(35)
        assert stage.world.configuration.failures.count("facts") - runs <= 2


async def test_an_orphan_is_told_of_and_never_touched(stage: Stage) -> None:
    stage.world.prices.tables["lab"] = PriceTable("lab", "EUR", {"small": 0.25})
    async with ready(stage) as controller:
        world: World = stage.world
        world.hosts.make("one-web-9", "one", Role.WEB, image="x", size="small", owner="0dd0cafe")
        world.hosts.make("gone-web-1", "gone", Role.WEB, image="x", size="small", owner="0dd0cafe")
        await stage.calm(60)
        listed = await world.store.value("orphans")
        assert listed is not None
        assert "one-web-9" in listed
        assert "gone-web-1" in listed
        assert (await stage.status("one")).phase is Phase.READY
        assert world.hosts.named("one-web-9") is not None
        assert orphan_cost(controller) == 0.5
        world.hosts.remove("one-web-9")
        world.hosts.remove("gone-web-1")
        await stage.calm(60)
        assert await world.store.value("orphans") == "[]"
        assert orphan_cost(controller) == 0


def orphan_cost(controller: Controller) -> float | None:
    registry = controller.kit.metrics.registry
    return registry.get_sample_value("otto_orphan_cost_per_hour", {"currency": "EUR"})


async def test_identical_failures_back_off_however_often_the_signs_come(stage: Stage) -> None:
    async with ready(stage):
        stage.world.configuration.failures.always(f"configure:{WEB}", TransientError("no room"))
        stage.world.hosts[WEB].services["nginx"] = "inactive"
        await stage.calm(120)
        runs = [run for run in await stage.world.store.runs("one", 100) if run.outcome is Outcome.FAILED]
        assert 3 <= len(runs) <= 8
        stage.world.configuration.failures.stop(f"configure:{WEB}")
        await stage.calm(300)
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_new_commit_is_acted_on_at_once_whatever_the_backoff(stage: Stage) -> None:
    async with ready(stage) as controller:
        stage.world.configuration.failures.always(f"configure:{WEB}", TransientError("no room"))
        stage.world.hosts[WEB].services["nginx"] = "inactive"
        await stage.calm(200)
        stage.world.configuration.failures.stop(f"configure:{WEB}")
        stage.world.push(files={"sites/one/index.html": "<h1>It works again</h1>"})
        await controller.watcher.look()
        await stage.calm(0.5)
        assert (await stage.status("one")).phase is Phase.READY


async def test_another_failure_is_acted_on_beside_a_backoff(stage: Stage) -> None:
    async with ready(stage):
        stage.world.configuration.failures.always(f"configure:{WEB}", TransientError("no room"))
        stage.world.hosts[WEB].services["nginx"] = "inactive"
        await stage.calm(200)
        before = len(await stage.world.store.runs("one", 100))
        stage.world.hosts.kill("one-web-2")
        await stage.calm(1)
        assert len(await stage.world.store.runs("one", 100)) > before
        assert stage.world.hosts["one-web-2"].serves


async def test_a_plan_that_waits_for_a_person_is_not_made_again_and_again(stage: Stage) -> None:
    async with ready(stage):
        stage.world.images.ids["base"] = "img-rebuilt"
        await stage.calm(60)
        assert (await stage.status("one")).phase is Phase.AWAITING_APPROVAL
        plans = stage.world.infrastructure.failures.count("plan")
        await stage.calm(300)
        assert stage.world.infrastructure.failures.count("plan") == plans
        assert (await stage.status("one")).phase is Phase.AWAITING_APPROVAL


async def test_a_host_lost_while_its_site_is_worked_on_is_not_forgotten(stage: Stage) -> None:
    async with ready(stage):
        gate = stage.world.configuration.failures.hold("configure")
        stage.world.hosts[WEB].services["nginx"] = "inactive"
        await stage.calm(3)
        await gate.reached()
        stage.world.hosts.kill("one-web-2")
        await stage.calm(1)
        stage.world.configuration.failures.unhold("configure")
        gate.open()
        await stage.calm(5)
        assert stage.world.hosts["one-web-2"].serves
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_host_lost_during_verification_does_not_wait_for_its_deadline(stage: Stage) -> None:
    async with ready(stage):
        gate = stage.world.configuration.failures.hold("configure")
        stage.world.hosts[WEB].services["nginx"] = "inactive"
        await stage.calm(3)
        await gate.reached()
        stage.world.hosts.kill("one-web-2")
        stage.world.configuration.failures.unhold("configure")
        gate.open()
        await stage.calm(0.5)
        assert stage.world.hosts["one-web-2"].serves
        outcomes = {run.outcome for run in await stage.world.store.runs("one", 10)}
        assert outcomes == {Outcome.SUCCEEDED, Outcome.SUPERSEDED}


async def test_a_suspended_site_is_not_healed(stage: Stage) -> None:
    async with ready(stage) as controller:
        await stage.world.store.set_intent("one", "suspend", on=True)
        controller.kit.queue.add("one", "asked")
        await stage.calm(1)
        stage.world.hosts.kill(WEB)
        await stage.calm(60)
        assert not stage.world.hosts[WEB].serves
        assert (await stage.status("one")).phase is Phase.SUSPENDED


async def test_hosts_that_fall_silent_together_are_not_replaced(stage: Stage) -> None:
    async with ready(stage):
        before = {host.id for host in stage.world.hosts}
        for host in tuple(stage.world.hosts):
            stage.world.hosts.cut(host.name)
        await stage.calm(120)
        assert {host.id for host in stage.world.hosts} == before
        status = await stage.status("one")
        assert status.phase is Phase.DEGRADED
        assert "it may be OttO that is cut off" in status.message
        for host in tuple(stage.world.hosts):
            stage.world.hosts.join(host.name)
        await stage.calm(10)
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_census_that_breaks_ends_nothing(stage: Stage) -> None:
    async with ready(stage):
        stage.world.infrastructure.failures.next("inventory", RuntimeError("a surprise"), times=3)
        await stage.calm(20)
        stage.world.hosts.kill(WEB)
        await stage.calm(1)
        assert stage.world.hosts[WEB].serves
