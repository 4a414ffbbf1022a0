"""Freeze and thaw."""

import json
from datetime import timedelta

import pytest
from tests.unit.cli.conftest import Stage
from tests.unit.cli.guarded import Guarded
from tests.unit.cli.test_schemas import check

from otto.model.history import Grant, GrantKind


@pytest.fixture
def guarded(stage: Stage) -> Guarded:
    guarded = Guarded(stage)
    guarded.knows()
    guarded.knows("shop")
    return guarded


def collapsed(guarded: Guarded, *sites: str) -> None:
    grant = Grant(
        GrantKind.FREEZE, "", "otto", guarded.now, reason="2 of 3 sites vanished", origin="source", held=sites
    )
    guarded.grant(grant)


def test_all_are_frozen_until_somebody_thaws(guarded: Guarded) -> None:
    said = guarded.says("freeze", "--reason", "sale", "--by", "ann")
    assert "nothing of any site is taken away; to end that: otto thaw" in said
    (grant,) = guarded.grants()
    assert (grant.kind, grant.site, grant.until, grant.reason) == (GrantKind.FREEZE, "", None, "sale")
    assert "the freeze of all sites is over" in guarded.says("thaw", "--by", "bob", "--reason", "sold out")
    assert guarded.grants() == ()
    assert [(entry.what, entry.who, entry.reason) for entry in guarded.entries] == [
        ("freeze", "ann", "sale"),
        ("thaw", "bob", "sold out"),
    ]


def test_one_site_is_frozen_for_a_while(guarded: Guarded) -> None:
    said = guarded.says("freeze", "--site", "acme", "--until", "2h", "--reason", "sale")
    assert "nothing of acme is taken away, until " in said
    (grant,) = guarded.grants()
    assert (grant.site, grant.until) == ("acme", guarded.now + timedelta(hours=2))
    assert "acme is frozen no more" in guarded.says("thaw", "--site", "acme")
    assert guarded.grants() == ()


def test_a_freeze_is_made_longer_but_not_shorter(guarded: Guarded) -> None:
    guarded.says("freeze", "--until", "2h", "--reason", "sale", "--by", "ann")
    guarded.refuses("frozen for longer already, by ann: sale", "freeze", "--until", "1h", "--reason", "x")
    guarded.says("freeze", "--until", "3h", "--reason", "longer sale")
    guarded.says("freeze", "--reason", "no end of it")
    guarded.refuses("frozen for longer already", "freeze", "--until", "3d", "--reason", "x")
    assert [grant.reason for grant in guarded.grants()] == ["no end of it"]


def test_a_freeze_that_has_ended_is_none(guarded: Guarded) -> None:
    guarded.says("freeze", "--until", "2h", "--reason", "sale")
    guarded.stage.world.clock.move(7200)
    guarded.refuses("every site is not frozen", "thaw")
    guarded.says("freeze", "--until", "1h", "--reason", "sale")


def test_thawing_one_tells_that_all_are_frozen(guarded: Guarded) -> None:
    guarded.says("freeze", "--reason", "sale", "--by", "ann")
    guarded.refuses("acme has no freeze of its own; all sites are frozen", "thaw", "--site", "acme")
    guarded.says("freeze", "--site", "acme", "--reason", "sale")
    assert "all sites are still frozen, by ann" in guarded.says("thaw", "--site", "acme")


def test_thawing_all_leaves_those_of_single_sites(guarded: Guarded) -> None:
    guarded.says("freeze", "--site", "acme", "--reason", "sale", "--by", "ann")
    guarded.refuses("not all sites are frozen, but acme", "thaw")
    guarded.says("freeze", "--reason", "sale")
    assert "acme is still frozen, by ann" in guarded.says("thaw")


@pytest.mark.parametrize(
    ("words", "told", "status"),
    [
        (("freeze",), "Missing option '--reason'", 2),
        (("freeze", "--reason", " \n"), "the reason is empty", 1),
        (("freeze", "--reason", "x" * 501), "at most 500 are kept", 1),
        (("freeze", "--reason", "\x00"), "do not print", 1),
        (("freeze", "--reason", "x", "--site", "acmee"), "did you mean acme?", 1),
        (("freeze", "--reason", "x", "--site", ""), "the name of the site is empty", 1),
        (("freeze", "--reason", "x", "--until", "2020-01-01"), "is past", 1),
        (("freeze", "--reason", "x", "--until", "soon"), "neither a time nor a length of time", 1),
        (("freeze", "--reason", "x", "--until", ""), "neither a time nor a length of time", 1),
        (("thaw", "--site", "acmee"), "did you mean acme?", 1),
        (("thaw", "--site", ""), "the name of the site is empty", 1),
        (("thaw", "--site", "acme"), "acme is not frozen", 1),
        (("thaw",), "every site is not frozen", 1),
        (("thaw", "--by", ""), "the name is empty", 1),
    ],
)
def test_bad_input(guarded: Guarded, words: tuple[str, ...], told: str, status: int) -> None:
    guarded.refuses(told, *words, status=status)


@pytest.mark.parametrize("typed", ["thaw\n", "2\n"])
def test_a_freeze_that_otto_set_is_thawed_by_who_was_told_what_vanished(guarded: Guarded, typed: str) -> None:
    collapsed(guarded, "shop", "acme")
    result = guarded.stage.otto("thaw", typed=typed)
    assert result.exit_code == 0, result.output
    told = " ".join(result.stderr.split())
    assert "OttO froze all deletion: 2 of 3 sites vanished." in told
    assert "2 sites vanished from the repository: acme, shop." in told
    assert "they are Orphaned: they keep serving" in told
    assert guarded.grants() == ()
    assert guarded.entries[0].detail["vanished"] == "acme shop"


@pytest.mark.parametrize("typed", ["", "\n", "yes\n", "3\n", "acme\n"])
def test_the_wrong_words_thaw_nothing(guarded: Guarded, typed: str) -> None:
    collapsed(guarded, "shop", "acme")
    guarded.refuses("nothing was thawed: that was not confirmed", "thaw", typed=typed)


def test_many_vanished_sites_are_not_all_listed(guarded: Guarded) -> None:
    collapsed(guarded, *(f"site-{n:03}" for n in range(150)))
    told = " ".join(guarded.stage.otto("thaw", typed="no\n").stderr.split())
    assert "150 sites vanished" in told
    assert "site-019 and 130 more." in told


def test_a_freeze_that_otto_set_though_no_site_vanished_asks_as_well(guarded: Guarded) -> None:
    collapsed(guarded)
    guarded.refuses("nothing was thawed: that was not confirmed", "thaw", typed="0\n")
    result = guarded.stage.otto("thaw", typed="thaw\n")
    assert result.exit_code == 0
    assert "vanished from the repository" not in result.stderr
    assert guarded.grants() == ()


def test_yes_asks_nothing(guarded: Guarded) -> None:
    collapsed(guarded, "shop")
    guarded.says("thaw", "--yes")
    assert guarded.grants() == ()


def test_freezing_by_hand_leaves_the_freeze_that_otto_set(guarded: Guarded) -> None:
    collapsed(guarded, "shop")
    guarded.says("freeze", "--until", "1h", "--reason", "looking into it")
    guarded.stage.world.clock.move(3600)
    assert [grant.held for grant in guarded.grants() if grant.holds(guarded.now)] == [("shop",)]
    guarded.says("thaw", typed="thaw\n")
    assert not [grant for grant in guarded.grants() if grant.holds(guarded.now)]


def test_json(guarded: Guarded) -> None:
    for words in (("freeze", "--reason", "sale"), ("thaw",)):
        document = json.loads(guarded.says(*words, "--json"))
        check("said", document)
        assert (document["what"], document["site"]) == (words[0], "")
