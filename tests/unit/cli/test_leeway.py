"""Extend and override."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.guarded import Guarded
from tests.unit.cli.test_schemas import check

from otto.model.canonical import to_data
from otto.model.catalogue import RememberedSpec
from otto.model.history import GrantKind
from otto.model.observed import Applied
from otto.model.policy import Policy
from otto.testing import site_spec

END = datetime(2026, 1, 1, 8, tzinfo=UTC)


@pytest.fixture
def guarded(stage: Stage) -> Guarded:
    guarded = Guarded(stage)
    guarded.knows(policy=Policy(ttl=8 * 3600))
    guarded.born(guarded.now)
    guarded.knows("shop")
    return guarded


def test_a_site_lives_longer_by_so_much_from_its_end_on(guarded: Guarded) -> None:
    said = guarded.says("extend", "acme", "4h", "--by", "ann", "--reason", "demo goes on")
    assert said.startswith("the life of acme is longer, until 2026-01-01 ")
    (grant,) = guarded.grants()
    assert (grant.kind, grant.until) == (GrantKind.EXTEND, END + timedelta(hours=4))
    (entry,) = guarded.entries
    assert (entry.what, entry.who, entry.reason) == ("extend", "ann", "demo goes on")
    assert entry.detail["before"] == to_data(END)
    guarded.says("extend", "acme", "1h")
    (grant,) = guarded.grants()
    assert grant.until == END + timedelta(hours=5)


def test_a_site_lives_longer_until_a_time(guarded: Guarded) -> None:
    guarded.says("extend", "acme", "--until", "2026-01-02T10:00+02:00")
    assert guarded.grants()[0].until == datetime(2026, 1, 2, 8, tzinfo=UTC)


def test_an_end_in_the_spec_is_put_off_as_well(guarded: Guarded) -> None:
    guarded.knows(policy=Policy(until=END))
    guarded.says("extend", "acme", "30m")
    assert guarded.grants()[0].until == END + timedelta(minutes=30)


def test_an_end_that_the_fleet_sets_is_put_off_as_well(guarded: Guarded) -> None:
    policy = "apiVersion: otto/v1\nkind: FleetPolicy\nspec:\n  labels: [{match: {env: test}, ttl: 4h}]\n"
    (guarded.stage.home / "policy.yaml").write_text(policy, encoding="utf-8")
    store = guarded.stage.world.store
    spec = site_spec("shop", labels={"env": "test"})
    asyncio.run(store.remember([RememberedSpec(spec, "c0ffee")]))
    asyncio.run(store.save_applied("shop", Applied(born=END - timedelta(hours=4))))
    guarded.says("extend", "shop", "30m")
    guarded.says("extend", "shop", "30m")
    assert guarded.grants()[0].until == END + timedelta(hours=1)


@pytest.mark.parametrize(
    ("words", "told", "status"),
    [
        (("extend", "acmee", "4h"), "did you mean acme?", 1),
        (("extend", "shop", "4h"), "the life of shop has no end that could be put off", 1),
        (("extend", "acme"), "give a DURATION, or --until TIME", 2),
        (("extend", "acme", "4h", "--until", "2026-01-02"), "give a DURATION, or --until TIME", 2),
        (("extend", "acme", "4 hours"), "'4 hours' is no length of time", 1),
        (("extend", "acme", "0h"), "is no time at all", 1),
        (("extend", "acme", "999999999w"), "more than ten years away", 1),
        (("extend", "acme", "--until", "2025-12-31"), "is past", 1),
        (("extend", "acme", "--until", "2026-01-01T07:00Z"), "acme lives longer than that already", 1),
        (("extend", "acme", "4h", "--reason", "x" * 501), "501 characters long", 1),
        (("override", "acmee", "--reason", "x"), "did you mean acme?", 1),
        (("override", "acme"), "Missing option '--reason'", 2),
        (("override", "acme", "--reason", ""), "the reason is empty", 1),
        (("override", "acme", "--reason", "\x07"), "do not print", 1),
        (("override", "acme", "--reason", "x", "--for", "0s"), "is no time at all", 1),
        (("override", "acme", "--reason", "x", "--for", "-1h"), "is no length of time", 1),
        (("override", "acme", "--reason", "x", "--for", "99999w"), "more than ten years away", 1),
    ],
)
def test_bad_input(guarded: Guarded, words: tuple[str, ...], told: str, status: int) -> None:
    guarded.refuses(told, *words, status=status)


def test_an_extension_that_would_be_past_already(guarded: Guarded) -> None:
    guarded.stage.world.clock.move(10 * 3600)
    guarded.refuses("the new end of acme would be past already", "extend", "acme", "1h")
    guarded.says("extend", "acme", "4h")


def test_windows_do_not_count_for_an_hour(guarded: Guarded) -> None:
    said = guarded.says("override", "acme", "--reason", "the checkout is down", "--by", "ann")
    assert said.startswith("change windows do not count for acme, until ")
    (grant,) = guarded.grants()
    assert (grant.kind, grant.until) == (GrantKind.OVERRIDE, guarded.now + timedelta(hours=1))
    (entry,) = guarded.entries
    assert (entry.what, entry.site, entry.reason) == ("override", "acme", "the checkout is down")


def test_an_override_is_ended_by_a_shorter_one(guarded: Guarded) -> None:
    guarded.says("override", "acme", "--reason", "x", "--for", "4h")
    guarded.says("override", "acme", "--reason", "done", "--for", "1s")
    (grant,) = guarded.grants()
    assert grant.until == guarded.now + timedelta(seconds=1)


def test_json(guarded: Guarded) -> None:
    for words in (("extend", "acme", "4h"), ("override", "acme", "--reason", "x")):
        document = json.loads(guarded.says(*words, "--json"))
        check("said", document)
        assert document["given"]["kind"] == words[0]
