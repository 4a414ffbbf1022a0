"""Have sites looked at now, and parts of their work done anew."""

from dataclasses import dataclass
from typing import ClassVar

from otto.desk import names
from otto.desk.heard import Heard
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.plan import StepKind


@dataclass(frozen=True, slots=True)
class LookAt(Question[Heard]):
    """Have a controller look at sites now.

    Attributes:
        sites: their names.
        steps: steps that are carried out whether or not anything differs.
    """

    word: ClassVar = "look"
    scope: ClassVar = Scope.OPERATE

    sites: tuple[str, ...]
    steps: frozenset[StepKind] = frozenset()

    async def answer(self, house: House) -> Heard:
        """See `Question`.

        Raises:
            UsageError: one of them is unknown: then none is looked at.
        """
        async with house.quick() as store:
            known = await names.names_in(store)
        for site in self.sites:
            names.require(site, known)
        return await house.due(self.sites, self.steps)
