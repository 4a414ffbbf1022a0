"""A channel that moves, or an image that is revoked, makes the sites due that this concerns."""

from dataclasses import replace

import pytest
from tests.unit.decide.imagery import built, channel, digest, image

from otto.adapters.goldenimages import GoldenImages
from otto.model.errors import TransientError
from otto.model.policy import Policy
from otto.model.rollout import RolloutState
from otto.model.spec import Check, SiteSpec
from otto.model.status import Phase
from otto.reconcile.control import Answer, ask
from otto.testing import MemoryImages, site_spec

from .stage import WEB, WIDE, Stage, push, told, web


@pytest.fixture
def golden(stage: Stage) -> Stage:
    """A world whose images come from the index, and whose provider has two of nginx."""
    provider = MemoryImages()
    provider.ids |= {"lab-1": "lab-1", "lab-2": "lab-2"}
    stage.world.images = GoldenImages(stage.world.store.images, provider)  # type: ignore[assignment]
    return stage


def site(name: str = "one", image: str = "nginx") -> SiteSpec:
    return site_spec(name, web=web(1, image=image), policy=Policy("auto", limits=WIDE))


async def tell(stage: Stage) -> Answer:
    answer = await ask(stage.home / "control.sock", {"op": "images"})
    assert answer is not None
    return answer


async def fill(stage: Stage) -> None:
    index = stage.world.store.images
    await index.add(image(1))
    await index.add(image(2))
    await index.point(channel(1))


async def test_a_promotion_replaces_the_hosts_of_the_sites_that_follow(golden: Stage) -> None:
    await fill(golden)
    golden.world.push(site(), site("two", "base"), site("three", f"nginx@{digest(1)}"))
    async with golden.controller().running():
        await golden.calm(5)
        assert golden.world.hosts[WEB].image == "lab-1"
        await golden.world.store.images.point(channel(2))
        assert await tell(golden) == {"done": True, "exit": 0, "due": ["one"]}
        await golden.calm()
        assert (await golden.last_run("one")).cause == "image"
        assert golden.world.hosts[WEB].image == "lab-2"
        assert golden.world.hosts["three-web-1"].image == "lab-1"
        assert (await tell(golden))["due"] == []


async def test_a_promotion_is_seen_when_nobody_tells(golden: Stage) -> None:
    await fill(golden)
    golden.world.push(site())
    async with golden.controller().running():
        await golden.calm(5)
        await golden.world.store.images.point(channel(2))
        await golden.calm(6)
        assert (await golden.last_run("one")).cause == "image"
        assert golden.world.hosts[WEB].image == "lab-2"


async def test_a_site_waits_for_its_image_and_comes_with_it(golden: Stage) -> None:
    golden.world.push(site())
    async with golden.controller().running():
        await golden.calm(5)
        status = await golden.status("one")
        assert "there is no image nginx" in status.message
        assert len(golden.world.hosts) == 0
        await fill(golden)
        await tell(golden)
        await golden.calm()
        assert (await golden.status("one")).phase is Phase.READY


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("ngnix", "there is no image ngnix (images: base, nginx) (did you mean nginx?"),
        ("nginx@stabel", "image nginx has no channel stabel (channels: stable) (did you mean nginx@stable?"),
        ("nginx@canary", "has no channel canary (channels: stable) (otto images promote nginx --to canary)"),
        (f"nginx@{digest(99)}", f"image nginx has no {digest(99)} in the index (otto images list nginx)"),
        (
            f"nginx@{digest(3)}",
            "is not built for lab (built for: aws) (otto images build nginx --provider lab)",
        ),
        (f"nginx@{digest(4)}", "did not pass its smoke test at lab (otto images build nginx --provider lab)"),
        (f"nginx@{digest(5)}", "is gone from lab: "),
    ],
)
async def test_a_site_whose_image_cannot_be_used_says_why_and_nothing_of_it_is_made(
    golden: Stage, named: str, told: str
) -> None:
    await fill(golden)
    for more in (
        image(3, artifacts=built("aws", 3)),
        image(4, artifacts=built(number=4, passed=False)),
        image(5),  # which the provider has no more
    ):
        await golden.world.store.images.add(more)
    golden.world.push(site(image=named), site("two"))
    async with golden.controller().running():
        await golden.calm(5)
        status = await golden.status("one")
        assert told in status.message
        assert not status.ready
        assert not await golden.world.infrastructure.inventory("one")
        assert (await golden.status("two")).ready


async def test_a_revoked_image_replaces_nothing_before_there_is_another(golden: Stage) -> None:
    await fill(golden)
    golden.world.push(site())
    async with golden.controller().running():
        await golden.calm(5)
        before = golden.world.hosts[WEB].id
        await golden.world.store.images.revoke(digest(1), "CVE-1")
        assert (await tell(golden))["due"] == ["one"]
        await golden.calm(60)
        assert golden.world.hosts[WEB].id == before
        assert "is revoked: CVE-1" in (await golden.status("one")).message
        await golden.world.store.images.point(channel(2))
        await tell(golden)
        await golden.calm()
        assert golden.world.hosts[WEB].image == "lab-2"
        assert (await golden.status("one")).ready


async def test_what_broke_is_mended_while_the_image_is_revoked(golden: Stage) -> None:
    await fill(golden)
    golden.world.push(site())
    async with golden.controller().running():
        await golden.calm(5)
        await golden.world.store.images.revoke(digest(1), "CVE-1")
        await tell(golden)
        await golden.calm(5)
        golden.world.hosts[WEB].services["nginx"] = "inactive"
        await golden.calm(900)
        assert golden.world.hosts[WEB].services["nginx"] == "active"


async def revoked(golden: Stage) -> None:
    await golden.world.store.images.revoke(digest(1), "CVE-1")
    await tell(golden)
    await golden.calm(5)


def two(image: str = "nginx", policy: Policy | None = None) -> SiteSpec:
    return site_spec("one", web=web(2, image=image), policy=policy or Policy("auto", limits=WIDE))


async def test_a_lost_server_waits_while_its_image_is_revoked_and_nothing_stands_in(golden: Stage) -> None:
    await fill(golden)
    golden.world.push(two())
    async with golden.controller().running():
        await golden.calm(5)
        await revoked(golden)
        golden.world.hosts.remove("one-web-2")
        golden.world.hosts[WEB].services["nginx"] = "inactive"
        await golden.calm(1800)
        assert {host.name for host in golden.world.hosts} == {WEB, "one-balancer-1"}
        assert golden.world.hosts[WEB].services["nginx"] == "active"
        status = await golden.status("one")
        assert not status.ready
        assert "image nginx@stable (010101010101) is revoked: CVE-1" in status.message
        assert "one-web-2 is lost and waits for another image" in status.message
        assert "otto images promote" in status.message
        await golden.world.store.images.point(channel(2))
        await tell(golden)
        await golden.calm(60)
        assert {host.image for host in golden.world.hosts if host.role.value == "web"} == {"lab-2"}


async def test_a_lost_server_comes_back_from_what_its_channel_points_at_since(golden: Stage) -> None:
    await fill(golden)
    golden.world.push(two(policy=Policy(limits=WIDE)))
    async with golden.controller().running():
        await golden.calm(5)
        await golden.world.store.images.point(channel(2))
        await revoked(golden)
        assert (await golden.status("one")).phase is Phase.AWAITING_APPROVAL
        kept = golden.world.hosts[WEB].id
        golden.world.hosts.remove("one-web-2")
        await golden.calm(300)
        assert golden.world.hosts["one-web-2"].image == "lab-2"
        assert (golden.world.hosts[WEB].image, golden.world.hosts[WEB].id) == ("lab-1", kept)
        # Once more, now that the two run different images: nothing is replaced by the way.
        golden.world.hosts.remove(WEB)
        await golden.calm(300)
        assert {host.image for host in golden.world.hosts if host.role.value == "web"} == {"lab-2"}


async def test_a_lost_server_of_a_fixed_image_comes_back_from_what_the_newest_spec_names(
    golden: Stage,
) -> None:
    await fill(golden)
    golden.world.push(two(f"nginx@{digest(1)}"))
    async with golden.controller().running():
        await golden.calm(5)
        await revoked(golden)
        await push(golden, two(f"nginx@{digest(2)}", Policy(limits=WIDE)))
        assert (await golden.status("one")).phase is Phase.AWAITING_APPROVAL
        golden.world.hosts.remove("one-web-2")
        await golden.calm(300)
        assert (golden.world.hosts[WEB].image, golden.world.hosts["one-web-2"].image) == ("lab-1", "lab-2")


async def test_a_rollout_that_fails_does_not_go_back_to_a_revoked_image(golden: Stage) -> None:
    await fill(golden)
    golden.world.push(two())
    async with golden.controller().running():
        await golden.calm(5)
        await golden.world.store.images.point(channel(2))
        await golden.world.store.images.revoke(digest(1), "CVE-1")
        golden.world.push(replace(two(), checks=(Check("/", contains="No"),)))
        await told(golden)
        await golden.calm(300)
        assert {host.image for host in golden.world.hosts if host.role.value == "web"} == {"lab-2"}
        status = await golden.status("one")
        assert status.rollout is not None
        assert status.rollout.state is RolloutState.STUCK
        assert "cannot be taken back: its hosts are made from nginx 010101010101" in status.message


async def test_an_image_that_is_revoked_after_the_plan_was_made_makes_no_host(golden: Stage) -> None:
    await fill(golden)
    golden.world.push(two())
    async with golden.controller().running():
        await golden.calm(5)
        gate = golden.world.infrastructure.failures.hold("plan")
        golden.world.hosts.remove("one-web-2")
        await golden.calm(120)
        await gate.reached()
        await golden.world.store.images.revoke(digest(1), "CVE-1")
        gate.open()
        await golden.calm(300)
        assert {host.name for host in golden.world.hosts} == {WEB, "one-balancer-1"}
        assert "is revoked: CVE-1" in (await golden.status("one")).message


async def test_an_index_that_cannot_be_read_holds_nobody_up(golden: Stage) -> None:
    await fill(golden)
    golden.world.push(site("two", "base"))
    async with golden.controller().running():
        await golden.calm(5)
        golden.world.store.images.failures.next("version", TransientError("locked"), times=3)
        await golden.calm(30)
        assert (await golden.status("two")).ready
        await golden.world.store.images.point(channel(2))
        golden.world.push(site())
        await golden.calm(60)
        assert golden.world.hosts[WEB].image == "lab-2"


async def test_an_unchanged_index_is_not_read(golden: Stage) -> None:
    await fill(golden)
    async with golden.controller().running():
        await golden.calm(5)
        index = golden.world.store.images
        before = index.failures.count("images")
        await golden.calm(60)
        assert index.failures.count("images") == before
        assert index.failures.count("version") > 5


async def test_metrics_show_the_index(golden: Stage) -> None:
    await fill(golden)
    await golden.world.store.images.revoke(digest(1), "CVE-1")
    async with golden.controller().running() as controller:
        await golden.calm(5)
        text = controller.kit.metrics.render()[0].decode()
        assert 'otto_images{image="nginx",revoked="true"} 1.0' in text
        assert 'otto_images{image="nginx",revoked="false"} 1.0' in text
        assert 'otto_image_channel_bad{channel="stable",image="nginx"} 1.0' in text
        assert 'otto_image_channel_moved_timestamp_seconds{channel="stable",image="nginx"}' in text
        await golden.world.store.images.point(channel(2))
        await tell(golden)
        text = controller.kit.metrics.render()[0].decode()
        assert 'otto_image_channel_bad{channel="stable",image="nginx"} 0.0' in text
