"""Words for people."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otto.cli.text import clean, clean_lines, counted, figures, lasting, took
from otto.model.verdict import Reason


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain words", "plain words"),
        ("Grüße, 世界 ✔", "Grüße, 世界 ✔"),
        ("red \x1b[31malert\x1b[0m", "red \\x1b[31malert\\x1b[0m"),
        ("title\x1b]0;owned\x07", "title\\x1b]0;owned\\x07"),
        ("one\nline\r\nonly\t!", "one line  only !"),
        ("c1 \x9b31m", "c1 \\x9b31m"),
        ("bidi \u202e drawkcab", "bidi \\u202e drawkcab"),
        ("no-break\u00a0space", "no-break space"),
        ("lone \ud800 surrogate", "lone \\ud800 surrogate"),
        ("[bold]markup[/]", "[bold]markup[/]"),
    ],
)
def test_clean(given: str, shown: str) -> None:
    assert clean(given) == shown


@given(st.text())
def test_clean_leaves_nothing_that_steers_a_terminal(text: str) -> None:
    assert clean(text).isprintable()


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])))
def test_clean_leaves_printable_text_alone(text: str) -> None:
    assert clean(text) == text


def test_clean_lines_keeps_lines() -> None:
    assert clean_lines("a\tb\n\x1bc\r\nd") == "a    b\n\\x1bc\nd"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0s"),
        (0.4, "0s"),
        (59.9, "59s"),
        (60, "1m00s"),
        (3599, "59m59s"),
        (3600, "1h00m"),
        (86399, "23h59m"),
        (86400, "1d00h"),
        (30 * 86400 + 7200, "30d02h"),
    ],
)
def test_lasting(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


def test_took_has_a_decimal_while_that_says_something() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert took(start, start + timedelta(seconds=3.14), start) == "3.1s"
    assert took(start, start + timedelta(seconds=314), start) == "5m14s"
    assert took(start, None, start + timedelta(seconds=7)) == "7s"


def test_counts() -> None:
    assert (counted(1, "site"), counted(2, "site"), counted(0, "box", "boxes")) == (
        "1 site",
        "2 sites",
        "0 boxes",
    )


def test_figures_are_in_the_order_of_their_names() -> None:
    reason = Reason("guard.size.blast", "too many", figures={"limit": "2", "hosts": "3"})
    assert (figures(reason), figures(Reason("guard.hook", "no"))) == ("hosts 3, limit 2", "")
