"""Channels move, images are revoked and pruned: by rules, and on record."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide import channels
from otto.model.errors import UsageError
from otto.model.image import Channel, Image, ImageName
from otto.model.saying import Speaker
from otto.testing import START

from .imagery import built, channel, digest, image

ADA = Speaker("ada", START, "root")


def test_a_channel_moves_on_record() -> None:
    found = channels.promote(image(2), "stable", [channel(1), channel(1, "candidate")], ADA, "a week")
    assert found.channel == Channel("nginx", "stable", digest(2), START, "ada", "a week", (digest(1),))
    assert (found.before, found.moves) == (digest(1), True)
    assert (found.entry.what, found.entry.who, found.entry.reason) == ("promote", "ada", "a week")
    assert found.entry.summary == "nginx@stable points at 020202020202, from 010101010101"
    assert found.entry.detail["before"] == digest(1)


def test_a_new_channel_comes_from_nowhere() -> None:
    found = channels.promote(image(1), "canary", [channel(1, "canary", "haproxy")], ADA, "")
    assert (found.before, found.moves) == ("", True)
    assert found.entry.summary == "nginx@canary points at 010101010101"


def test_a_channel_that_points_there_already_does_not_move() -> None:
    assert not channels.promote(image(1), "stable", [channel(1)], ADA, "").moves


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"revoked": "CVE-1"}, "is revoked: CVE-1"),
        ({"artifacts": {}}, "did not pass its smoke test at any provider"),
        ({"artifacts": built(passed=False)}, "did not pass its smoke test at any provider"),
    ],
)
def test_what_is_not_fit_is_not_promoted(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        channels.promote(image(**changes), "stable", [], ADA, "")


def test_one_provider_where_it_works_is_enough() -> None:
    mixed = image(artifacts={**built(passed=False), **built("aws")})
    assert channels.promote(mixed, "stable", [], ADA, "").moves


def test_a_channel_with_an_impossible_name_is_refused() -> None:
    with pytest.raises(UsageError, match="no channel can be called"):
        channels.promote(image(), "Stable!", [], ADA, "")


def test_a_revocation_names_what_points_there_and_moves_nothing() -> None:
    pointing = (channel(1, "candidate"), channel(1))
    found = channels.revoke(image(1), [*reversed(pointing), channel(2, "old")], ADA, "CVE-1")
    assert found.image.revoked == "CVE-1"
    assert found.pointing == pointing
    assert found.changes
    assert set(found.names) == {
        ImageName("nginx", digest=digest(1)),
        ImageName("nginx", "candidate"),
        ImageName("nginx", "stable"),
    }
    assert (found.entry.what, found.entry.reason) == ("revoke", "CVE-1")


def test_a_channel_remembers_some_of_what_it_pointed_at_the_latest_first_and_each_once() -> None:
    now = channel(1)
    for number in (2, 1, 3):
        now = channels.promote(image(number), "stable", [now], ADA, "").channel
    assert now.before == (digest(1), digest(2))
    for number in range(4, 30):
        now = channels.promote(image(number), "stable", [now], ADA, "").channel
    assert now.before == tuple(digest(number) for number in range(28, 18, -1))


REVOKED = image(4, revoked="CVE-1")


@pytest.mark.parametrize(
    ("before", "to"),
    [
        ((3, 2), 3),
        ((2, 3), 2),
        ((5, 3), 3),  # one that is gone
        ((6, 3), 3),  # one that is revoked, too
        ((7, 3), 3),  # one that never passed
        ((8, 3), 3),  # one of another name
        ((5, 6, 7), None),
        ((), None),
    ],
)
def test_a_channel_goes_back_to_the_last_good_image_it_pointed_at(
    before: tuple[int, ...], to: int | None
) -> None:
    images = [
        *(image(2), image(3), REVOKED),
        *(image(6, revoked="CVE-2"), image(7, artifacts=built(passed=False)), image(8, "haproxy")),
    ]
    pointing = replace(channel(4), before=tuple(map(digest, before)))
    found = channels.fall_back(REVOKED, images, [pointing, channel(2, "candidate")], ADA)
    assert [move.channel.digest for move in found] == ([] if to is None else [digest(to)])
    for move in found:
        assert (move.channel.name, move.before, move.entry.what) == ("stable", digest(4), "promote")
        assert move.entry.reason == "040404040404 was revoked: CVE-1"
        assert move.entry.who == "ada"


def test_the_same_revocation_changes_nothing() -> None:
    assert not channels.revoke(image(revoked="CVE-1"), [], ADA, "CVE-1").changes
    assert channels.revoke(image(revoked="CVE-1"), [], ADA, "CVE-2").changes


def test_a_revocation_is_taken_back() -> None:
    found = channels.revoke(image(revoked="CVE-1"), [], ADA, "a mistake", undo=True)
    assert (found.image.revoked, found.entry.what, found.changes) == ("", "unrevoke", True)
    with pytest.raises(UsageError, match="is not revoked"):
        channels.revoke(image(), [], ADA, "a mistake", undo=True)


def left(images: list[Image], *gone: Image) -> set[str]:
    return {one.digest for one in images} - {one.digest for one in gone}


def test_the_newest_and_what_is_used_stay() -> None:
    images = [image(number) for number in range(1, 7)]
    used = {"lab-2": "host acme-web-1", digest(3): "the spec of shop"}
    gone = channels.needless(images, [channel(1)], used, keep=2)
    assert [one.digest for one in gone] == [digest(4)]


def test_revoked_images_are_neither_kept_nor_counted_as_kept() -> None:
    images = [image(1), image(2), image(3, revoked="CVE")]
    assert [one.digest for one in channels.needless(images, [], {}, keep=1)] == [digest(1), digest(3)]
    assert channels.needless(images, [channel(3)], {digest(1): "x"}, keep=1) == ()


def test_what_a_kept_image_was_built_on_stays() -> None:
    images = [image(1), image(2, "otto", parent=digest(1)), image(3, "clowd", parent=digest(2)), image(4)]
    assert channels.needless(images, [channel(3, of="clowd")], {}, keep=0) == (images[3],)


def test_what_a_channel_would_go_back_to_stays() -> None:
    images = [image(1), image(2), image(3, revoked="CVE"), image(4), image(5)]
    pointing = replace(channel(4), before=(digest(3), digest(2), digest(1)))
    gone = channels.needless(images, [pointing], {}, keep=1)
    assert [one.digest for one in gone] == [digest(1), digest(3)]


def test_each_name_keeps_its_own_newest() -> None:
    images = [image(1), image(2), image(3, "haproxy"), image(4, "haproxy")]
    assert [one.digest for one in channels.needless(images, [], {}, keep=1)] == [digest(1), digest(3)]
    assert len(channels.needless(images, [], {}, keep=0)) == 4


@given(
    st.lists(st.integers(0, 9), unique=True),
    st.sets(st.integers(0, 9)),
    st.sets(st.integers(0, 9)),
    st.integers(0, 3),
)
def test_nothing_that_is_pointed_at_or_used_is_ever_needless(
    numbers: list[int], pointed: set[int], used: set[int], keep: int
) -> None:
    images = [replace(image(number), artifacts=built(number=number)) for number in numbers]
    told = [channel(number, f"c{number}") for number in pointed]
    gone = {one.digest for one in channels.needless(images, told, {f"lab-{n}": "x" for n in used}, keep)}
    needed = {digest(number) for number in pointed | used}
    assert not gone & needed
    free = len({digest(number) for number in numbers} - needed)
    assert len(gone) >= free - keep


def test_who_uses_an_image_is_told() -> None:
    assert channels.user_of(image(1), {"lab-1": "host acme-web-1"}) == "host acme-web-1"
    assert channels.user_of(image(1), {digest(1): "the spec of shop"}) == "the spec of shop"
    assert channels.user_of(image(1), {"lab-2": "x"}) == ""
