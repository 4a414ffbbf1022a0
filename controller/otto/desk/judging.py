"""A person's yes or no to the plan that a site waits with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otto.desk.house import House
from otto.desk.question import Question
from otto.desk.saying import Said, speak
from otto.model.caller import Scope
from otto.model.history import Grant
from otto.model.policy import Policy
from otto.model.saying import Saying, Speaker, reason_of

if TYPE_CHECKING:
    from otto.decide.approval import Held
    from otto.ports import Store

# How far back a digest is looked for, to call it out of date.
_RUNS = 50


@dataclass(frozen=True, slots=True)
class Approve(Question[Said]):
    """Yes.

    Attributes:
        site: its name.
        digest: of the plan; its first digits will do.
        by: the name that whoever says it gives, None for their own.
        reason: why, in their words.
    """

    word: ClassVar = "approve"
    scope: ClassVar = Scope.OPERATE

    site: str
    digest: str
    by: str | None = None
    reason: str = ""

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site, or it waits with no such plan.
        """
        why = reason_of(self.reason)

        async def yes(store: "Store", speaker: Speaker) -> Saying:
            from otto.decide import approval  # noqa: PLC0415  (not for --help)

            policy, plan, grants = await _held(store, self.site, self.digest)
            return approval.approve(plan, policy, grants, speaker, why)

        return await speak(house, self.site, self.by, yes)


@dataclass(frozen=True, slots=True)
class Reject(Question[Said]):
    """No; the attributes are those of `Approve`."""

    word: ClassVar = "reject"
    scope: ClassVar = Scope.OPERATE

    site: str
    digest: str
    by: str | None = None
    reason: str = ""

    async def answer(self, house: House) -> Said:
        """See `Question`.

        Raises:
            UsageError: there is no such site, or it waits with no such plan.
        """
        why = reason_of(self.reason)

        async def no(store: "Store", speaker: Speaker) -> Saying:
            from otto.decide import approval  # noqa: PLC0415  (not for --help)

            _, plan, grants = await _held(store, self.site, self.digest)
            return approval.reject(plan, grants, speaker, why)

        return await speak(house, self.site, self.by, no)


async def _held(store: "Store", site: str, digest: str) -> "tuple[Policy, Held, tuple[Grant, ...]]":
    """The site's policy, the plan that is held up, and what people said of the site."""
    from otto.decide import approval  # noqa: PLC0415

    known = (await store.remembered()).get(site)
    policy = known.spec.policy if known else Policy()
    runs = await store.runs(site, _RUNS)
    plan = approval.held(await store.status(site), runs, site, digest.strip().lower(), policy)
    return policy, plan, await store.ledger.grants(site=site)
