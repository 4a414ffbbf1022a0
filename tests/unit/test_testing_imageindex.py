"""What an index of images does, whichever it is: in memory or in a database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from otto.adapters.store import open_store
from otto.model.errors import TransientError
from otto.model.image import Artifact, Channel, Image, ImageName, Package, Smoke
from otto.ports import ImageIndex
from otto.testing import START, FakeClock, MemoryImageIndex

AT = START + timedelta(seconds=5, microseconds=678901)


@pytest.fixture(params=["memory", "sqlite"])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ImageIndex]:
    async with AsyncExitStack() as opened:
        if request.param == "memory":
            yield MemoryImageIndex()
        else:
            yield (await opened.enter_async_context(open_store(tmp_path / "otto.db", FakeClock()))).images


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def artifact(name: str, at: datetime = AT) -> Artifact:
    return Artifact(name, at, Smoke(passed=True, checks=("GET / -> 200",), seconds=1.25))


def image(number: int, name: str = "nginx", provider: str = "lab", at: datetime = AT) -> Image:
    return Image(
        name=name,
        digest=digest(number),
        parent="base",
        built_at=at,
        inputs={"template": "t" * 64, "roles": "r" * 64},
        artifacts={provider: artifact(f"{provider}-{number}", at)},
        commit="c" * 40,
        packages=(Package("nginx", "1.22.1-9", "amd64", "nginx"), Package("zlib1g", "1:1.2.13")),
        files={"/etc/nginx/nginx.conf": "f" * 64},
        sbom='{"bomFormat": "CycloneDX"}',
    )


def channel(number: int, name: str = "stable", of: str = "nginx", at: datetime = AT) -> Channel:
    return Channel(of, name, digest(number), at, "ada", "it was fine for a week")


async def test_a_new_index_holds_nothing(index: ImageIndex) -> None:
    assert await index.images() == ()
    assert await index.channels() == ()
    assert await index.image(digest(1)) is None
    assert await index.find(ImageName("nginx", "stable")) is None
    await index.drop(digest(1))
    await index.revoke(digest(1), "never built")
    assert await index.images() == ()


async def test_an_image_comes_back_whole(index: ImageIndex) -> None:
    await index.add(image(1))
    assert await index.image(digest(1)) == image(1)


async def test_images_come_newest_first_and_by_name(index: ImageIndex) -> None:
    for number, name in ((1, "nginx"), (2, "haproxy"), (3, "nginx")):
        await index.add(image(number, name, at=AT + timedelta(hours=number)))
    assert [one.digest for one in await index.images()] == [digest(3), digest(2), digest(1)]
    assert [one.digest for one in await index.images("nginx")] == [digest(3), digest(1)]
    assert await index.images("clowd") == ()


async def test_an_artifact_of_another_provider_joins_those_there_are(index: ImageIndex) -> None:
    await index.add(image(1))
    await index.add(image(1, provider="aws", at=AT + timedelta(days=1)))
    kept = await index.image(digest(1))
    assert kept is not None
    assert set(kept.artifacts) == {"lab", "aws"}
    assert kept.built_at == AT


async def test_an_artifact_of_the_same_provider_replaces_the_one_there_was(index: ImageIndex) -> None:
    await index.add(image(1))
    again = replace(image(1), artifacts={"lab": artifact("another")})
    await index.add(again)
    assert await index.image(digest(1)) == again


async def test_artifacts_added_at_once_are_all_kept(index: ImageIndex) -> None:
    providers = [f"provider{number}" for number in range(8)]
    await asyncio.gather(*(index.add(image(1, provider=provider)) for provider in providers))
    kept = await index.image(digest(1))
    assert kept is not None
    assert sorted(kept.artifacts) == providers


async def test_a_revoked_image_stays_revoked_when_it_is_built_again(index: ImageIndex) -> None:
    await index.add(image(1))
    await index.revoke(digest(1), "CVE-2026-1")
    await index.add(image(1, provider="aws"))
    kept = await index.image(digest(1))
    assert kept is not None
    assert (kept.revoked, set(kept.artifacts)) == ("CVE-2026-1", {"lab", "aws"})


async def test_a_revocation_can_be_taken_back(index: ImageIndex) -> None:
    await index.add(image(1))
    await index.revoke(digest(1), "CVE-2026-1")
    await index.revoke(digest(1), "")
    assert await index.image(digest(1)) == image(1)


async def test_a_dropped_image_is_gone_and_others_stay(index: ImageIndex) -> None:
    await index.add(image(1))
    await index.add(image(2))
    await index.drop(digest(1))
    assert await index.images() == (image(2),)


async def test_a_channel_moves(index: ImageIndex) -> None:
    await index.point(channel(1))
    await index.point(channel(2, at=AT + timedelta(hours=1)))
    assert await index.channels() == (channel(2, at=AT + timedelta(hours=1)),)


async def test_channels_are_sorted_and_chosen_by_image(index: ImageIndex) -> None:
    told = [("nginx", "stable"), ("haproxy", "stable"), ("nginx", "candidate")]
    for of, name in told:
        await index.point(channel(1, name, of))
    assert [(one.image, one.name) for one in await index.channels()] == sorted(told)
    assert [one.name for one in await index.channels("nginx")] == ["candidate", "stable"]


async def test_a_name_is_found_by_channel_and_by_digest(index: ImageIndex) -> None:
    await index.add(image(1))
    await index.add(image(2))
    await index.point(channel(1))
    await index.point(channel(2, "candidate"))
    assert await index.find(ImageName("nginx", "stable")) == image(1)
    assert await index.find(ImageName("nginx", "candidate")) == image(2)
    assert await index.find(ImageName("nginx", digest=digest(1))) == image(1)
    assert await index.find(ImageName("nginx", "canary")) is None
    assert await index.find(ImageName("nginx", digest=digest(9))) is None


async def test_a_digest_is_found_under_its_own_name_alone(index: ImageIndex) -> None:
    await index.add(image(1))
    await index.point(channel(1, of="haproxy"))
    assert await index.find(ImageName("haproxy", digest=digest(1))) is None
    assert await index.find(ImageName("haproxy", "stable")) is None


async def test_a_channel_outlives_its_image_and_finds_nothing(index: ImageIndex) -> None:
    await index.add(image(1))
    await index.point(channel(1))
    await index.drop(digest(1))
    assert await index.find(ImageName("nginx", "stable")) is None
    assert await index.channels() == (channel(1),)


async def test_every_change_gives_another_version_and_reading_none(index: ImageIndex) -> None:
    seen = [await index.version()]
    for change in (
        index.add(image(1)),
        index.point(channel(1)),
        index.revoke(digest(1), "no"),
        index.drop(digest(1)),
    ):
        await change
        seen.append(await index.version())
        await index.find(ImageName("nginx", "stable"))
        assert await index.version() == seen[-1]
    assert len(set(seen)) == len(seen)


async def test_the_index_in_memory_fails_when_told_to() -> None:
    index = MemoryImageIndex()
    index.failures.next("find", TransientError("locked"))
    with pytest.raises(TransientError, match="locked"):
        await index.find(ImageName("nginx", "stable"))
