"""Names of images: read, resolved, and told what is wrong with them."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide import imaging
from otto.model.errors import TerminalError, UsageError
from otto.model.image import ImageName
from otto.model.spec import HostGroup, SiteSpec
from otto.testing import site_spec

from .imagery import built, channel, digest, image

STABLE = ImageName("nginx", "stable")
PARTS = st.from_regex("[a-z0-9]([a-z0-9._-]{0,20}[a-z0-9])?", fullmatch=True)
INDEX = (image(1), image(2), image(3, "haproxy"))
CHANNELS = (channel(1), channel(2, "candidate"), channel(3, of="haproxy"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("base", ImageName("base")),
        ("nginx", STABLE),
        ("nginx@stable", STABLE),
        ("nginx@candidate", ImageName("nginx", "candidate")),
        (f"nginx@{digest(1)}", ImageName("nginx", digest=digest(1))),
        ("nginx@sha256", ImageName("nginx", "sha256")),
        ("n", ImageName("n", "stable")),
        ("my.nginx-2_x", ImageName("my.nginx-2_x", "stable")),
    ],
)
def test_a_name_is_read_as_a_spec_writes_it(text: str, name: ImageName) -> None:
    assert imaging.parse(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nginx",
        "nginx@",
        "@stable",
        "nginx@stable@x",
        "nginx@sha256:0123",
        "nginx@sha256:" + "g" * 64,
        "nginx:1",
        "-nginx",
        "nginx\n",
        "../nginx",
        "n" * 161,
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no name of an image"):
        imaging.parse(text)


@pytest.mark.parametrize("text", ["base@stable", f"base@{digest(1)}"])
def test_the_plain_system_has_neither_channels_nor_digests(text: str) -> None:
    with pytest.raises(UsageError, match="neither channels nor digests"):
        imaging.parse(text)


@given(PARTS.filter(lambda name: name != "base"), st.one_of(PARTS, st.integers(0, 255).map(digest)))
def test_a_name_says_itself(name: str, rest: str) -> None:
    read = imaging.parse(f"{name}@{rest}")
    assert imaging.parse(str(read)) == read


@pytest.mark.parametrize("text", ["", "Stable", "a/b", "sha256:" + "0" * 64, "x" * 161, "a\n"])
def test_channels_have_plain_names(text: str) -> None:
    with pytest.raises(UsageError, match="no channel can be called"):
        imaging.channel_name(text)


def test_an_image_gives_the_artifact_of_its_provider() -> None:
    both = image(artifacts={**built(), **built("aws")})
    assert imaging.artifact(STABLE, both, "lab") == "lab-1"
    assert imaging.artifact(STABLE, both, "aws") == "aws-1"


@pytest.mark.parametrize(
    ("changes", "provider", "says", "mend"),
    [
        ({}, "aws", "is not built for aws (built for: lab)", "otto images build nginx --provider aws"),
        ({"artifacts": {}}, "lab", "is not built for lab (built for: none)", "otto images build nginx"),
        (
            {"artifacts": built(passed=False)},
            "lab",
            "did not pass its smoke test at lab",
            "otto images build",
        ),
        ({"revoked": "CVE-1"}, "lab", "is revoked: CVE-1", "otto images promote DIGEST --to stable"),
    ],
)
def test_an_image_that_is_not_fit_says_why_and_what_mends_it(
    changes: dict[str, Any], provider: str, says: str, mend: str
) -> None:
    with pytest.raises(TerminalError) as caught:
        imaging.artifact(STABLE, image(**changes), provider)
    assert "nginx@stable (010101010101)" in caught.value.message
    assert says in caught.value.message
    assert mend in caught.value.mend


def test_a_revoked_image_is_refused_by_its_digest_too() -> None:
    with pytest.raises(TerminalError) as caught:
        imaging.artifact(ImageName("nginx", digest=digest(1)), image(revoked="CVE-1"), "lab")
    assert caught.value.message == "image nginx@010101010101 is revoked: CVE-1"
    assert "name another image in the spec" in caught.value.mend


@pytest.mark.parametrize(
    ("text", "says", "mend"),
    [
        ("nginy", "there is no image nginy (images: base, haproxy, nginx)", "did you mean nginx?"),
        ("mail", "there is no image mail", "otto images build mail"),
        (
            "nginx@canidate",
            "image nginx has no channel canidate (channels: candidate, stable)",
            "did you mean nginx@candidate? Else: otto images promote nginx --to canidate",
        ),
        (f"nginx@{digest(9)}", f"image nginx has no {digest(9)} in the index", "otto images list nginx"),
        (f"nginx@{digest(3)}", "that is an image of haproxy", "otto images list nginx"),
    ],
)
def test_what_stands_for_nothing_says_why_and_what_mends_it(text: str, says: str, mend: str) -> None:
    error = imaging.missing(imaging.parse(text), INDEX, CHANNELS)
    assert says in error.message
    assert mend in error.mend


def test_a_first_image_waits_for_its_promotion() -> None:
    error = imaging.missing(STABLE, INDEX, ())
    assert error.message == "image nginx has no channel stable (channels: none)"
    assert error.mend == "otto images promote nginx"


def test_a_channel_that_points_at_nothing_says_so() -> None:
    error = imaging.missing(STABLE, INDEX, (channel(9),))
    assert error.message == "nginx@stable points at image 090909090909, which is gone"


def of_images(web: str, balancer: str = "base") -> SiteSpec:
    return site_spec(web=HostGroup(2, "small", web), balancer=HostGroup(1, "small", balancer))


def test_sites_follow_what_their_specs_name() -> None:
    specs = {
        "a": of_images("nginx"),
        "b": of_images("nginx@candidate", "haproxy"),
        "c": of_images("base"),
        "d": of_images(f"nginx@{digest(1)}"),
        "e": of_images("base@odd"),
    }
    assert imaging.following(specs, [STABLE]) == ("a",)
    assert imaging.following(specs, [ImageName("haproxy", "stable"), STABLE]) == ("a", "b")
    assert imaging.following(specs, [ImageName("nginx", digest=digest(1))]) == ("d",)
    assert imaging.following(specs, [ImageName("base")]) == ()
    assert imaging.following(specs, []) == ()


def test_a_name_stands_for_something_else_when_hosts_would_be() -> None:
    before = imaging.standing(INDEX, CHANNELS)
    fixed = ImageName("nginx", digest=digest(1))

    def changed(images: object, channels: object) -> set[ImageName]:
        after = imaging.standing(images, channels)  # type: ignore[arg-type]
        return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}

    assert changed(INDEX, CHANNELS) == set()
    assert changed(INDEX, (channel(2), *CHANNELS[1:])) == {STABLE}
    assert changed((replace(INDEX[0], revoked="CVE"), *INDEX[1:]), CHANNELS) == {STABLE, fixed}
    assert changed(INDEX[1:], CHANNELS) == {STABLE, fixed}
    again = replace(INDEX[0], artifacts=built(number=8))
    assert changed((again, *INDEX[1:]), CHANNELS) == {STABLE, fixed}
    assert changed((replace(INDEX[0], sbom="other"), *INDEX[1:]), CHANNELS) == set()


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("nginx", 1),
        ("nginx@candidate", 2),
        (f"nginx@{digest(2)}", 2),
        (digest(2), 2),
        ("sha256:020202", 2),
        ("030303", 3),
    ],
)
def test_a_person_means_an_image_by_name_or_digits(text: str, number: int) -> None:
    assert imaging.pick(text, INDEX, CHANNELS).digest == digest(number)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("090909", "there is no image 090909"),
        ("nginx@odd", "has no channel odd"),
        ("mail", "there is no image mail"),
        ("NGINX", "is no name of an image"),
        ("01010", "there is no image 01010"),
    ],
)
def test_what_means_no_image_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        imaging.pick(text, INDEX, CHANNELS)


def test_digits_that_mean_two_images_are_refused() -> None:
    twin = replace(image(1, "haproxy"), digest=digest(1)[:-1] + "f")
    with pytest.raises(UsageError, match="means 2 images"):
        imaging.pick("010101", (*INDEX, twin), CHANNELS)


def test_a_name_that_looks_like_digits_is_a_name() -> None:
    odd = image(4, "facade")
    assert imaging.pick("facade", (*INDEX, odd), (channel(4, of="facade"),)) == odd
