from dataclasses import replace
from datetime import timedelta

import pytest

from otto.decide.diff import diff
from otto.decide.schedule import backoff, jittered
from otto.decide.summarize import Findings, summarize
from otto.model.observed import CheckFailure, Observed, Seen, Serving
from otto.model.plan import StepKind
from otto.model.problem import Problem
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.model.verdict import NeedsApproval, Reason

from .simulation import NOW, built, desired, nothing

WISH = desired()
LATER = NOW + timedelta(minutes=5)


def findings(seen: Observed, **more: object) -> Findings:
    base = Findings("hello", NOW, WISH, seen.infrastructure, diff(WISH, seen))
    return replace(base, **more)  # type: ignore[arg-type]


def condition(status: SiteStatus, kind: ConditionType) -> Condition:
    return status.conditions[kind.value]


READY = summarize(None, findings(built()))
FAILURE = CheckFailure("/", "http://x/", "GET http://x/", "HTTP 200", "HTTP 503")
BROKEN = replace(built(), serving=Seen(Serving((FAILURE,), 3, "c1"), NOW))
PROBLEM = Problem("specs/a.yaml", 3, 1, "/spec", "unknown field", site="hello")
APPROVAL = NeedsApproval((Reason("guard.replace", "it would replace x", "otto approve hello abc"),))


@pytest.mark.parametrize(
    ("before", "found", "phase", "ready"),
    [
        (None, findings(built()), Phase.READY, True),
        (None, findings(nothing()), Phase.PENDING, False),
        (None, Findings("hello", NOW), Phase.PENDING, False),
        (None, findings(nothing(), step=StepKind.PROVISION), Phase.PROVISIONING, False),
        (READY, findings(built(), step=StepKind.DEPLOY), Phase.DEPLOYING, True),
        (READY, findings(BROKEN), Phase.DEGRADED, False),
        (READY, findings(built(), verdict=APPROVAL), Phase.AWAITING_APPROVAL, True),
        (READY, Findings("hello", NOW, orphaned=True), Phase.ORPHANED, True),
        (READY, Findings("hello", NOW, suspended="a person"), Phase.SUSPENDED, True),
        (READY, Findings("hello", NOW, error="engine away"), Phase.DEGRADED, True),
        (READY, findings(built(), problems=(PROBLEM,)), Phase.READY, True),
    ],
)
def test_the_phase_says_where_a_site_is_in_its_life(
    before: SiteStatus | None, found: Findings, phase: Phase, *, ready: bool
) -> None:
    status = summarize(before, found)
    assert (status.phase, status.ready) == (phase, ready)


def test_since_moves_only_when_the_status_moves() -> None:
    again = summarize(READY, findings(built(), now=LATER))
    assert condition(again, ConditionType.READY).since == NOW
    broken = summarize(again, findings(BROKEN, now=LATER))
    assert condition(broken, ConditionType.READY).since == LATER
    assert condition(broken, ConditionType.PROVISIONED).since == NOW


def test_a_bad_newest_spec_is_said_while_the_last_good_one_stays_ready() -> None:
    status = summarize(READY, findings(built(), problems=(PROBLEM,)))
    assert condition(status, ConditionType.VALID).status is Truth.FALSE
    assert "specs/a.yaml:3:1" in condition(status, ConditionType.VALID).message
    assert "last good one" in status.message


def test_an_approval_names_rule_and_command() -> None:
    message = condition(summarize(READY, findings(built(), verdict=APPROVAL)), ConditionType.ALLOWED).message
    assert "guard.replace" in message
    assert "otto approve hello abc" in message


def test_a_drifted_site_that_serves_is_drifted_not_degraded() -> None:
    seen = built()
    facts = seen.facts["hello-web-1"]
    assert isinstance(facts, Seen)
    edited = Seen(replace(facts.value, files={"/etc/nginx/nginx.conf": "edited"}), NOW)
    drifted = replace(seen, facts=dict(seen.facts) | {"hello-web-1": edited})
    status = summarize(READY, findings(drifted))
    assert status.phase is Phase.DRIFTED
    assert condition(status, ConditionType.CONFIGURED).reason == "Drifted"


def test_an_error_is_told_with_its_mend() -> None:
    status = summarize(None, Findings("hello", NOW, error="no image", mend="build it"))
    assert status.message == "no image (build it)"
    assert status.phase is Phase.DEGRADED


class HalfRandom:
    def random(self) -> float:
        return 0.5


def test_backoff_doubles_to_its_cap_and_jitters_between_half_and_whole() -> None:
    waits = [backoff(n, HalfRandom(), base=2, cap=60) for n in (1, 2, 3, 10, 10_000)]  # type: ignore[arg-type]
    assert waits == [1.5, 3.0, 6.0, 45.0, 45.0]


def test_intervals_are_jittered_around_themselves() -> None:
    assert jittered(30, HalfRandom()) == pytest.approx(30)  # type: ignore[arg-type]
