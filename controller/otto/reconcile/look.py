"""Where a run starts from, and where it ends."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from otto.model.desired import Desired
from otto.model.difference import Difference
from otto.model.errors import TransientError
from otto.model.observed import CheckFailure, Observed
from otto.model.plan import Plan, StepKind
from otto.model.policy import Policy
from otto.model.run import Outcome
from otto.model.sign import Sign
from otto.model.spec import SiteSpec
from otto.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Look:
    """Where a run starts from.

    Attributes:
        desired: what the run goes towards.
        observed: what was seen.
        differences: what is to be acted on.
        force: steps to carry out in any case.
        signs: what made the site due.
        beside: digest of a newer wish that waits while the run mends the last one that was verified.
        policy: of such a run: what the newest spec allows; it holds whatever else of that spec waits.
        undoing: hosts that a rollout made anew, and whose replacement is taken back.
        spared: hosts that are left as they are, whatever differs on them.
        pinned: hosts that are made from another image than the wish says, by name: its id.
    """

    desired: Desired
    observed: Observed
    differences: tuple[Difference, ...]
    force: frozenset[StepKind] = frozenset()
    signs: tuple[Sign, ...] = ()
    beside: str = ""
    policy: Policy | None = None
    undoing: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()
    pinned: Mapping[str, str] = field(default_factory=dict)

    @property
    def spec(self) -> SiteSpec:
        """The spec that the run goes by, under the policy that is in force."""
        spec = self.desired.spec
        return spec if self.policy is None else replace(spec, policy=self.policy)

    @property
    def takes_back(self) -> bool:
        """Whether the run puts nothing in place but what was verified before."""
        return bool(self.beside) or self.observed.applied.verified == self.desired.digest

    def begun_for(self, plan: Plan) -> Plan:
        """A plan for what is left of the run, with the causes for which the run began.

        A host that the run made anew is bare, which nobody wished for: what broke goes on being mended.
        """
        causes = {item.cause.value for item in self.differences} | ({"asked"} if self.force else set())
        about = replace(plan.about, causes=tuple(sorted(causes)), taking_back=self.takes_back)
        return replace(plan, about=about)


@dataclass(frozen=True, slots=True)
class Ending:
    """Where a run ended.

    `error` is set when the site does not serve as desired afterwards, `waiting` when the guard holds it.
    """

    observed: Observed
    outcome: Outcome
    verdict: Verdict | None = None
    plan: str = ""
    error: str = ""
    waiting: str = ""


class SupersededError(Exception):
    """A newer wish came between two steps."""


class DisturbedError(SupersededError):
    """A host of the site was lost under the steps."""


class RolloutFailedError(TransientError):
    """A wish does not hold where it was put in place.

    Args:
        message: what failed, in one line.
        failures: the checks that failed.
        hosts: hosts that had been changed by then.
    """

    def __init__(
        self, message: str, failures: tuple[CheckFailure, ...] = (), hosts: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.failures = failures
        self.hosts = hosts
