"""What people are told of rollouts."""

from dataclasses import replace

import pytest

from otto.decide import rolloutwords
from otto.model.history import Grant, GrantKind
from otto.model.notice import NoticeKind
from otto.model.observed import CheckFailure
from otto.model.rollout import Quarantine, RolloutState, RolloutStatus

from .simulation import NOW, desired

FAILURE = CheckFailure("/", "hello-web-1", "GET http://10.0.0.101/", "HTTP 200", "HTTP 500", "hello-web-1")
FOUND = Quarantine("d" * 64, "c" * 40, NOW, "/ failed", (FAILURE,) * 12, ("hello-web-1",))
STATUS = RolloutStatus(
    "hello",
    batches=(("hello-web-1",), ("hello-web-2", "hello-web-3")),
    done=("hello-web-1",),
    current=("hello-web-2", "hello-web-3"),
    moment="drain",
)
FREEZE = Grant(GrantKind.FREEZE, "hello", "ada", NOW, reason="fair")


@pytest.mark.parametrize(
    ("state", "reason", "line"),
    [
        (RolloutState.RUNNING, "", "rolling out: 1 of 3 servers, drain hello-web-2, hello-web-3"),
        (RolloutState.PAUSED, "paused by ada", "rollout paused by ada: 1 of 3 servers"),
        (RolloutState.PAUSED, "", "rollout paused: 1 of 3 servers"),
        (
            RolloutState.REVERTING,
            "/ failed",
            "the newest commit is being taken back: / failed, drain hello-web-2, hello-web-3",
        ),
        (RolloutState.REVERTED, "/ failed", "the newest commit was taken back: / failed"),
        (RolloutState.REVERTED, "", "the newest commit was taken back"),
        (RolloutState.STUCK, "x", "the newest commit failed and cannot be taken back: x"),
        (RolloutState.DONE, "x", ""),
    ],
)
def test_a_rollout_in_a_line(state: RolloutState, reason: str, line: str) -> None:
    assert rolloutwords.in_a_line(replace(STATUS, state=state, reason=reason)) == line


def test_a_notice_names_what_failed_with_request_expected_and_received() -> None:
    notice = rolloutwords.failed_notice("hello", FOUND)
    assert notice.kind is NoticeKind.ROLLOUT
    assert all(word in notice.body for word in (FAILURE.request, "HTTP 200", "HTTP 500", "hello-web-1"))
    assert notice.body.count("\n- ") == 10
    assert "taken back: nothing" in rolloutwords.failed_notice("hello", replace(FOUND, hosts=())).body


def test_the_record_of_a_quarantine_says_who_what_and_why() -> None:
    entry = rolloutwords.quarantine_entry(desired(), FOUND)
    assert (entry.who, entry.what, entry.site, entry.reason) == ("otto", "quarantine", "hello", "/ failed")
    assert entry.detail == {"digest": FOUND.digest, "hosts": "hello-web-1"}


@pytest.mark.parametrize(
    ("site", "message", "mend"),
    [
        ("hello", "the rollout waits: ada froze hello: fair", "to go on: otto thaw --site hello"),
        ("", "the rollout waits: ada froze all sites: fair", "to go on: otto thaw"),
    ],
)
def test_a_freeze_that_holds_a_batch_is_told_with_its_mend(site: str, message: str, mend: str) -> None:
    error = rolloutwords.frozen_by(replace(FREEZE, site=site))
    assert (error.message, error.mend) == (message, mend)


def test_without_a_way_back_people_are_told_why_and_what_to_do() -> None:
    held = Grant(GrantKind.QUARANTINE, "hello", "otto", NOW, reason="/ failed")
    error = rolloutwords.no_way_back(desired(), held, "its Terraform module changed since")
    assert "(/ failed), and cannot be taken back: its Terraform module changed since" in error.message
    assert error.mend.endswith("otto rollout resume hello")
    assert (
        "its Terraform module" in rolloutwords.stuck_notice("hello", "its Terraform module changed", NOW).body
    )
