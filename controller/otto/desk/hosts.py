"""The hosts that OttO made."""

from dataclasses import dataclass
from typing import ClassVar

from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope
from otto.model.host import Host


@dataclass(frozen=True, slots=True)
class SeeHosts(Question[dict[str, tuple[Host, ...]]]):
    """Site -> its hosts, of every site that has any."""

    word: ClassVar = "hosts"
    scope: ClassVar = Scope.READ

    async def answer(self, house: House) -> dict[str, tuple[Host, ...]]:
        """See `Question`."""
        async with house.store() as store:
            return {status.site: status.hosts for status in await store.statuses() if status.hosts}
