"""What the loop withstands: a store or an engine that is away, plays without effect, failures in turns."""

import asyncio

import pytest

from otto.model.configuration import ConfigurationRequest, ConfigurationResult
from otto.model.errors import TransientError
from otto.model.infrastructure import InfrastructureInputs, InfrastructurePlan, ResourceChange
from otto.model.observed import InfrastructureState
from otto.model.progress import Report
from otto.model.run import Outcome
from otto.model.spec import Role
from otto.model.status import Phase
from otto.testing import World, site_spec

from .stage import WEB, Stage, ready

WEB_2 = "one-web-2"


async def test_a_store_that_was_away_for_a_moment_delays_a_repair_for_no_longer_than_a_backoff(
    stage: Stage,
) -> None:
    async with ready(stage):
        failures = stage.world.store.failures
        for name in ("save_status", "save_run", "status"):
            failures.always(name, TransientError("the database is locked"))
        stage.world.hosts.kill(WEB)
        await stage.calm(3)
        for name in ("save_status", "save_run", "status"):
            failures.stop(name)
        await stage.calm(20)
        assert stage.world.hosts[WEB].serves
        assert (await stage.status("one")).phase is Phase.READY


async def test_drift_that_terraform_would_do_nothing_about_leaves_a_site_ready(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refresh(inputs: InfrastructureInputs, report: Report) -> tuple[ResourceChange, ...]:
        del inputs, report
        return (ResourceChange("module.site.lab_host.x", "lab_host", ("update",), ("labels",), drifted=True),)

    monkeypatch.setattr(stage.world.infrastructure, "refresh", refresh)
    async with ready(stage):
        phases = set()
        for _ in range(70):
            await stage.calm(30)
            phases.add((await stage.status("one")).phase)
        assert phases == {Phase.READY}
        assert stage.world.infrastructure.failures.count("plan") == 2


async def test_a_play_without_effect_is_a_failure_and_backs_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ready(stage):
        play = stage.world.configuration.configure

        async def configure(request: ConfigurationRequest, report: Report) -> ConfigurationResult:
            done = await play(request, report)
            stage.world.hosts[WEB].configuration = "another"
            return done

        monkeypatch.setattr(stage.world.configuration, "configure", configure)
        stage.world.hosts[WEB].configuration = "another"
        await stage.calm(1200)
        runs = await stage.world.store.runs("one", 100)
        assert 3 <= len(runs) <= 14
        assert runs[0].outcome is Outcome.FAILED
        assert "differs as before the run" in (await stage.status("one")).message


async def test_a_wish_taken_back_in_the_middle_of_a_run_is_not_taken_for_fulfilled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ready(stage) as controller:
        good = stage.world.hosts[WEB].configuration
        play = stage.world.configuration.configure

        async def configure(request: ConfigurationRequest, report: Report) -> ConfigurationResult:
            done = await play(request, report)
            monkeypatch.setattr(stage.world.configuration, "configure", play)
            stage.world.push(site_spec("one"))
            await controller.watcher.look()
            return done

        monkeypatch.setattr(stage.world.configuration, "configure", configure)
        stage.world.push(site_spec("one", domains=("other.example",)))
        await controller.watcher.look()
        await stage.calm(1)
        assert stage.world.hosts[WEB].configuration == good
        assert (await stage.status("one")).phase is Phase.READY


async def test_a_host_that_stopped_while_the_engine_was_away_is_started_and_not_replaced(
    stage: Stage,
) -> None:
    stage.world.infrastructure.failures.always("events", TransientError("no stream"))
    async with ready(stage):
        before = stage.world.hosts[WEB].id
        stage.world.infrastructure.failures.always("inventory", TransientError("the engine is away"))
        await stage.calm(5)
        stage.world.hosts.kill(WEB)
        await stage.calm(20)
        stage.world.infrastructure.failures.stop("inventory")
        await stage.calm(10)
        assert stage.world.hosts[WEB].serves
        assert stage.world.hosts[WEB].id == before


async def test_a_host_asked_while_its_site_is_suspended_does_not_count_as_silent_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ready(stage) as controller:
        gate = asyncio.Event()

        async def ssh(address: str, port: int, timeout: float) -> bool:  # noqa: ASYNC109
            del address, port, timeout
            await gate.wait()
            return False

        monkeypatch.setattr(stage.world.probe, "ssh", ssh)
        stage.world.hosts.cut(WEB)
        await stage.calm(2.5)
        await stage.world.store.set_intent("one", "suspend", on=True)
        controller.kit.queue.add("one", "asked")
        await stage.calm(0.1)
        gate.set()
        await stage.calm(5)
        assert (await stage.status("one")).phase is Phase.SUSPENDED
        assert controller.reconciler.sentinel.silent == 0


async def test_an_orphan_stays_one_while_its_site_is_worked_on(stage: Stage) -> None:
    async with ready(stage):
        world: World = stage.world
        world.hosts.make("one-web-9", "one", Role.WEB, image="x", size="small", owner="0dd0cafe")
        await stage.calm(60)
        gate = world.configuration.failures.hold("configure")
        world.hosts[WEB].services["nginx"] = "inactive"
        await stage.calm(30)
        await gate.reached()
        assert "one-web-9" in (await world.store.value("orphans") or "")
        world.configuration.failures.unhold("configure")
        gate.open()


async def test_failures_that_take_turns_back_off_together(stage: Stage) -> None:
    async with ready(stage):
        for name in (WEB, WEB_2):
            stage.world.configuration.failures.always(f"configure:{name}", TransientError("no room"))
        for turn in range(60):
            down, up = (WEB, WEB_2) if turn % 2 else (WEB_2, WEB)
            stage.world.hosts[down].services["nginx"] = "inactive"
            stage.world.hosts[up].services["nginx"] = "active"
            await stage.calm(5)
        assert 3 <= len(await stage.world.store.runs("one", 100)) <= 16


async def test_a_host_that_dies_again_and_again_is_not_started_without_a_pause(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ready(stage):
        carry_out = stage.world.infrastructure.apply

        async def apply(plan: InfrastructurePlan, report: Report) -> InfrastructureState:
            state = await carry_out(plan, report)
            stage.world.hosts.kill(WEB)
            return state

        monkeypatch.setattr(stage.world.infrastructure, "apply", apply)
        stage.world.hosts.kill(WEB)
        for _ in range(60):
            await stage.world.clock.advance(1)
        assert len(await stage.world.store.runs("one", 1000)) <= 12
