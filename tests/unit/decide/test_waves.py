"""The order in which sites get what they share: canaries, then waves; whoever fails stops the rest."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from otto.decide.batches import counted
from otto.decide.waves import (
    Member,
    changed,
    lacks,
    reaches,
    shared,
    shared_change,
    turn,
    waves,
)
from otto.model.desired import Desired
from otto.model.spec import HostGroup, Provider
from otto.model.strategy import Amount, FleetRollout
from otto.testing import site_spec

CHANGE = {"role nginx": "n2"}
CANARY = FleetRollout({"env": "test"})
TWO = FleetRollout(wave=Amount(count=2))
WISH = Desired(site_spec("a"), "c", {"web": "i1", "balancer": "b1"}, "m1", {"nginx": "n1", "base": "x"}, "t")


def members(text: str) -> tuple[Member, ...]:
    """Sites in words: `a` has it, `b?` not yet, `c!` fails with it, `d?!` to get it, `e*` is a canary."""
    return tuple(
        Member(
            word.strip("?!*"),
            {"env": "test", "x": "y"} if "*" in word else {},
            pending="?" in word,
            failed="!" in word,
        )
        for word in text.split()
    )


@pytest.mark.parametrize(
    ("fleet", "policy", "expected"),
    [
        ("", TWO, ()),
        ("a? b? c?", FleetRollout(), (("a", "b", "c"),)),
        ("c? a b?", TWO, (("a", "b"), ("c",))),
        ("a? b?* c? d?*", CANARY, (("b", "d"), ("a", "c"))),
        ("a?* b?*", CANARY, (("a", "b"),)),
        ("a? b?", CANARY, (("a", "b"),)),
        ("a? b?* c? d?", FleetRollout({"env": "test"}, Amount(count=1)), (("b",), ("a",), ("c",), ("d",))),
        ("a? b?* c?", FleetRollout({"env": "test", "x": "z"}), (("a", "b", "c"),)),
        ("a? b? c? d? e?", FleetRollout(wave=Amount(share=0.4)), (("a", "b"), ("c", "d"), ("e",))),
        ("a? b?", FleetRollout(wave=Amount(share=0.1)), (("a",), ("b",))),
    ],
)
def test_waves(fleet: str, policy: FleetRollout, expected: tuple[tuple[str, ...], ...]) -> None:
    assert waves(members(fleet), policy) == expected


@pytest.mark.parametrize(
    ("site", "fleet", "policy", "waits", "stopped"),
    [
        ("a", "a? b? c?", TWO, "", ""),
        ("b", "a? b? c?", TWO, "", ""),
        ("c", "a? b? c?", TWO, "a b", ""),
        ("c", "a b? c?", TWO, "b", ""),
        ("c", "a b c?", TWO, "", ""),
        ("c", "a! b c?", TWO, "", "a"),
        ("c", "a?! b? c?", TWO, "b", "a"),
        ("b", "a?! b? c?", TWO, "", ""),
        ("a", "a? b?*", CANARY, "b", ""),
        ("b", "a? b?*", CANARY, "", ""),
        ("a", "a? b!*", CANARY, "", "b"),
        ("zoe", "a? b?*", CANARY, "", ""),
        ("c", "a? b? c?", FleetRollout(), "", ""),
    ],
)
def test_turns(site: str, fleet: str, policy: FleetRollout, waits: str, stopped: str) -> None:
    found = turn(site, CHANGE, members(fleet), policy)
    assert (found.waits, found.stopped) == (tuple(waits.split()), tuple(stopped.split()))
    assert bool(found) is (not waits and not stopped)


def test_a_change_that_is_nobody_elses_waits_for_nobody() -> None:
    found = turn("c", {}, members("a? b! c?"), TWO)
    assert found
    assert found.change == ()


@pytest.mark.parametrize(
    ("change", "mends"),
    [
        ({"image nginx of lab": "i"}, True),
        ({"role nginx": "n"}, False),
        ({"module of lab": "m"}, False),
        ({"image nginx of lab": "i", "role base": "n"}, False),
    ],
)
def test_a_site_is_mended_as_it_was_unless_roles_or_module_are_new(
    change: dict[str, str], mends: bool
) -> None:
    assert turn("a", change, members("a?"), TWO).mends is mends


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (WISH, {}),
        (replace(WISH, content="other", commit="d"), {}),
        (replace(WISH, spec=replace(WISH.spec, domains=("new.example",))), {}),
        (replace(WISH, roles={"nginx": "n2", "base": "x"}), {"role nginx": "n2"}),
        (replace(WISH, roles={"nginx": "n1", "base": "x", "new": "y"}), {}),
        (replace(WISH, module="m2"), {"module of lab": "m2"}),
        (replace(WISH, images={"web": "i2", "balancer": "b1"}), {"image web of lab": "i2"}),
        (
            replace(
                WISH,
                spec=replace(WISH.spec, web=HostGroup(2, "small", "nginx")),
                images={"web": "i9", "balancer": "b1"},
            ),
            {},
        ),
        (replace(WISH, spec=replace(WISH.spec, provider=Provider.AWS), module="aws1"), {}),
    ],
)
def test_what_is_new_of_what_sites_share(after: Desired, expected: dict[str, str]) -> None:
    before = replace(WISH, spec=replace(WISH.spec, web=HostGroup(2, "small", "web")))
    if after.spec.web.image == "base":
        after = replace(after, spec=replace(after.spec, web=HostGroup(2, "small", "web")))
    assert changed(shared(before), shared(after)) == expected
    assert bool(shared_change(before, after)) is bool(expected)


def test_the_same_change_of_two_sites_has_one_name() -> None:
    other = replace(WISH, spec=site_spec("b"), content="else")
    names = {shared_change(wish, replace(wish, module="m2")) for wish in (WISH, other)}
    assert len(names) == 1
    assert names != {shared_change(WISH, replace(WISH, module="m3"))}


@pytest.mark.parametrize(
    ("have", "want", "reached", "lacking"),
    [
        ({"role nginx": "n1"}, {"role nginx": "n2"}, True, True),
        ({"role nginx": "n2"}, {"role nginx": "n2"}, True, False),
        ({"role nginx": "n1"}, {"role nginx": "n3"}, False, False),
        ({"image a": "1"}, {"image a": "2"}, False, False),
        ({}, {"role nginx": "n2"}, True, False),
    ],
)
def test_whom_a_change_reaches(
    have: dict[str, str], want: dict[str, str], reached: bool, lacking: bool
) -> None:
    assert reaches(CHANGE, want) is reached
    assert lacks(CHANGE, have, want) is lacking


fleets = some.dictionaries(
    some.text("abcdef", min_size=1, max_size=3),
    some.tuples(some.booleans(), some.booleans(), some.booleans()),
    max_size=25,
).map(
    lambda found: tuple(
        Member(name, {"env": "test"} if canary else {}, pending, failed)
        for name, (canary, pending, failed) in found.items()
    )
)
policies = some.builds(
    FleetRollout,
    some.sampled_from([{}, {"env": "test"}]),
    some.one_of(
        some.none(),
        some.builds(Amount, count=some.integers(1, 9)),
        some.builds(Amount, share=some.floats(0.01, 1.0)),
    ),
)


@given(fleets, policies, some.randoms())
def test_everybody_is_in_one_wave_whatever_the_order_they_come_in(
    fleet: tuple[Member, ...], policy: FleetRollout, random: some.DrawFn
) -> None:
    order = waves(fleet, policy)
    assert sorted(name for wave in order for name in wave) == sorted(member.site for member in fleet)
    shuffled = list(fleet)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert waves(shuffled, policy) == order
    canaries = {member.site for member in fleet if policy.canaries and member.labels}
    for number, wave in enumerate(order):
        assert wave
        assert set(wave) == canaries or not canaries & set(wave)
        if policy.wave is not None and not (canaries and number == 0):
            assert len(wave) <= counted(policy.wave, len(fleet))


@given(fleets, policies)
def test_somebody_may_always_go_on_until_all_have_it_unless_somebody_failed(
    fleet: tuple[Member, ...], policy: FleetRollout
) -> None:
    turns = {member.site: turn(member.site, CHANGE, fleet, policy) for member in fleet}
    going = [member for member in fleet if member.pending and not member.failed and turns[member.site]]
    pending = [member for member in fleet if member.pending and not member.failed]
    failed = [member for member in fleet if member.failed]
    assert going or not pending or failed
    order = waves(fleet, policy)
    for member in going:
        place = next(number for number, wave in enumerate(order) if member.site in wave)
        before = {name for wave in order[:place] for name in wave}
        assert all(other.done for other in fleet if other.site in before)


def test_waves_follow_each_other_to_the_end() -> None:
    left, policy = ["a", "b", "c", "d", "e"], FleetRollout({"env": "test"}, Amount(count=2))
    done, steps = set[str](), list[list[str]]()
    while left:
        fleet = tuple(
            Member(name, {"env": "test"} if name == "d" else {}, pending=name not in done) for name in "abcde"
        )
        going = [name for name in left if turn(name, CHANGE, fleet, policy)]
        steps.append(going)
        done |= set(going)
        left = [name for name in left if name not in done]
    assert steps == [["d"], ["a", "b"], ["c", "e"]]
