"""Which signed commit or tag is let in, in words and by order."""

from datetime import UTC, datetime, timedelta

import pytest

from otto.decide import admission
from otto.model.errors import TerminalError
from otto.model.signature import GitObject, Signed, TagRef

AT = datetime(2026, 1, 1, tzinfo=UTC)


def signed(kind: str = "commit", name: str = "", committer: str = "ada", at: datetime = AT) -> Signed:
    return Signed("c" * 40, kind, "a" * 40, "commit", name, "ada", committer, at, b"")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (signed(), "commit cccccccccccc is refused: no (written by ada)"),
        (
            signed(committer="forge"),
            "commit cccccccccccc is refused: no (written by ada, committed by forge)",
        ),
        (signed("tag", "v1"), "tag v1 is refused: no (tagged by ada)"),
    ],
)
def test_a_refusal_says_what_why_and_whose(found: Signed, words: str) -> None:
    refusal = admission.refusal(found, TerminalError("no"))
    assert refusal.reason == words
    assert "sign it with a key of the fleet's policy" in refusal.mend
    assert admission.refusal(found, TerminalError("no", mend="this")).mend == "this"


@pytest.mark.parametrize(
    ("seconds", "descends", "rewinds"),
    [(1, False, False), (0, False, False), (-1, False, True), (-1, True, False)],
)
def test_an_old_commit_comes_back_only_below_a_newer_one(
    seconds: int, *, descends: bool, rewinds: bool
) -> None:
    found = signed(at=AT + timedelta(seconds=seconds))
    assert admission.rewinds(found, AT, descends=descends) is rewinds
    assert not admission.rewinds(found, None, descends=descends)


def test_a_day_ahead_is_a_clock_and_more_is_not() -> None:
    assert not admission.early(signed(at=AT + timedelta(hours=23)), AT)
    assert admission.early(signed(at=AT + timedelta(hours=25)), AT)


def test_tags_count_by_name_and_the_newest_comes_first() -> None:
    tags = [TagRef(name, "x") for name in ("v2", "v1", "w1", "release/v3")]
    assert [tag.name for tag in admission.wanted_tags(tags, "v*")] == ["v1", "v2"]
    found = [
        signed("tag", "v1", at=AT),
        signed("tag", "v3", at=AT),
        signed("tag", "v2", at=AT + timedelta(1)),
    ]
    assert [tag.name for tag in admission.newest_first(found)] == ["v2", "v3", "v1"]


def text(kind: str = "commit", name: str = "v1") -> bytes:
    return f"object {'a' * 40}\ntype {kind}\ntag {name}\ntagger ada <a@x> 1 +0000\n\n\n".encode()


def test_a_tag_goes_by_its_own_name() -> None:
    assert admission.tag(GitObject("c", "tag", text()), "v1").name == "v1"
    for found, reason in (
        (GitObject("c", "tag", text(name="v0")), "calls itself 'v0'"),
        (GitObject("c", "tag", text("tag")), "not of a commit"),
        (GitObject("c", "commit", text()), "a name alone"),
    ):
        with pytest.raises(TerminalError, match=reason):
            admission.tag(found, "v1")
