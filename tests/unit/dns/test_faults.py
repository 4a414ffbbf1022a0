"""What becomes of errors of providers' libraries."""

import json
import pickle
from typing import Any

import pytest
import requests

from otto.adapters.dns.access import Access, Server
from otto.adapters.dns.faults import translated, without
from otto.model.errors import OttoError, StaleError, TerminalError, TransientError


def answered(status: int, body: Any = None, **headers: str) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    response._content = json.dumps(body).encode() if body is not None else b""
    return requests.HTTPError(f"{status} of https://api.example", response=response)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            answered(401, {"message": "Unable to authenticate you"}),
            TerminalError,
            "Unable to authenticate you",
        ),
        (answered(422, {"message": "Data is wrong"}), TerminalError, "Data is wrong"),
        (answered(429), TransientError, "too many requests"),
        (answered(500, {"error": "oops"}), TransientError, "oops"),
        (
            answered(404, {"error": {"message": "'entity.change.deletions[0]' does not exist"}}),
            StaleError,
            "moved on",
        ),
        (answered(409, {"error": {"message": "already exists"}}), StaleError, "moved on"),
        (requests.ConnectionError("refused"), TransientError, "refused"),
        (RuntimeError("Timeout reached after 10 seconds"), TransientError, "Timeout"),
    ],
)
def test_errors_are_sorted_by_what_the_loop_does_next(
    error: Exception, kind: type[OttoError], words: str
) -> None:
    found = translated(error, "someone", "example.test")
    assert type(found) is kind
    assert words in found.message
    assert "someone, example.test" in found.message


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry_After": "7"}, 7.0), ({}, 30.0), ({"Retry_After": "x"}, 30.0)]
)
def test_who_has_too_many_requests_says_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    found = translated(answered(429, None, **headers), "someone", "example.test")
    assert isinstance(found, TransientError)
    assert found.retry_after == seconds


def test_our_own_errors_pass() -> None:
    error = StaleError("moved on")
    assert translated(error, "someone", "example.test") is error


def test_secrets_are_taken_out_and_errors_survive_the_way_between_processes() -> None:
    access = Access(
        "x", Server("a", key="c2VjcmV0IG9mIGEga2V5"), credentials="key = AKIA0123456789ABCDEF\nother = y1z2"
    )
    told = "the key c2VjcmV0IG9mIGEga2V5 and AKIA0123456789ABCDEF"
    error = without(access.secrets, TransientError(told, retry_after=3.0, mend=told, detail=told))
    found = pickle.loads(pickle.dumps(error))  # noqa: S301  (as workers do)
    assert isinstance(found, TransientError)
    assert found.retry_after == 3.0
    for text in (found.message, found.mend, found.detail, str(found), repr(found)):
        assert "c2VjcmV0" not in text
        assert "AKIA0" not in text
    assert "c2VjcmV0" not in repr(access)
    assert "AKIA0" not in repr(access)
