"""How secrets of tokens are written, and which tokens there may be."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.decide import tokens
from otto.model.caller import Caller, Scope, Token, TokenWish
from otto.model.canonical import canonical, load
from otto.model.errors import UsageError
from otto.model.reading import read
from otto.model.saying import Speaker
from otto.testing import START

ANN = Speaker("ann", START, "ann-account")
SECRET = tokens.secret_of(bytes(range(32)))
YEAR = timedelta(days=366)


def made(**changes: Any) -> Token:
    given: dict[str, Any] = {
        "name": "ci",
        "scope": Scope.WRITE,
        "labels": {"team": "web"},
        "lasting": timedelta(days=90),
    }
    return tokens.issue(TokenWish(**(given | changes)), "0123456789ab", SECRET, ANN, longest=YEAR)


@given(st.binary(min_size=32, max_size=32))
def test_every_secret_is_whole_and_holds_all_of_its_chance(entropy: bytes) -> None:
    secret = tokens.secret_of(entropy)
    assert tokens.is_whole(secret)
    assert len(secret) == len("otto_") + 49
    flipped = bytes([entropy[0] ^ 1]) + entropy[1:]
    assert tokens.secret_of(flipped) != secret


@given(st.integers(0, 53), st.sampled_from("0aZ_- é"))
def test_a_mistyped_secret_is_not_whole(place: int, letter: str) -> None:
    typed = SECRET[:place] + letter + SECRET[place + 1 :]
    assert tokens.is_whole(typed) == (typed == SECRET)


@pytest.mark.parametrize("text", ["", "otto_", SECRET[:-1], SECRET + "0", SECRET + "\n", SECRET.upper()])
def test_what_is_no_secret(text: str) -> None:
    assert not tokens.is_whole(text)


def test_a_secret_takes_32_random_bytes() -> None:
    with pytest.raises(ValueError, match="32"):
        tokens.secret_of(b"short")


def test_a_token_keeps_the_digest_and_nothing_of_the_secret() -> None:
    token = made()
    assert token.digest == tokens.digest_of(SECRET)
    for text in (repr(token), canonical(token)):
        assert SECRET not in text
        assert SECRET.removeprefix("otto_")[:8] not in text
    assert read(Token, load(canonical(token))) == token


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"lasting": timedelta(0)}, "expired already"),
        ({"lasting": timedelta(days=-1)}, "expired already"),
        ({"lasting": YEAR + timedelta(seconds=1)}, "at most 366 days"),
        ({"name": " "}, "the name is empty"),
        ({"name": "x" * 101}, "101 characters"),
        ({"name": "a\u202eb"}, "do not print"),
        ({"name": "OttO"}, "what OttO calls itself"),
        ({"name": "\uff4f\uff54\uff54\uff4f"}, "what OttO calls itself"),
        ({"name": "Local"}, "who has no token"),
        ({"name": "api"}, "who has no token"),
    ],
)
def test_tokens_there_may_not_be(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        made(**changes)


@pytest.mark.parametrize("scope", Scope)
def test_scopes_have_words(scope: Scope) -> None:
    assert tokens.scope_of(f" {scope.word.upper()} ") is scope


def test_an_unknown_scope_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="read, operate, write, admin"):
        tokens.scope_of("root")


def test_labels() -> None:
    assert tokens.labels_of([]) == {}
    assert tokens.labels_of(["team=web", "env=", "a.b/c-d=X_1", "team=web"]) == {
        "team": "web",
        "env": "",
        "a.b/c-d": "X_1",
    }


@pytest.mark.parametrize(
    "pair", ["team", "=web", "Team=web", "team=we b", "otto.site=x", "a=b=c", "a" * 64 + "=b"]
)
def test_labels_no_site_can_have(pair: str) -> None:
    with pytest.raises(UsageError, match="is no label"):
        tokens.labels_of([pair])


def test_two_values_of_one_label_and_too_many_labels() -> None:
    with pytest.raises(UsageError, match="twice"):
        tokens.labels_of(["team=web", "team=shop"])
    with pytest.raises(UsageError, match="up to 20"):
        tokens.labels_of([f"l{number}=x" for number in range(21)])


def test_a_name_is_free_once_its_token_ended() -> None:
    token = made()
    with pytest.raises(UsageError, match="otto token revoke 0123456789ab"):
        tokens.require_free("ci", [token], START)
    tokens.require_free("ci2", [token], START)
    tokens.require_free("ci", [token], token.expires_at)
    tokens.require_free("ci", [replace(token, revoked_at=START)], START)


def test_a_token_is_chosen_by_id_first_digits_or_name() -> None:
    first = made()
    second = replace(first, id="01234fffffff", name="bob")
    known = [first, second]
    assert tokens.chosen("0123456789ab", known, START) is first
    assert tokens.chosen("01234F", known, START) is second
    assert tokens.chosen("bob", known, START) is second


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("01234", "fits 2 tokens"),
        ("nobody", "there is no token 'nobody'"),
        ("012", "there is no token '012'"),
        ("", "there is no token ''"),
        ("aaaa", "is revoked already"),
    ],
)
def test_what_chooses_no_token(text: str, told: str) -> None:
    first = made()
    known = [first, replace(first, id="01234fffffff"), replace(first, id="aaaa00000000", revoked_at=START)]
    with pytest.raises(UsageError, match=told):
        tokens.chosen(text, known, START)


def test_the_audit_record_names_the_token_and_not_its_digest() -> None:
    token = made()
    entry = tokens.issued(token, ANN, "for the build")
    assert entry.summary.startswith("token 0123456789ab of ci: write, sites with team=web, until ")
    assert (entry.what, entry.who, entry.reason) == ("token-create", "ann", "for the build")
    assert tokens.revoked(token, ANN).summary == "token 0123456789ab of ci does not count any more"
    for found in (entry, tokens.revoked(token, ANN)):
        assert token.digest not in canonical(found)
        assert SECRET not in canonical(found)


@pytest.mark.parametrize(
    ("labels", "of_a_site", "seen"),
    [
        ({}, {}, True),
        ({}, {"team": "web"}, True),
        ({"team": "web"}, {"team": "web", "env": "test"}, True),
        ({"team": "web"}, {"team": "shop"}, False),
        ({"team": "web"}, {}, False),
        ({"team": "web", "env": "test"}, {"team": "web"}, False),
    ],
)
def test_a_caller_sees_what_has_all_of_their_labels(
    labels: dict[str, str], of_a_site: dict[str, str], *, seen: bool
) -> None:
    assert Caller("ci", Scope.ADMIN, labels).sees(of_a_site) is seen


@pytest.mark.parametrize("scope", Scope)
def test_a_scope_includes_those_before_it(scope: Scope) -> None:
    caller = Caller("ci", scope)
    assert [caller.may(other) for other in Scope] == [other <= scope for other in Scope]
