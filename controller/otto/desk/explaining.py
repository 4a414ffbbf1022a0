"""Why a site is as it is."""

from dataclasses import dataclass
from typing import ClassVar

from otto.desk import names
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.why import Why


@dataclass(frozen=True, slots=True)
class SeeWhy(Question[Why]):
    """Why a site is as it is, from memory alone."""

    word: ClassVar = "why"
    scope: ClassVar = Scope.READ

    site: str

    async def answer(self, house: House) -> Why:
        """See `Question`.

        Raises:
            UsageError: there is no such site.
        """
        from otto.reconcile.reasons import reasons  # noqa: PLC0415  (not for --help)

        async with house.quick() as store:
            await names.require_known(self.site, store)
            around = await house.around()
            return await reasons(store, self.site, at_work=around.anybody, now=house.now())
