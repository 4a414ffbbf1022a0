"""Have sites looked at now, and parts of their work done anew."""

from dataclasses import dataclass
from typing import ClassVar

from otto.desk import names
from otto.desk.heard import Heard
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.plan import StepKind
from otto.model.saying import reason_of


@dataclass(frozen=True, slots=True)
class LookAt(Question[Heard]):
    """Have a controller look at sites now.

    Attributes:
        sites: their names.
        steps: steps that are carried out whether or not anything differs.
        reason: why, in their words.
        by: the name that whoever wants it gives, None for their own.
    """

    word: ClassVar = "look"
    scope: ClassVar = Scope.OPERATE

    sites: tuple[str, ...]
    steps: frozenset[StepKind] = frozenset()
    reason: str = ""
    by: str | None = None

    async def answer(self, house: House) -> Heard:
        """See `Question`.

        Raises:
            UsageError: one of them is unknown: then none is looked at.
        """
        from otto.reconcile import intents  # noqa: PLC0415  (not for --help)

        who, why = house.speaker(self.by), reason_of(self.reason)
        async with house.store() as store:
            for site in self.sites:
                await names.require_known(site, store)
            for site in self.sites:
                await intents.look(store, site, who, why)
        return await house.due(self.sites, self.steps)
