"""Stories told with the world in memory, through the real loop: it behaves as the real one does."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import pytest

from otto.model.errors import TransientError
from otto.model.run import Outcome, Run
from otto.model.spec import HostGroup, Role
from otto.model.status import Phase, SiteStatus
from otto.ports import (
    Clock,
    Configuration,
    Images,
    Infrastructure,
    Probe,
    Queue,
    Source,
    Specs,
    Store,
)
from otto.reconcile.fleet import Fleet
from otto.reconcile.freezing import Freezer
from otto.reconcile.reconciler import Reconciler
from otto.testing import World, settle, site_spec


class Story:
    """A world with a controller in it that acts when it is told to."""

    def __init__(self) -> None:
        self.world = World()
        self.start()

    def start(self) -> None:
        kit = self.world.kit()
        self.fleet = Fleet(kit.source, kit.specs, kit.store, Freezer(kit))
        self.reconciler = Reconciler(kit, self.fleet)

    async def reconcile(self, site: str = "acme") -> SiteStatus:
        await self.world.clock.advance(60)  # what was seen before is old, what failed may be tried again
        commit = await self.world.source.fetch()
        assert commit
        if commit != self.fleet.catalogue.commit:
            await self.fleet.refresh(commit, self.world.clock.now())
        await self.reconciler.reconcile(site, "test")
        status = await self.world.store.status(site)
        assert status
        return status

    async def last_run(self, site: str = "acme") -> Run:
        return (await self.world.store.runs(site))[0]

    async def steps(self) -> Mapping[str, tuple[str, ...]]:
        return {step.kind: step.hosts for step in (await self.last_run()).steps}

    async def ready(self, count: int = 2) -> None:
        self.world.push(site_spec(web=HostGroup(count, "small", "base")))
        assert (await self.reconcile()).ready


@pytest.fixture
def story() -> Story:
    return Story()


def test_every_part_is_its_port() -> None:
    world = World()
    parts: tuple[Clock, Source, Specs, Infrastructure, Configuration, Probe, Images, Store, Queue] = (
        world.clock,
        world.source,
        world.specs,
        world.infrastructure,
        world.configuration,
        world.probe,
        world.images,
        world.store,
        world.queue,
    )
    assert all(parts)


async def test_a_push_becomes_a_verified_site(story: Story) -> None:
    await story.ready()
    status = await story.reconcile()
    assert status.phase is Phase.READY
    assert [host.name for host in status.hosts] == ["acme-balancer-1", "acme-web-1", "acme-web-2"]
    assert status.endpoints[0].url.startswith("http://10.203.")
    steps = ["observe", "plan", "guard", "provision", "configure", "deploy", "verify"]
    assert list(await story.steps()) == steps


async def test_a_site_that_is_as_desired_has_no_second_run(story: Story) -> None:
    await story.ready()
    for _ in range(3):
        await story.reconcile()
    assert len(await story.world.store.runs("acme")) == 1
    assert story.world.infrastructure.failures.count("plan") == 1


async def test_a_restart_over_a_clean_site_plans_nothing(story: Story) -> None:
    await story.ready()
    story.world.restart()
    story.start()
    assert (await story.reconcile()).ready
    assert len(await story.world.store.runs("acme")) == 1


async def test_a_content_push_runs_no_terraform(story: Story) -> None:
    await story.ready()
    story.world.push(files={"sites/acme/index.html": "<h1>It works again</h1>"})
    assert (await story.reconcile()).ready
    assert await story.steps() == {
        "observe": ("acme-web-1", "acme-web-2"),
        "plan": (),
        "guard": (),
        "deploy": ("acme-web-1", "acme-web-2"),
        "verify": (),
    }
    assert story.world.infrastructure.failures.count("plan") == 1


async def test_a_scale_out_touches_the_new_host_and_the_balancer(story: Story) -> None:
    await story.ready()
    await story.ready(3)
    steps = await story.steps()
    assert steps["provision"] == ("acme-web-3",)
    assert steps["configure"] == ("acme-balancer-1", "acme-web-3")
    assert steps["deploy"] == ("acme-web-3",)


async def test_a_scale_in_takes_the_last_host(story: Story) -> None:
    await story.ready(3)
    await story.ready(2)
    assert [host.name for host in story.world.hosts] == ["acme-balancer-1", "acme-web-1", "acme-web-2"]
    assert (await story.steps())["configure"] == ("acme-balancer-1",)


@pytest.mark.parametrize("harm", ["kill", "remove", "pause"])
async def test_a_lost_host_comes_back(story: Story, harm: str) -> None:
    await story.ready()
    getattr(story.world.hosts, harm)("acme-web-1")
    for _ in range(2):
        status = await story.reconcile()
    assert status.ready
    assert story.world.hosts["acme-web-1"].serves


async def test_a_hand_edited_file_is_put_back(story: Story) -> None:
    await story.ready()
    host = story.world.hosts["acme-web-1"]
    before = dict(host.files)
    host.files["/etc/nginx/nginx.conf"] = "edited"
    assert (await story.reconcile()).ready
    assert host.files == before
    assert (await story.steps())["configure"] == ("acme-web-1",)


async def test_hand_edited_content_is_laid_anew(story: Story) -> None:
    await story.ready()
    story.world.hosts["acme-web-2"].damage["index.html"] = "defaced"
    assert (await story.reconcile()).ready
    assert not story.world.hosts["acme-web-2"].damage


async def test_a_stopped_service_is_started(story: Story) -> None:
    await story.ready()
    story.world.hosts["acme-balancer-1"].services["haproxy"] = "failed"
    assert (await story.reconcile()).ready


async def test_a_lost_state_is_made_good_by_import(story: Story) -> None:
    await story.ready()
    ids = {host.id for host in story.world.hosts}
    story.world.infrastructure.forget_state("acme")
    for _ in range(2):
        status = await story.reconcile()
    assert status.ready
    assert {host.id for host in story.world.hosts} == ids


async def test_an_apply_that_fails_half_way_is_taken_up_again(story: Story) -> None:
    story.world.push(site_spec())
    story.world.infrastructure.failures.next("apply:acme-web-1", TransientError("no room"))
    status = await story.reconcile()
    assert not status.ready
    assert "no room" in status.message
    assert (await story.last_run()).outcome is Outcome.FAILED
    made = {host.id for host in story.world.hosts}
    assert (await story.reconcile()).ready
    assert made <= {host.id for host in story.world.hosts}


async def test_a_host_that_cannot_be_configured_fails_the_run(story: Story) -> None:
    story.world.push(site_spec())
    story.world.configuration.failures.next("configure:acme-web-1", TransientError("apt is locked"))
    assert "apt is locked" in (await story.reconcile()).message
    assert (await story.reconcile()).ready


async def test_an_image_that_moved_waits_for_a_person(story: Story) -> None:
    await story.ready()
    ids = {host.id for host in story.world.hosts}
    story.world.images.ids["base"] = "sha256:base-2"
    status = await story.reconcile()
    assert status.phase is Phase.AWAITING_APPROVAL
    assert {host.id for host in story.world.hosts} == ids


async def test_one_bad_spec_holds_up_nobody_else(story: Story) -> None:
    story.world.push(site_spec("acme"), site_spec("other"), files={"specs/bad.yaml": '[{"name": "bad"}]'})
    assert (await story.reconcile("acme")).ready
    assert (await story.reconcile("other")).ready


async def test_a_withdrawn_spec_leaves_the_site_serving(story: Story) -> None:
    await story.ready()
    story.world.withdraw("acme")
    assert (await story.reconcile()).phase is Phase.ORPHANED
    assert len(story.world.hosts) == 3


async def test_a_site_of_another_owner_is_never_touched(story: Story) -> None:
    world = story.world
    spec = site_spec()
    foreign = world.hosts.make("acme-web-1", "acme", Role.WEB, image="x", size="small", owner="somebody")
    world.push(spec)
    status = await story.reconcile()
    assert "not ours" in status.message
    assert list(world.hosts) == [foreign]


async def test_work_can_be_stopped_in_the_middle(story: Story) -> None:
    await story.ready()
    world = story.world
    world.push(files={"sites/acme/index.html": "<h1>It works again</h1>"})
    gate = world.configuration.failures.hold("deploy")
    working = asyncio.create_task(story.reconcile())
    await gate.reached()
    status = await world.store.status("acme")
    assert status
    assert status.phase is Phase.DEPLOYING
    gate.open()
    assert (await working).ready
    await settle()


async def test_a_change_of_size_keeps_the_host(story: Story) -> None:
    await story.ready()
    ids = {host.id for host in story.world.hosts}
    story.world.push(replace(site_spec(), web=HostGroup(2, "large", "base")))
    assert (await story.reconcile()).ready
    assert {host.id for host in story.world.hosts} == ids
    assert story.world.hosts["acme-web-1"].size == "large"
