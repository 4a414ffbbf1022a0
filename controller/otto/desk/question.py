"""Something asked of OttO."""

import typing
from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from otto.model.caller import Scope

if typing.TYPE_CHECKING:
    from otto.desk.house import House

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Question(ABC, Generic[R_co]):
    """A question, or an order: a frozen dataclass of plain values, so that it can be sent.

    Its answer is a value that `otto.model.canonical.to_data` writes and `otto.model.reading.read` reads
    back as the same; its class names the type: `class SeeWhy(Question[Why])`.

    Attributes:
        word: its name on the wire.
        scope: what a caller has to have to be answered.
        patience: seconds that an answer may take where others wait for it.
    """

    __slots__ = ()

    word: ClassVar[str]
    scope: ClassVar[Scope]
    patience: ClassVar[float] = 20.0

    @abstractmethod
    async def answer(self, house: "House") -> R_co:
        """The answer of a house.

        Raises:
            OttoError: there is none; what it says is meant for who asked.
        """

    @classmethod
    def answers(cls) -> type[R_co]:
        """The type of the answers."""
        for base in getattr(cls, "__orig_bases__", ()):
            if typing.get_origin(base) is Question:
                return typing.cast("type[R_co]", typing.get_args(base)[0])
        raise TypeError(f"{cls.__name__} does not say what its answers are")


class Desk(typing.Protocol):
    """Where questions are put. A block of `async with` keeps what many questions need: a connection."""

    async def __aenter__(self) -> typing.Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def ask(self, question: Question[R]) -> R:
        """The answer.

        Raises:
            OttoError: there is none.
        """
