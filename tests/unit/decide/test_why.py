"""Why a site is as it is: every phase, and everything that can be in its way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from otto.decide.evidence import WORKING, Evidence
from otto.decide.why import why
from otto.decide.wording import ONLY_REPORTED
from otto.model.catalogue import RememberedSpec
from otto.model.history import Grant, GrantKind
from otto.model.rollout import RolloutState, RolloutStatus
from otto.model.run import Outcome, Run, StepRecord
from otto.model.status import Condition, ConditionType, Phase, SiteStatus, Truth
from otto.model.verdict import Effect, Reason
from otto.model.why import Blocker, Check, Doing, LastError, Obstacle, StepTaken
from otto.testing import site_spec

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
SPEC = RememberedSpec(site_spec(file="specs/acme.yaml"), "c" * 40)
SHOP = site_spec("shop")
READY = Condition(ConditionType.READY, Truth.TRUE, "Verified", "", NOW - timedelta(hours=1))


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def in_(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def condition(
    kind: ConditionType, reason: str = "", message: str = "", *, truth: Truth = Truth.FALSE
) -> Condition:
    return Condition(kind, truth, reason, message, ago(60))


def status(phase: Phase, *conditions: Condition, **more: object) -> SiteStatus:
    by_type = {item.type.value: item for item in conditions}
    found = SiteStatus("acme", phase, ago(5), by_type, commit="c" * 40, digest="d" * 64)
    return replace(found, **more)  # type: ignore[arg-type]


def step(kind: str, *, began: float = 30, took: float | None = 2, **more: object) -> StepRecord:
    outcome = Outcome.RUNNING if took is None else Outcome.SUCCEEDED
    ended = None if took is None else ago(began - took)
    return replace(StepRecord(kind, ago(began), ended, outcome), **more)  # type: ignore[arg-type]


def run(name: str, outcome: Outcome, *steps: StepRecord, ended: float = 20, message: str = "") -> Run:
    end = None if outcome is Outcome.RUNNING else ago(ended)
    return Run(
        name, "acme", "look", ago(ended + 10), "c" * 40, "d" * 64, "p" * 64, end, outcome, message, steps
    )


def evidence(found: SiteStatus | None, **more: object) -> Evidence:
    known = {"acme": found} if found else {}
    base = Evidence("acme", found, SPEC, statuses=known, specs={"acme": SPEC.spec}, newest="c" * 40)
    return replace(base, **more)  # type: ignore[arg-type]


PAUSED = Grant(GrantKind.PAUSE, "acme", "ada", ago(40), reason="the fair")
WAITS = Condition(ConditionType.IN_SYNC, Truth.FALSE, "Paused", "commit c1 waits: it is paused", NOW)
HELD = Grant(GrantKind.QUARANTINE, "acme", "otto", ago(30), reason="/ on acme-web-1", plan="d" * 64)
UNDONE = replace(HELD, by="grace", reason="too loud")
TRY_AGAIN = "push a commit that mends it, or try it again: otto rollout resume acme"


def rolled(state: RolloutState, reason: str = "") -> SiteStatus:
    return status(Phase.READY, READY, rollout=RolloutStatus("acme", "d" * 64, state, reason=reason))


def test_an_older_quarantine_is_not_in_the_way_of_a_newer_commit() -> None:
    assert why(evidence(rolled(RolloutState.DONE), steered=(HELD,))).blockers == ()


GONE = run("r1", Outcome.SUCCEEDED, step("destroy"), ended=300)
FAILING = tuple(run(f"r{n}", Outcome.FAILED, ended=20.0 * (4 - n), message="no room") for n in (3, 2, 1))


@pytest.mark.parametrize(
    ("found", "since"),
    [
        (evidence(None), None),
        (evidence(status(Phase.PENDING)), None),
        (evidence(status(Phase.PENDING, condition(ConditionType.READY))), ago(60)),
        (evidence(status(Phase.READY, READY)), ago(3600)),
        (evidence(status(Phase.DEGRADED, condition(ConditionType.READY))), ago(60)),
        (evidence(status(Phase.DEGRADED, READY), runs=FAILING), ago(60)),
        (evidence(status(Phase.DEGRADED, READY)), None),
        (evidence(status(Phase.DRIFTED, READY, condition(ConditionType.IN_SYNC))), ago(60)),
        (evidence(status(Phase.AWAITING_APPROVAL, READY, condition(ConditionType.ALLOWED))), ago(60)),
        (evidence(status(Phase.SUSPENDED, READY)), None),
        (evidence(status(Phase.ORPHANED, READY)), None),
        (evidence(status(Phase.DESTROYED), runs=(replace(GONE, cause="destroy"),)), ago(300)),
        (evidence(status(Phase.DESTROYED), runs=(GONE,)), None),
        *(
            (
                evidence(status(phase, READY), runs=(run("r1", Outcome.RUNNING, step("any", took=None)),)),
                ago(30),
            )
            for phase in sorted(WORKING)
        ),
    ],
    ids=lambda value: value.phase.value if isinstance(value, Evidence) else "",
)
def test_since_when_it_is_in_its_phase(found: Evidence, since: datetime | None) -> None:
    answer = why(found)
    assert answer.since == since
    assert answer.phase is found.phase


def test_every_phase_is_told() -> None:
    for phase in Phase:
        assert why(evidence(status(phase))).phase is phase


@pytest.mark.parametrize("phase", sorted(WORKING))
def test_what_is_under_way_is_told_and_nothing_is_in_its_way(phase: Phase) -> None:
    under_way = step("configure", took=None, hosts=("acme-web-1",))
    runs = (run("r1", Outcome.RUNNING, step("plan", began=40), under_way), *FAILING)
    answer = why(evidence(status(phase, failures=3), runs=runs))
    assert answer.blockers == ()
    assert answer.doing == Doing("configure", ago(30), "r1", ("acme-web-1",))


NEEDS = condition(
    ConditionType.ALLOWED, "NeedsApproval", "would replace x [guard.replace]; to go on: otto approve"
)
ASKS = Reason(
    "guard.replace", "would replace x", "otto approve acme pppppppppppp", Effect.ASK, {"replaced": "1"}
)
REFUSES = Reason("guard.protect", "never", "take it out", Effect.REFUSE)
CLOSED = Reason("guard.window.site", "no window", "otto override acme", Effect.WAIT, until=in_(600))
WARNS = Reason("guard.budget.warn", "nearly", "raise it", Effect.WARN)


def held(*reasons: Reason) -> SiteStatus:
    found = status(Phase.AWAITING_APPROVAL, READY, NEEDS)
    return replace(found, held=reasons, held_since=ago(60), plan="p" * 64)


BAD = condition(ConditionType.VALID, "SpecInvalid", "specs/acme.yaml:3:5: too many")
SILENCE = condition(
    ConditionType.PROVISIONED, "Unknown", "hosts/acme-web-2/reachable: want answers", truth=Truth.UNKNOWN
)
UNSURE = "not certain yet: acme-web-2: reachable: want answers, have no answer yet"
DEPENDENT = RememberedSpec(replace(SPEC.spec, depends_on=("shop",)), "c" * 40)
SPECS = {"acme": DEPENDENT.spec, "shop": SHOP}


@pytest.mark.parametrize(
    ("found", "blockers"),
    [
        (evidence(status(Phase.READY, READY)), ()),
        (evidence(None), ()),
        (evidence(status(Phase.PENDING)), ()),
        (
            evidence(status(Phase.READY, READY), controller=False),
            (
                Blocker(
                    Obstacle.CONTROLLER, "no controller is running, so nothing is seen nor done", "otto up"
                ),
            ),
        ),
        (
            evidence(status(Phase.SUSPENDED), intents=frozenset({"suspend"})),
            (Blocker(Obstacle.SUSPENDED, "a person suspended it", "otto resume acme"),),
        ),
        (
            evidence(
                status(Phase.SUSPENDED), spec=RememberedSpec(replace(SPEC.spec, suspend=True), "c" * 40)
            ),
            (
                Blocker(
                    Obstacle.SUSPENDED,
                    "its spec suspends it",
                    "set suspend: false in specs/acme.yaml, commit and push",
                ),
            ),
        ),
        (
            evidence(status(Phase.ORPHANED, READY)),
            (
                Blocker(
                    Obstacle.ORPHANED,
                    "no spec wants it any more; it goes on serving",
                    "bring its spec back and push, or: otto destroy acme",
                ),
            ),
        ),
        (
            evidence(status(Phase.DESTROYED), intents=frozenset({"destroyed"})),
            (
                Blocker(
                    Obstacle.DESTROYED,
                    "it was taken down, and stays away until it is resumed or its spec changes",
                    "otto resume acme",
                ),
            ),
        ),
        (
            evidence(status(Phase.READY), intents=frozenset({"destroy"})),
            (Blocker(Obstacle.DESTROYED, "it is to be destroyed, as a person asked", "otto resume acme"),),
        ),
        (evidence(status(Phase.DESTROYING), intents=frozenset({"destroy"})), ()),
        (
            evidence(status(Phase.READY, READY, BAD)),
            (
                Blocker(
                    Obstacle.SPEC,
                    "the newest spec is bad, the last good one is in force: specs/acme.yaml:3:5: too many",
                    "correct it, commit and push",
                    since=ago(60),
                ),
            ),
        ),
        (
            evidence(status(Phase.PENDING, BAD, message="waits for its first good spec: …"), spec=None),
            (
                Blocker(
                    Obstacle.SPEC,
                    "the newest spec is bad, there never was a good one: specs/acme.yaml:3:5: too many",
                    "correct it, commit and push",
                    since=ago(60),
                ),
            ),
        ),
        (
            evidence(held(ASKS)),
            (
                Blocker(
                    Obstacle.APPROVAL,
                    "would replace x [guard.replace] (replaced 1)",
                    "otto approve acme pppppppppppp",
                    since=ago(60),
                    rule="guard.replace",
                ),
            ),
        ),
        (evidence(held(ASKS), approved=True), ()),
        (
            evidence(held(ASKS, REFUSES, CLOSED, WARNS)),
            (
                Blocker(
                    Obstacle.REFUSED,
                    "never [guard.protect]",
                    "take it out",
                    since=ago(60),
                    rule="guard.protect",
                ),
                Blocker(
                    Obstacle.LATER,
                    "no window [guard.window.site]",
                    "otto override acme",
                    in_(600),
                    ago(60),
                    "guard.window.site",
                ),
                Blocker(
                    Obstacle.APPROVAL,
                    "would replace x [guard.replace] (replaced 1)",
                    "otto approve acme pppppppppppp",
                    since=ago(60),
                    rule="guard.replace",
                ),
            ),
        ),
        (
            evidence(status(Phase.PENDING), spec=DEPENDENT, specs=SPECS),
            (
                Blocker(
                    Obstacle.DEPENDENCY,
                    "waits for shop (Pending) to be Ready",
                    "see what they wait for: otto why shop",
                ),
            ),
        ),
        (
            evidence(
                status(Phase.PENDING, message="waits for shop (Degraded) to be Ready"),
                spec=DEPENDENT,
                specs=SPECS,
                statuses={"shop": status(Phase.DEGRADED, site="shop")},
            ),
            (
                Blocker(
                    Obstacle.DEPENDENCY,
                    "waits for shop (Degraded) to be Ready",
                    "see what they wait for: otto why shop",
                ),
            ),
        ),
        (
            evidence(status(Phase.DEGRADED, failures=3, message="no room", next_look=in_(90)), runs=FAILING),
            (
                Blocker(
                    Obstacle.BACKOFF,
                    "it failed 3 times in a row, and is tried again after a while",
                    "otto reconcile acme tries at once; so does a new commit",
                    in_(90),
                    ago(60),
                ),
            ),
        ),
        (
            evidence(status(Phase.DEGRADED, SILENCE, message=UNSURE, next_look=in_(2))),
            (
                Blocker(
                    Obstacle.SILENT,
                    UNSURE,
                    "if it stays so for as many looks as probes.confirmations says, it is made anew",
                    in_(2),
                    ago(60),
                ),
            ),
        ),
        (
            evidence(status(Phase.PENDING, message="process 7 holds the state", next_look=in_(9))),
            (Blocker(Obstacle.WAITING, "process 7 holds the state", until=in_(9)),),
        ),
        (
            evidence(status(Phase.DRIFTED, message=f"{ONLY_REPORTED}: a: want b, have c", next_look=in_(9))),
            (
                Blocker(
                    Obstacle.WAITING,
                    "only reported, as policy.drift says: a: want b, have c",
                    "put it right by hand; or set policy.drift in its spec to repair, or to ask, and push",
                ),
            ),
        ),
        (
            evidence(status(Phase.READY, READY), unsigned="commit abc is refused: it is not signed"),
            (
                Blocker(
                    Obstacle.SIGNATURE,
                    "the newest of the repository is not deployed: commit abc is refused: it is not signed",
                    "have it signed by somebody whom the fleet's policy knows, and push again",
                ),
            ),
        ),
        (
            evidence(status(Phase.READY, READY), source_error="no such host", source_failures=2),
            (
                Blocker(
                    Obstacle.SOURCE,
                    "the repository cannot be read (2 times in a row), so no new commit counts: no such host",
                    "otto doctor checks it; OttO goes on trying",
                ),
            ),
        ),
        (
            evidence(rolled(RolloutState.RUNNING), steered=(PAUSED,)),
            (
                Blocker(
                    Obstacle.PAUSED,
                    "ada paused its rollouts: the fair",
                    "otto rollout resume acme",
                    since=ago(40),
                ),
            ),
        ),
        (
            evidence(status(Phase.PENDING, WAITS), steered=(PAUSED,)),
            (Blocker(Obstacle.PAUSED, WAITS.message, "otto rollout resume acme", since=ago(40)),),
        ),
        (
            evidence(rolled(RolloutState.REVERTED, "/ failed"), steered=(HELD,)),
            (
                Blocker(
                    Obstacle.QUARANTINED,
                    "the newest commit was taken back: / failed",
                    TRY_AGAIN,
                    since=ago(30),
                ),
            ),
        ),
        (
            evidence(rolled(RolloutState.REVERTED), steered=(UNDONE,)),
            (
                Blocker(
                    Obstacle.QUARANTINED,
                    "the newest commit was taken back (grace: too loud)",
                    TRY_AGAIN,
                    since=ago(30),
                ),
            ),
        ),
        (
            evidence(rolled(RolloutState.STUCK, "its Terraform module changed since"), steered=(HELD,)),
            (
                Blocker(
                    Obstacle.STUCK,
                    "the newest commit failed and cannot be taken back: its Terraform module changed since",
                    TRY_AGAIN,
                    since=ago(30),
                ),
            ),
        ),
    ],
)
def test_what_is_in_its_way_and_what_takes_it_out_of_there(
    found: Evidence, blockers: tuple[Blocker, ...]
) -> None:
    assert why(found).blockers == blockers


def test_every_obstacle_is_in_the_table_above() -> None:
    marks = test_what_is_in_its_way_and_what_takes_it_out_of_there.pytestmark  # type: ignore[attr-defined]
    told = {blocker.kind for _, blockers in marks[0].args[1] for blocker in blockers}
    assert told == set(Obstacle)


def test_several_things_come_in_the_order_of_their_weight() -> None:
    found = evidence(
        status(Phase.DEGRADED, BAD, failures=1, message="no room"),
        intents=frozenset({"suspend"}),
        controller=False,
        source_error="away",
        runs=(run("r1", Outcome.RUNNING, step("configure", took=None)),),
    )
    kinds = [blocker.kind for blocker in why(found).blockers]
    assert kinds == sorted(kinds, key=list(Obstacle).index) == [
        Obstacle.CONTROLLER, Obstacle.SUSPENDED, Obstacle.SPEC, Obstacle.BACKOFF, Obstacle.SOURCE,
    ]  # fmt: skip


def test_without_a_controller_nothing_goes_on_by_itself() -> None:
    found = evidence(status(Phase.DEGRADED, failures=1, next_look=in_(90)), controller=False)
    assert [blocker.until for blocker in why(found).blockers] == [None, None]


def test_a_step_that_a_killed_controller_left_is_not_under_way() -> None:
    runs = (run("r1", Outcome.RUNNING, step("configure", took=None)),)
    answer = why(evidence(status(Phase.CONFIGURING), runs=runs, controller=False))
    assert answer.doing is None
    assert "the last one was cut off in the step configure" in answer.blockers[0].what


def test_a_site_that_depends_on_ready_ones_waits_for_none_of_them() -> None:
    ready = {"shop": status(Phase.READY, READY, site="shop")}
    assert why(evidence(status(Phase.PENDING), spec=DEPENDENT, specs=SPECS, statuses=ready)).blockers == ()


def test_sites_in_a_circle_do_not_wait_for_each_other() -> None:
    specs = {"acme": DEPENDENT.spec, "shop": replace(SHOP, depends_on=("acme",))}
    assert why(evidence(status(Phase.PENDING), spec=DEPENDENT, specs=specs)).blockers == ()


MEND = step("configure", outcome=Outcome.FAILED, summary="no room", detail={"mend": "make room"})


@pytest.mark.parametrize(
    ("found", "error"),
    [
        (evidence(status(Phase.READY, READY)), None),
        (
            evidence(
                status(Phase.DEGRADED, failures=1, message="no room (make room)"),
                runs=(run("r1", Outcome.FAILED, MEND, message="no room (make room)"),),
            ),
            LastError("no room", "make room", ago(20), "r1"),
        ),
        (
            evidence(status(Phase.DEGRADED, failures=2, message="engine away"), runs=FAILING),
            LastError("engine away", "", ago(5)),
        ),
        (
            evidence(status(Phase.READY, READY), runs=(run("r9", Outcome.SUCCEEDED), *FAILING)),
            LastError("no room", "", ago(20), "r3", over=True),
        ),
        (
            evidence(status(Phase.CONFIGURING, failures=3, message="Configuring"), runs=FAILING),
            LastError("no room", "", ago(20), "r3"),
        ),
    ],
)
def test_what_went_wrong_last(found: Evidence, error: LastError | None) -> None:
    assert why(found).error == error


def test_the_chain_from_commit_to_check() -> None:
    verified = step("verify", began=200, took=4, summary="6 checks, 0 failed")
    runs = (
        run("r2", Outcome.FAILED, step("plan", summary="configure"), MEND),
        run("r1", Outcome.SUCCEEDED, step("observe"), verified, ended=190),
    )
    chain = why(evidence(status(Phase.DEGRADED), runs=runs, newest="e" * 40)).chain
    assert (chain.commit, chain.newest, chain.file) == ("c" * 40, "e" * 40, "specs/acme.yaml")
    assert chain.digest == "d" * 64
    assert chain.run
    assert (chain.run.id, chain.run.plan, chain.run.outcome) == ("r2", "p" * 64, Outcome.FAILED)
    assert chain.run.steps == (
        StepTaken("plan", Outcome.SUCCEEDED, 2.0, "configure"),
        StepTaken("configure", Outcome.FAILED, 2.0, "no room"),
    )
    assert chain.check == Check(ago(196), Outcome.SUCCEEDED, "6 checks, 0 failed", "r1")


def test_a_site_nobody_looked_at_yet_has_a_commit_and_nothing_more() -> None:
    chain = why(evidence(None)).chain
    assert (chain.commit, chain.digest, chain.run, chain.check) == ("c" * 40, "", None, None)
