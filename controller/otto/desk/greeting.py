"""Who is there."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from otto import __version__
from otto.desk.house import House
from otto.desk.question import Question
from otto.model.caller import Scope

PROTOCOL = 1
"""Raised when questions change so that an older `otto` would be misunderstood."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """Who answers.

    Attributes:
        version: OttO's, where the answer comes from.
        protocol: which questions it understands.
        now: its time.
        name: who asks, as they are known there.
    """

    version: str
    protocol: int
    now: datetime
    name: str


@dataclass(frozen=True, slots=True)
class Greet(Question[Greeting]):
    """Who is there, and what time it is."""

    word: ClassVar = "greet"
    scope: ClassVar = Scope.READ

    async def answer(self, house: House) -> Greeting:
        """See `Question`."""
        return Greeting(__version__, PROTOCOL, house.now(), house.speaker(None).name)
