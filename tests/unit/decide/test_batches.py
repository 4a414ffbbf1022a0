"""The batches of a rollout: everybody once, the broken first, never too many at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from otto.decide.batches import batches, can_drain, counted, room
from otto.model.strategy import Amount, Rollout, Strategy

ROLLING = Rollout()
CANARY = Rollout(Strategy.CANARY)
ALL = Rollout(Strategy.ALL)


def rolling(batch: int | float, most: int | float = 1.0) -> Rollout:  # noqa: PYI041 (one and 100% differ)
    return Rollout(batch=amount(batch), max_unavailable=amount(most))


def amount(value: int | float) -> Amount:  # noqa: PYI041
    return Amount(count=value) if isinstance(value, int) else Amount(share=value)


def names(*numbers: int) -> tuple[str, ...]:
    return tuple(f"s-web-{number}" for number in numbers)


@pytest.mark.parametrize(
    ("strategy", "hosts", "broken", "expected"),
    [
        (ROLLING, names(), (), ()),
        (ROLLING, names(1), (), (names(1),)),
        (ROLLING, names(1), names(1), (names(1),)),
        (ROLLING, names(1, 2), (), (names(1), names(2))),
        (ROLLING, names(2, 1), (), (names(1), names(2))),
        (ROLLING, names(1, 2), names(2), (names(2), names(1))),
        (ROLLING, names(1, 2), names(1, 2), (names(1, 2),)),
        (ROLLING, names(10, 9, 2, 1), (), (names(1), names(2), names(9), names(10))),
        (ROLLING, names(*range(1, 9)), (), (names(1, 2), names(3, 4), names(5, 6), names(7, 8))),
        (ROLLING, names(*range(1, 9)), names(7), (names(7), names(1, 2), names(3, 4), names(5, 6), names(8))),
        (ROLLING, names(1, 2, 3), names(9), (names(1), names(2), names(3))),
        (rolling(3), names(1, 2, 3, 4), (), (names(1, 2, 3), names(4))),
        (rolling(1.0), names(1, 2, 3, 4), (), (names(1, 2, 3, 4),)),
        (rolling(3, 2), names(1, 2, 3, 4), (), (names(1, 2), names(3, 4))),
        (rolling(3, 2), names(1, 2, 3, 4), names(9), (names(1), names(2), names(3), names(4))),
        (rolling(0.5, 3), names(1, 2, 3, 4), (), (names(1, 2), names(3, 4))),
        (CANARY, names(1), (), (names(1),)),
        (CANARY, names(1, 2, 3, 4), (), (names(1), names(2), names(3), names(4))),
        (CANARY, names(*range(1, 9)), (), (names(1), names(2, 3), names(4, 5), names(6, 7), names(8))),
        (CANARY, names(1, 2, 3, 4), names(3, 4), (names(3), names(4), names(1), names(2))),
        (CANARY, names(1, 2, 3, 4), names(2, 3, 4), (names(2), names(3, 4), names(1))),
        (ALL, names(1, 2, 3, 4), (), (names(1, 2, 3, 4),)),
        (ALL, names(1, 2, 3, 4), names(4), (names(4, 1, 2, 3),)),
    ],
)
def test_batches(
    strategy: Rollout, hosts: tuple[str, ...], broken: tuple[str, ...], expected: tuple[tuple[str, ...], ...]
) -> None:
    assert batches(strategy, hosts, frozenset(broken)) == expected


@pytest.mark.parametrize(
    ("strategy", "broken", "first", "expected"),
    [
        (ROLLING, (), names(3), (names(3), names(1), names(2))),
        (ROLLING, names(2), names(3), (names(2), names(3), names(1))),
        (rolling(2), (), names(3), (names(3, 1), names(2))),
        (CANARY, (), names(3), (names(3), names(1), names(2))),
        (ALL, (), names(3), (names(3, 1, 2),)),
    ],
)
def test_those_that_go_first_are_no_exception_to_how_many_go(
    strategy: Rollout,
    broken: tuple[str, ...],
    first: tuple[str, ...],
    expected: tuple[tuple[str, ...], ...],
) -> None:
    assert batches(strategy, names(1, 2, 3), frozenset(broken), first=first) == expected


def test_shares_are_of_all_hosts_and_not_of_those_that_are_left() -> None:
    assert batches(rolling(0.5, 0.5), names(7, 8), frozenset(), total=8) == (names(7, 8),)
    assert batches(rolling(0.5, 0.5), names(7, 8), frozenset()) == (names(7), names(8))


@pytest.mark.parametrize(
    ("value", "total", "expected"),
    [
        (1, 100, 1),
        (7, 3, 7),
        (0.25, 1, 1),
        (0.25, 7, 1),
        (0.25, 8, 2),
        (0.29, 100, 29),
        (0.07, 100, 7),
        (1.0, 5, 5),
        (0.01, 5, 1),
        (0.5, 0, 1),
    ],
)
def test_a_share_is_rounded_down_and_never_nothing(value: float, total: int, expected: int) -> None:
    assert counted(amount(value), total) == expected


@pytest.mark.parametrize(
    ("strategy", "total", "out", "expected"),
    [
        (ROLLING, 2, 0, 1),
        (ROLLING, 2, 1, 0),
        (ROLLING, 8, 1, 1),
        (ROLLING, 8, 5, 0),
        (rolling(1, 3), 4, 1, 2),
        (ALL, 4, 1, 3),
    ],
)
def test_there_is_room_while_not_too_many_are_out(
    strategy: Rollout, total: int, out: int, expected: int
) -> None:
    assert room(strategy, total, out) == expected


@pytest.mark.parametrize(
    ("batch", "hosts", "broken", "expected"),
    [
        (names(1), names(1), (), False),
        (names(1), names(1, 2), (), True),
        (names(1), names(1, 2), names(2), False),
        (names(1, 2), names(1, 2), (), False),
        (names(1), names(1, 2, 3), names(2), True),
    ],
)
def test_visitors_can_be_turned_to_another_server_that_serves(
    batch: tuple[str, ...], hosts: tuple[str, ...], broken: tuple[str, ...], expected: bool
) -> None:
    assert can_drain(batch, hosts, broken) is expected


amounts = some.one_of(
    some.builds(Amount, count=some.integers(1, 100)),
    some.builds(Amount, share=some.integers(1, 100).map(lambda percent: percent / 100)),
)
strategies = some.builds(Rollout, some.sampled_from(Strategy), amounts, amounts)
numbers = some.lists(some.integers(1, 40), max_size=30)


@given(strategies, numbers, some.frozensets(some.integers(1, 40)), some.integers(0, 60), some.randoms())
def test_everybody_goes_once_and_never_too_many_at_once(
    strategy: Rollout, hosts: list[int], ill: frozenset[int], total: int, random: some.DrawFn
) -> None:
    wanted, broken = names(*hosts), frozenset(names(*ill))
    found = batches(strategy, wanted, broken, total)
    flat = [name for batch in found for name in batch]
    assert sorted(flat) == sorted(set(wanted))
    assert all(found), "an empty batch"
    everybody = max(total, len(set(wanted)))
    if strategy.strategy is not Strategy.ALL:
        for batch in found:
            serving = [name for name in batch if name not in broken]
            assert len(serving) <= counted(strategy.max_unavailable, everybody)
            assert len(serving) <= counted(strategy.batch, everybody)
    if strategy.strategy is Strategy.CANARY and found:
        assert len(found[0]) == 1
    first_well = next((number for number, name in enumerate(flat) if name not in broken), len(flat))
    assert not broken & set(flat[first_well:]), "a broken one has to wait for others"
    shuffled = list(wanted)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert batches(strategy, shuffled, broken, total) == found


@given(strategies, numbers, some.integers(0, 60))
def test_while_nobody_is_broken_a_batch_that_is_not_everybody_can_be_drained(
    strategy: Rollout, hosts: list[int], total: int
) -> None:
    wanted = names(*set(hosts))
    for batch in batches(strategy, wanted, frozenset(), total):
        assert can_drain(batch, wanted, frozenset()) is (len(batch) < len(wanted))
