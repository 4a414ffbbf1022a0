"""A rule, and the case it looks at."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from otto.model.domain import is_zone
from otto.model.history import Grant, GrantKind, History
from otto.model.plan import Action, ActionKind, Plan, Removing, StepKind
from otto.model.policy import Effective
from otto.model.verdict import Effect, Reason

ENDS = frozenset({ActionKind.DESTROY, ActionKind.REPLACE})
_CHANGES = frozenset({"spec", "asked"})


@dataclass(frozen=True)
class Case:
    """A plan before the guard."""

    plan: Plan
    policy: Effective
    history: History
    now: datetime

    @cached_property
    def takes(self) -> tuple[Action, ...]:
        """Actions that take something living away."""
        return tuple(action for action in self.plan.actions if action.kind.takes)

    @cached_property
    def ends(self) -> tuple[Action, ...]:
        """Actions that end a living host, for good or to make it anew."""
        return tuple(action for action in self.plan.actions if action.kind in ENDS)

    @cached_property
    def repairs(self) -> tuple[Action, ...]:
        """Hosts that are made anew because they are dead."""
        return tuple(action for action in self.plan.actions if action.kind is ActionKind.REPAIR)

    @cached_property
    def followed(self) -> frozenset[str]:
        """Records that change only since a site that they follow does: that is judged by itself."""
        zone = self.plan.about.zone
        return frozenset(zone.followed) if zone else frozenset()

    @cached_property
    def loses(self) -> tuple[Action, ...]:
        """What counts of what the plan takes away: all but records that leave with their site."""
        return tuple(action for action in self.takes if action.address not in self.followed)

    @property
    def noun(self) -> str:
        """What the plan is about, in a word."""
        return "zone" if is_zone(self.plan.site) else "site"

    @property
    def idle(self) -> bool:
        """Whether nothing is changed: no step at all, or only a look."""
        return all(step.kind is StepKind.VERIFY for step in self.plan.steps)

    @property
    def only_mends(self) -> bool:
        """Whether nothing is done but to mend what the spec did not cause, or to take back what failed."""
        about, causes = self.plan.about, frozenset(self.plan.about.causes)
        if about.taking_back and "asked" not in causes:
            return not self.removing and all(self._is_taken_back(action) for action in self.takes)
        return bool(causes) and not causes & _CHANGES and not self.removing and not self.loses

    def _is_taken_back(self, action: Action) -> bool:
        """Whether what goes came with what is taken back."""
        return action.kind is ActionKind.SCALE_IN or action.host in self.plan.about.undoing

    @property
    def removing(self) -> Removing:
        """Who wants the site taken down."""
        return self.plan.about.removing

    def grants(self, kind: GrantKind) -> tuple[Grant, ...]:
        """What people said of this site, or of all, that has not ended."""
        found = self.history.grants_of(kind, self.now)
        return tuple(grant for grant in found if grant.site in ("", self.plan.site))

    @property
    def approve(self) -> str:
        """The command that approves this very plan."""
        return f"otto approve {self.plan.site} {self.plan.digest[:12]}"


Check = Callable[[Case], Iterable[Reason]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the guard.

    Attributes:
        name: as verdicts name it.
        effect: the strictest that it does to a plan.
        about: what it looks at, for the reference.
        default: its figure when nobody set one.
        mend: what lets a plan go on that it holds.
        check: finds its reasons in a case.
    """

    name: str
    effect: Effect
    about: str
    default: str
    mend: str
    check: Check


def names(actions: Iterable[Action], most: int = 4) -> str:
    """The hosts of actions in words, some of them where there are many."""
    found = sorted({action.host or action.address for action in actions})
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def figure(number: float) -> str:
    """A number for people: whole where it is whole."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
