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


PAUSE, FREEZE = said(GrantKind.PAUSE), said(GrantKind.FREEZE)
CURRENT = said(GrantKind.QUARANTINE, NEW.digest, reason="/ failed")
PLACED = said(GrantKind.QUARANTINE, OLD.digest, reason="too ugly")
OLDER = said(GrantKind.QUARANTINE, "d1", reason="/ failed")
AGAIN = f"commit with digest {NEW.digest[:12]} is tried again (/ failed)"


@pytest.mark.parametrize(
    ("grants", "everything", "taken", "more"),
    [
        ((PAUSE, OLDER, FREEZE), False, (PAUSE,), ()),
        ((CURRENT, OLDER), False, (CURRENT,), (AGAIN,)),
        (
            (PAUSE, CURRENT),
            False,
            (PAUSE,),
            (f"{NEW.digest[:12]} stays quarantined (/ failed); to try it again: otto rollout resume hello",),
        ),
        ((PLACED,), False, (PLACED,), (f"commit with digest {OLD.digest[:12]} is tried again (too ugly)",)),
        (
            (OLDER, PAUSE, CURRENT, FREEZE),
            True,
            (PAUSE, OLDER, CURRENT),
            ("commit with digest d1 is tried again (/ failed)", AGAIN),
        ),
    ],
)
def test_what_is_resumed_is_what_is_in_the_way_now_and_the_pause_first(
    grants: tuple[Grant, ...], everything: bool, taken: tuple[Grant, ...], more: tuple[str, ...]
) -> None:
    saying = resumed(*grants, everything=everything)
    assert saying.taken == taken
    assert saying.more == more


def resumed(*grants: Grant, everything: bool = False) -> Saying:
    status = replace(RUNNING, state=RolloutState.REVERTED)
    return steering.resume("hello", status, AHEAD, grants, ADA, reason="", everything=everything)


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
    "a resume of nothing": ("no rollout of hello is paused", lambda: resumed(FREEZE)),
    "a resume of what is past": ("none is quarantined now.*--all", lambda: resumed(OLDER)),
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
