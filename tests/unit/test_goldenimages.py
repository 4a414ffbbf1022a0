"""Names of images become ids of artifacts, by the index and by what the provider still has."""

import pytest
from tests.unit.decide.imagery import built, channel, digest, image

from otto.adapters.goldenimages import GoldenImages
from otto.model.errors import TerminalError, TransientError
from otto.model.spec import Provider
from otto.testing import MemoryImageIndex


class Engine:
    """Has the plain system and some artifacts; notes what it was asked for."""

    def __init__(self, *artifacts: str) -> None:
        self.has = {"base": "sha256:base", **{name: name for name in artifacts}}
        self.asked: list[str] = []
        self.away = False

    async def resolve(self, provider: Provider, name: str) -> str:
        self.asked.append(name)
        if self.away:
            raise TransientError(f"{provider.value} does not answer")
        if name not in self.has:
            raise TerminalError(f"{provider.value} has no image {name}", mend="look for it")
        return self.has[name]


@pytest.fixture
def index() -> MemoryImageIndex:
    return MemoryImageIndex()


@pytest.fixture
def engine() -> Engine:
    return Engine("lab-1", "lab-2")


@pytest.fixture
def images(index: MemoryImageIndex, engine: Engine) -> GoldenImages:
    return GoldenImages(index, engine)


async def fails(images: GoldenImages, name: str, provider: Provider = Provider.LAB) -> TerminalError:
    with pytest.raises(TerminalError) as caught:
        await images.resolve(provider, name)
    return caught.value


async def test_the_plain_system_needs_no_index(images: GoldenImages, index: MemoryImageIndex) -> None:
    for method in ("version", "find", "images", "channels"):
        index.failures.always(method, TransientError("there is no index"))
    assert await images.resolve(Provider.LAB, "base") == "sha256:base"


async def test_a_name_follows_its_channel(images: GoldenImages, index: MemoryImageIndex) -> None:
    await index.add(image(1))
    await index.add(image(2))
    await index.point(channel(1))
    await index.point(channel(2, "candidate"))
    assert await images.resolve(Provider.LAB, "nginx") == "lab-1"
    assert await images.resolve(Provider.LAB, "nginx@candidate") == "lab-2"
    assert await images.resolve(Provider.LAB, f"nginx@{digest(1)}") == "lab-1"
    await index.point(channel(2))
    assert await images.resolve(Provider.LAB, "nginx") == "lab-2"
    assert await images.resolve(Provider.LAB, f"nginx@{digest(1)}") == "lab-1"


async def test_without_any_image_a_name_is_an_error_and_not_the_plain_system(images: GoldenImages) -> None:
    error = await fails(images, "nginx")
    assert error.message == "there is no image nginx (images: base)"
    assert "otto images build nginx" in error.mend


async def test_a_revoked_image_is_refused_at_once(images: GoldenImages, index: MemoryImageIndex) -> None:
    await index.add(image(1))
    await index.point(channel(1))
    assert await images.resolve(Provider.LAB, "nginx") == "lab-1"
    await index.revoke(digest(1), "CVE-1")
    for name in ("nginx", f"nginx@{digest(1)}"):
        assert "is revoked: CVE-1" in (await fails(images, name)).message
    await index.revoke(digest(1), "")
    assert await images.resolve(Provider.LAB, "nginx") == "lab-1"


async def test_providers_have_artifacts_of_their_own(
    images: GoldenImages, index: MemoryImageIndex, engine: Engine
) -> None:
    await index.add(image(1, artifacts={**built(), **built("aws")}))
    await index.point(channel(1))
    engine.has["aws-1"] = "ami-1"
    assert await images.resolve(Provider.LAB, "nginx") == "lab-1"
    assert await images.resolve(Provider.AWS, "nginx") == "ami-1"
    assert "is not built for gcp" in (await fails(images, "nginx", Provider.GCP)).message


async def test_an_artifact_that_the_provider_lost_says_how_to_have_it_again(
    images: GoldenImages, index: MemoryImageIndex, engine: Engine
) -> None:
    await index.add(image(1))
    await index.point(channel(1))
    del engine.has["lab-1"]
    error = await fails(images, "nginx")
    assert error.message == "image nginx (lab-1) is gone from lab: lab has no image lab-1"
    assert error.mend == "otto images build nginx"


async def test_a_provider_that_does_not_answer_is_no_lost_image(
    images: GoldenImages, index: MemoryImageIndex, engine: Engine
) -> None:
    await index.add(image(1))
    await index.point(channel(1))
    engine.away = True
    with pytest.raises(TransientError, match="does not answer"):
        await images.resolve(Provider.LAB, "nginx")


async def test_looks_cost_nothing_but_a_question_for_the_version(
    images: GoldenImages, index: MemoryImageIndex, engine: Engine
) -> None:
    await index.add(image(1))
    await index.point(channel(1))
    await images.resolve(Provider.LAB, "nginx")
    for method in ("find", "images", "channels", "image"):
        index.failures.always(method, TransientError("asked again"))
    assert [await images.resolve(Provider.LAB, "nginx") for _ in range(3)] == ["lab-1"] * 3
    assert engine.asked == ["lab-1"] * 4


async def test_what_is_no_name_is_told(images: GoldenImages) -> None:
    assert "is no name of an image" in (await fails(images, "Nginx:1")).message
