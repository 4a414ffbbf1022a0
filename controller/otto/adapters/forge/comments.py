"""One comment of ours on a pull request, found again whoever wrote below or above it."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from otto.adapters.forge import reading
from otto.adapters.forge.answer import RefusalError

_MISSING, _GONE, _FORBIDDEN = 404, 410, 403


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment: its id, who wrote it ("" where that is not told), and whether that is a program."""

    id: str
    author: str
    body: str
    by_program: bool = False


class Comments(Protocol):
    """What a forge has to offer for it."""

    async def me(self) -> str:
        """Our own id; "" where the token stands for no user."""

    async def listed(self, repository: str, number: int) -> Iterable[Comment]:
        """Comments, oldest first."""

    async def write(self, repository: str, number: int, body: str) -> str:
        """Add a comment; its id."""

    async def rewrite(self, repository: str, number: int, comment: str, body: str) -> None:
        """Change a comment."""


async def keep(forge: Comments, repository: str, number: int, marker: str, body: str, *, known: str) -> str:
    """Have the one comment say `body`; its id. See the port `Forge`."""
    if known and await _rewritten(forge, repository, number, known, body):
        return known
    mine = await forge.me()
    for comment in await forge.listed(repository, number):
        # Anybody can write the marker: what somebody else wrote is not ours to change.
        ours = comment.author == mine if mine else comment.by_program
        if ours and comment.id != known and comment.body.lstrip().startswith(marker):
            if comment.body.replace("\r\n", "\n").strip() != body.strip():
                await forge.rewrite(repository, number, comment.id, body)
            return comment.id
    return await forge.write(repository, number, body)


async def _rewritten(forge: Comments, repository: str, number: int, known: str, body: str) -> bool:
    """Whether the comment that is known could be changed; somebody may have removed it."""
    try:
        await forge.rewrite(repository, number, known, body)
    except RefusalError as error:
        if error.status in (_MISSING, _GONE):
            return False
        raise
    return True


async def me(ask: Callable[[], Awaitable[Any]]) -> str:
    """Our own id, from the answer to `GET /user`; "" for the token of an app, which is no user."""
    try:
        return reading.name(reading.item(await ask()))
    except RefusalError as error:
        if error.status in (_FORBIDDEN, _MISSING):
            return ""
        raise
