"""Times as people type them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from otto.decide.moments import length, moment
from otto.model.errors import UsageError

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2h", NOW + timedelta(hours=2)),
        (" 1d12h ", NOW + timedelta(days=1, hours=12)),
        ("2026-06-01T12:00:01Z", NOW + timedelta(seconds=1)),
        ("2026-06-02T12:00+02:00", datetime(2026, 6, 2, 10, tzinfo=UTC)),
        ("2026-06-02T12:00", datetime(2026, 6, 2, 10, tzinfo=UTC)),
        ("2026-12-02 12:00", datetime(2026, 12, 2, 11, tzinfo=UTC)),
        ("2026-06-02", datetime(2026, 6, 1, 22, tzinfo=UTC)),
    ],
)
def test_a_time_to_come(text: str, at: datetime) -> None:
    found = moment(text, NOW)
    assert found == at
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-06-01T12:00Z", "is past"),
        ("2026-06-01T13:59", "is past"),
        ("0001-01-01", "neither"),
        ("1999-01-01", "is past"),
        ("9999-12-31T23:59-14:00", "neither"),
        ("9999-12-30T00:00Z", "more than ten years"),
        ("999999999w", "more than ten years"),
        ("0s", "no time at all"),
        ("tomorrow", "neither"),
        ("-2h", "neither"),
        ("", "neither"),
        ("2026-13-01", "neither"),
        ("\x1b[31m2h", "neither"),
        ("2h" * 1000, "neither"),
    ],
)
def test_what_is_none(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as raised:
        moment(text, NOW)
    assert raised.value.mend
    assert len(raised.value.message) < 200


@pytest.mark.parametrize("text", ["0m", "", "1 h", "h", "1.5h"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(UsageError):
        length(text)
