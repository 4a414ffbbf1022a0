"""A person's yes or no to the plan that a site waits with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from otto.desk.house import House
from otto.desk.question import Question
from otto.desk.saying import Said, speak
from otto.model.caller import Scope
from otto.model.saying import Saying, Speaker, reason_of

if TYPE_CHECKING:
    from otto.ports import Store


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
            from otto.reconcile import approvals  # noqa: PLC0415  (not for --help)

            return await approvals.approve(store, self.site, self.digest, speaker, why)

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
            from otto.reconcile import approvals  # noqa: PLC0415  (not for --help)

            return await approvals.reject(store, self.site, self.digest, speaker, why)

        return await speak(house, self.site, self.by, no)
