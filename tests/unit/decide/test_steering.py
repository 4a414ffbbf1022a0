"""What people say to a rollout, and when it is refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from otto.decide import steering
from otto.model.errors import UsageError
from otto.model.history import Grant, GrantKind
from otto.model.observed import Applied
from otto.model.rollout import RolloutState, RolloutStatus
from otto.model.saying import Saying, Speaker

from .simulation import NOW, desired

ADA = Speaker("ada", NOW, "root")
OLD, NEW = desired(), desired(content="c2")
RUNNING = RolloutStatus("hello", NEW.digest, RolloutState.RUNNING)
AHEAD = Applied(verified=OLD.digest, desired=OLD)
DONE = Applied(verified=NEW.digest, desired=NEW, previous=OLD)


def said(kind: GrantKind, plan: str = "", **changes: object) -> Grant:
    return replace(Grant(kind, "hello", "grace", NOW, plan=plan), **changes)  # type: ignore[arg-type]


def test_a_pause_holds_until_it_is_taken_back_and_is_said_once() -> None:
    saying = steering.pause("hello", [], ADA, "lunch")
    assert saying.given == Grant(GrantKind.PAUSE, "hello", "ada", NOW, reason="lunch")
    assert saying.tightens
    with pytest.raises(UsageError, match="paused already, by grace"):
        steering.pause("hello", [said(GrantKind.PAUSE)], ADA, "")
    ended = said(GrantKind.PAUSE, until=NOW - timedelta(seconds=1))
    assert steering.pause("hello", [ended], ADA, "").given is not None


def test_what_is_resumed_is_every_pause_and_quarantine_and_nothing_else() -> None:
    grants = (
        said(GrantKind.PAUSE),
        said(GrantKind.QUARANTINE, "d1", reason="/ failed"),
        said(GrantKind.FREEZE),
    )
    saying = steering.resume("hello", grants, ADA, "")
    assert saying.taken == grants[:2]
    assert saying.more == ("commit with digest d1 is tried again (/ failed)",)
    with pytest.raises(UsageError, match="no rollout of hello is paused"):
        steering.resume("hello", grants[2:], ADA, "")


@pytest.mark.parametrize("state", [RolloutState.RUNNING, RolloutState.PAUSED])
def test_given_up_is_the_wish_that_is_rolled_out(state: RolloutState) -> None:
    saying = steering.abort("hello", replace(RUNNING, state=state), AHEAD, ADA, "")
    assert saying.given is not None
    assert (saying.given.kind, saying.given.plan) == (GrantKind.QUARANTINE, NEW.digest)
    assert saying.given.reason == "otto rollout abort"


def test_undone_is_the_wish_that_is_in_place() -> None:
    saying = steering.undo(
        "hello", replace(RUNNING, state=RolloutState.DONE), DONE, [], ADA, reason="too ugly"
    )
    assert saying.given is not None
    assert (saying.given.kind, saying.given.plan) == (GrantKind.QUARANTINE, NEW.digest)
    assert saying.given.reason == "too ugly"


def undone(applied: Applied, *grants: Grant, status: RolloutStatus = RUNNING) -> Saying:
    return steering.undo("hello", status, applied, grants, ADA, reason="")


REFUSED: dict[str, tuple[str, Callable[[], Saying]]] = {
    "an abort of what is done": ("under way", lambda: steering.abort("hello", RUNNING, DONE, ADA, "")),
    "an abort of nothing": (
        "under way",
        lambda: steering.abort("hello", replace(RUNNING, state=RolloutState.REVERTED), AHEAD, ADA, ""),
    ),
    "an abort of the first wish": (
        "nothing to go back to",
        lambda: steering.abort("hello", RUNNING, Applied(), ADA, ""),
    ),
    "an undo of what is under way": ("is under way", lambda: undone(AHEAD)),
    "an undo with nothing before": ("no older state", lambda: undone(replace(DONE, previous=None))),
    "an undo said twice": (
        "taken back already",
        lambda: undone(DONE, said(GrantKind.QUARANTINE, NEW.digest)),
    ),
    "an undo of the undone": (
        "no older state",
        lambda: undone(
            Applied(verified=OLD.digest, desired=OLD, previous=NEW),
            said(GrantKind.QUARANTINE, NEW.digest),
            status=replace(RUNNING, state=RolloutState.REVERTED),
        ),
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused_with_the_mend(what: str) -> None:
    why, say = REFUSED[what]
    with pytest.raises(UsageError, match=why):
        say()
