"""A shared change reaches sites in the operator's order: canaries, waves, and nobody after a failure."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest

from otto.model.canonical import digest
from otto.model.errors import TransientError
from otto.model.history import GrantKind
from otto.model.observed import Applied
from otto.model.policy import FleetPolicy, Policy
from otto.model.spec import SiteSpec
from otto.model.status import Phase
from otto.model.strategy import Amount, FleetRollout
from otto.testing import site_spec

from .stage import WIDE, Stage, due, held, push, say, web

TEST = {"env": "test"}
NAMES = ("ann", "bob", "cat", "dan", "eve")


def specs(*canaries: str, names: Iterable[str] = NAMES) -> tuple[SiteSpec, ...]:
    return tuple(site_spec(name, labels=TEST if name in canaries else {}) for name in names)


def order(stage: Stage, *, canaries: bool = True, wave: int | None = 2) -> None:
    rollout = FleetRollout(TEST if canaries else {}, Amount(count=wave) if wave else None)
    stage.world.policies.policy = FleetPolicy(rollout=rollout)


async def began(stage: Stage, spec: Iterable[SiteSpec]) -> None:
    stage.world.push(*spec)
    await stage.calm(60)
    assert {item.phase for item in await stage.world.store.statuses()} == {Phase.READY}


async def changed(stage: Stage) -> None:
    """The roles are others from now on, and everybody is looked at."""
    stage.world.configuration.digests["nginx"] = digest("another nginx")
    for name in NAMES:
        stage.world.queue.add(name, "start")
    await stage.calm(5)


async def waiting(stage: Stage) -> set[str]:
    known = {status.site for status in await stage.world.store.statuses()}
    return {name for name in known if "guard.rollout.wave" in await held(stage, name)}


def configured(stage: Stage, since: int = 0) -> list[str]:
    """Sites that were configured, in order, each once."""
    found = [request.site for request in stage.world.configuration.requests[since:]]
    return list(dict.fromkeys(found))


def plays(stage: Stage) -> int:
    return len(stage.world.configuration.requests)


async def test_canaries_go_first_and_the_rest_in_waves(stage: Stage) -> None:
    order(stage)
    async with stage.controller().running():
        await began(stage, specs("dan"))
        before = plays(stage)
        gate = stage.world.configuration.failures.hold("configure")
        await changed(stage)
        assert configured(stage, before) == ["dan"]
        assert await waiting(stage) == {"ann", "bob", "cat", "eve"}
        message = (await stage.status("eve")).held[0].message
        assert "role nginx reaches sites in waves" in message
        assert "wave 3 of 3: waits for ann, bob, dan" in message
        stage.world.configuration.failures.unhold("configure")
        gate.open()
        await stage.calm(60)
        found = configured(stage, before)
        assert found[0] == "dan"
        assert set(found[1:3]) == {"ann", "bob"}
        assert set(found[3:]) == {"cat", "eve"}
        assert {item.phase for item in await stage.world.store.statuses()} == {Phase.READY}


async def test_sites_that_ask_at_the_same_time_are_all_called_when_their_turn_comes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(stage, canaries=False, wave=1)
    async with stage.controller().running():
        await began(stage, specs())
        before, applied = plays(stage), stage.world.store.applied

        async def slowly(site: str) -> Applied:
            for _ in range(2 * len(NAMES)):
                await asyncio.sleep(0)
            return await applied(site)

        monkeypatch.setattr(stage.world.store, "applied", slowly)
        await changed(stage)
        await stage.calm(20)
        assert configured(stage, before) == list(NAMES)


async def test_a_failed_canary_stops_the_others_until_it_is_mended(stage: Stage) -> None:
    order(stage)
    async with stage.controller().running():
        await began(stage, specs("dan"))
        before = plays(stage)
        stage.world.configuration.failures.always("configure", TransientError("this nginx does not start"))
        await changed(stage)
        await stage.calm(30)
        assert configured(stage, before) == ["dan"]
        # Those whose turn would be next hear of it by themselves.
        assert "stopped, since it failed at dan" in (await stage.status("ann")).held[0].message
        await due(stage, "eve")
        assert await waiting(stage) == {"ann", "bob", "cat", "eve"}
        assert "stopped, since it failed at dan" in (await stage.status("eve")).held[0].message
        stage.world.configuration.failures.stop("configure")
        await stage.calm(600)
        assert {item.phase for item in await stage.world.store.statuses()} == {Phase.READY}
        assert set(configured(stage, before)) == set(NAMES)


async def test_somebodys_word_lets_one_site_go_first(stage: Stage) -> None:
    order(stage)
    async with stage.controller().running():
        await began(stage, specs("dan"))
        before = plays(stage)
        stage.world.configuration.failures.always("configure:dan-web-1", TransientError("no"))
        await changed(stage)
        await say(stage, GrantKind.OVERRIDE, "eve", reason="it cannot wait")
        await due(stage, "eve")
        assert set(configured(stage, before)) == {"dan", "eve"}
        assert (await stage.status("eve")).phase is Phase.READY


async def test_a_change_of_one_site_waits_for_nobody(stage: Stage) -> None:
    order(stage, wave=1)
    async with stage.controller().running():
        sites = specs("dan")
        await began(stage, sites)
        gate = stage.world.configuration.failures.hold("configure")
        await push(stage, *[replace(item, domains=(f"new.{item.name}.example",)) for item in sites])
        assert await waiting(stage) == set()
        gate.open()
        stage.world.configuration.failures.unhold("configure")
        await stage.calm(60)
        await push(stage, *[replace(item, web=web(2, image="nginx")) for item in sites])
        assert await waiting(stage) == set()


async def test_new_sites_and_repairs_do_not_wait(stage: Stage) -> None:
    order(stage)
    async with stage.controller().running():
        await began(stage, specs("dan", names=NAMES[1:]))
        stage.world.configuration.failures.always("configure:dan-web-1", TransientError("no"))
        await changed(stage)
        assert await waiting(stage) == {"bob", "cat", "eve"}
        await push(stage, site_spec("ann"))
        await stage.calm(20)
        assert (await stage.status("ann")).phase is Phase.READY
        stage.world.hosts.kill("eve-web-1")
        await stage.calm(60)
        assert stage.world.hosts["eve-web-1"].serves
        assert await waiting(stage) >= {"bob", "cat"}


async def test_without_an_order_all_go_together(stage: Stage) -> None:
    order(stage, canaries=False, wave=None)
    async with stage.controller().running():
        await began(stage, specs("dan"))
        before, reads = plays(stage), stage.world.store.failures.count("statuses")
        await changed(stage)
        await stage.calm(30)
        assert set(configured(stage, before)) == set(NAMES)
        assert stage.world.store.failures.count("statuses") == reads
        assert await waiting(stage) == set()


async def test_an_image_that_its_channel_moved_goes_to_those_that_follow_it(stage: Stage) -> None:
    order(stage, canaries=False, wave=1)
    async with stage.controller().running():
        policy = Policy("auto", limits=WIDE)
        sites = [
            replace(item, web=web(2, image="nginx"), policy=policy) for item in specs() if item.name < "d"
        ]
        await began(stage, [*sites, *specs(names=("dan", "eve"))])
        stage.world.images.ids["nginx"] = "sha256:nginx-2"
        gate = stage.world.infrastructure.failures.hold("apply")
        for name in NAMES:
            stage.world.queue.add(name, "start")
        await stage.calm(5)
        assert await waiting(stage) == {"bob", "cat"}
        assert (await stage.status("dan")).phase is Phase.READY
        gate.open()


async def test_a_suspended_canary_is_not_waited_for(stage: Stage) -> None:
    order(stage)
    async with stage.controller().running():
        await began(stage, specs("dan"))
        await stage.world.store.set_intent("dan", "suspend", on=True)
        await due(stage, "dan")
        await changed(stage)
        await stage.calm(60)
        assert await waiting(stage) == set()
        assert (await stage.status("eve")).phase is Phase.READY


async def test_a_controller_that_was_killed_goes_on_in_the_same_order(stage: Stage) -> None:
    order(stage)
    async with stage.controller().running():
        await began(stage, specs("dan"))
        stage.world.configuration.failures.always("configure", TransientError("no"))
        await changed(stage)
        assert await waiting(stage) == {"ann", "bob", "cat", "eve"}
    stage.world.restart()
    before = plays(stage)
    async with stage.controller().running():
        await stage.calm(5)
        assert configured(stage, before) in ([], ["dan"])
        stage.world.configuration.failures.stop("configure")
        await stage.calm(600)
        found = configured(stage, before)
        assert found[0] == "dan"
        assert set(found[1:3]) == {"ann", "bob"}
        assert set(found[3:]) == {"cat", "eve"}
