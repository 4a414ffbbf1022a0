"""Plans, policies and histories for tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from otto.decide.guard import judge
from otto.decide.wording import told_of
from otto.model.history import Grant, GrantKind, History
from otto.model.plan import Action, ActionKind, Circumstances, Plan, Removing, Step, StepKind
from otto.model.policy import Effective, FleetPolicy, Policy
from otto.model.verdict import Verdict

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
SITE = "hello"
HOSTS = {"hello-web-1": "web", "hello-web-2": "web", "hello-web-3": "web", "hello-balancer-1": "balancer"}
ABOUT = Circumstances("lab", HOSTS, ("spec",), sizes=("small",))


def act(kind: ActionKind, host: str = "hello-web-1", *, asked: bool | None = None) -> Action:
    given = kind is ActionKind.SCALE_IN if asked is None else asked
    return Action(f'lab_host.web["{host}"]', kind, host=host, asked=given, type="lab_host")


def plan(*actions: Action, about: Circumstances = ABOUT, configure: tuple[str, ...] = ()) -> Plan:
    hosts = tuple(sorted(action.host for action in actions))
    steps = [Step(StepKind.PROVISION, hosts, actions)] if actions else []
    steps += [Step(StepKind.CONFIGURE, configure)] if configure else []
    return Plan(SITE, "d" * 64, (*steps, Step(StepKind.VERIFY)), about)


def removal(who: Removing = Removing.TOMBSTONE) -> Plan:
    actions = tuple(act(ActionKind.DESTROY, name, asked=True) for name in sorted(HOSTS))
    about = replace(ABOUT, causes=("asked",), removing=who)
    return Plan(SITE, "", (Step(StepKind.DESTROY, tuple(sorted(HOSTS)), actions),), about)


def policy(fleet: FleetPolicy | None = None, **site: object) -> Effective:
    return Effective(Policy(**site), fleet or FleetPolicy())  # type: ignore[arg-type]


def grant(
    kind: GrantKind, *, by: str = "ada", ago: float = 60.0, lasts: float | None = None, **more: object
) -> Grant:
    at = NOW - timedelta(seconds=ago)
    until = None if lasts is None else at + timedelta(seconds=lasts)
    return Grant(kind, str(more.pop("site", SITE)), by, at, until, **more)  # type: ignore[arg-type]


def approval(of: Plan, by: str = "ada", **more: object) -> Grant:
    return grant(GrantKind.APPROVE, by=by, plan=of.digest, **more)  # type: ignore[arg-type]


def said(
    of: Plan, rules: Effective | None = None, history: History | None = None, now: datetime = NOW
) -> tuple[str, set[str]]:
    """The kind of the verdict, and every rule that it names."""
    verdict = judge(of, rules or Effective(), history or History(), now)
    return kind(verdict), set(named(verdict))


def kind(verdict: Verdict) -> str:
    return type(verdict).__name__


def named(verdict: Verdict) -> frozenset[str]:
    return frozenset(reason.rule for reason in told_of(verdict))
