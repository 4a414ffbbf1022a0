"""Whatever others wrote, a message is plain text."""

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.adapters.notify.message import fenced, in_chat, message
from otto.model.notice import Notice, NoticeKind

AT = datetime(2026, 1, 1, tzinfo=UTC)


def notice(title: str = "title", body: str = "body", kind: NoticeKind = NoticeKind.TTL) -> Notice:
    return Notice(kind, "acme", title, body, AT)


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_its_gravity(kind: NoticeKind) -> None:
    assert message(notice(kind=kind)).type in ("success", "warning", "failure")


@given(st.text(), st.text())
def test_a_title_is_one_line_and_nothing_moves(title: str, body: str) -> None:
    told = message(notice(title, body))
    assert len(told.title.splitlines()) == 1
    assert len(told.title) <= 200
    assert not {unicodedata.category(c) for c in told.title + told.body.replace("\n", "")} & {
        "Cc",
        "Cf",
        "Cs",
    }
    assert told.body


@given(st.text(alphabet="`@<>! a\nchannel"), st.text(alphabet="`@<>! a\nchannel"))
def test_in_a_chat_no_fence_is_broken_and_nobody_called(title: str, body: str) -> None:
    told = fenced(message(notice(title, body)))
    assert told.title == ""
    assert told.body.count("```") == 2
    for words in (told, in_chat(message(notice(title, body)))):
        text = words.title + words.body
        assert "<" not in text
        assert "@a" not in text
        assert "@c" not in text


def test_of_a_long_body_the_end_stays_for_it_holds_the_command() -> None:
    told = message(notice(body="x" * 100_000 + "\notto approve acme 0123456789ab"))
    assert len(told.body) < 3100
    assert told.body.endswith("\notto approve acme 0123456789ab")
