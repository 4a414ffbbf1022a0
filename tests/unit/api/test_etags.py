"""Entity tags: when 304 will do, and when a change may be made."""

import pytest

from otto.api import etags
from otto.api.problems import Kind, ProblemError

NOW = '"abc"'


@pytest.mark.parametrize(
    ("given", "same"),
    [
        (None, False),
        (NOW, True),
        ('"x", "abc"', True),
        ('W/"abc"', True),
        ("*", True),
        ("abc", False),
        ("", False),
    ],
)
def test_unchanged(given: str | None, *, same: bool) -> None:
    assert etags.unchanged(given, NOW) is same


@pytest.mark.parametrize(
    ("given", "present", "kind"),
    [
        (NOW, NOW, None),
        ('"x", "abc"', NOW, None),
        ("*", NOW, None),
        (None, NOW, Kind.PRECONDITION_REQUIRED),
        ('"x"', NOW, Kind.PRECONDITION_FAILED),
        ('W/"abc"', NOW, Kind.PRECONDITION_FAILED),  # If-Match compares strongly
        ("*", None, Kind.PRECONDITION_FAILED),
        (NOW, None, Kind.PRECONDITION_FAILED),
    ],
)
def test_require_match(given: str | None, present: str | None, kind: Kind | None) -> None:
    if kind is None:
        etags.require_match(given, present, needed=True)
        return
    with pytest.raises(ProblemError) as refused:
        etags.require_match(given, present, needed=True)
    assert refused.value.kind is kind


def test_a_tag_that_is_not_needed_counts_when_it_is_given() -> None:
    etags.require_match(None, NOW, needed=False)
    with pytest.raises(ProblemError):
        etags.require_match('"x"', NOW, needed=False)


def test_tags_name_content_whatever_its_order() -> None:
    assert etags.etag({"a": 1, "b": 2}) == etags.etag({"b": 2, "a": 1}) != etags.etag({"a": 1})
