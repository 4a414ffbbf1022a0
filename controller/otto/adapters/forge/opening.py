"""A forge, by its kind; and what is said to it without secrets."""

from collections.abc import Callable
from dataclasses import replace

from otto.adapters.forge import gitea, github, gitlab
from otto.adapters.forge.address import Address
from otto.adapters.forge.client import Client, Options
from otto.adapters.forge.token import Token
from otto.model.forge import CommitStatus, Deployment, ForgeKind, Pull
from otto.ports import Clock, Forge

_KINDS: dict[ForgeKind, tuple[Callable[[Client, Address], Forge], Callable[..., dict[str, str]]]] = {
    ForgeKind.GITHUB: (github.GitHub, lambda token: dict(github.headers(token))),
    ForgeKind.GITLAB: (gitlab.GitLab, lambda token: dict(gitlab.headers(token))),
    ForgeKind.GITEA: (gitea.Gitea, lambda token: dict(gitea.headers(token))),
}


class OpenForge:
    """Port `Forge`: whatever is said goes out without secrets; `close` it.

    Args:
        inner: speaks to the forge.
        client: its connections.
        scrub: takes secrets out of a text of one line.
    """

    def __init__(self, inner: Forge, client: Client, scrub: Callable[[str], str]) -> None:
        self._inner = inner
        self._client = client
        self._scrub = scrub

    def repository(self, url: str) -> str:
        """See `Forge`."""
        return self._inner.repository(url)

    async def status(self, status: CommitStatus) -> None:
        """See `Forge`."""
        await self._inner.status(replace(status, description=self._scrub(status.description)))

    async def deployment(self, deployment: Deployment, known: str = "") -> str:
        """See `Forge`."""
        said = replace(deployment, description=self._scrub(deployment.description))
        return await self._inner.deployment(said, known)

    async def open_pulls(self, repository: str, branch: str, limit: int) -> tuple[Pull, ...]:
        """See `Forge`."""
        return await self._inner.open_pulls(repository, branch, limit)

    async def comment(self, repository: str, number: int, marker: str, body: str, known: str = "") -> str:
        """See `Forge`."""
        clean = "\n".join(self._scrub(line) for line in body.splitlines())
        return await self._inner.comment(repository, number, marker, clean, known)

    async def close(self) -> None:
        """Let go of all connections."""
        await self._client.close()


def open_forge(
    where: Address,
    token: Token,
    clock: Clock,
    *,
    scrub: Callable[[str], str] = str,
    count: Callable[[str, str, str], None] = lambda _forge, _call, _result: None,
    options: Options | None = None,
) -> OpenForge:
    """The forge at an address.

    Args:
        where: the forge.
        token: for whom it does what it is asked.
        clock: the time.
        scrub: takes secrets out of a text of one line.
        count: is told the forge's kind, the call and how it went, of every request.
        options: how it is spoken to.

    Raises:
        UsageError: the reference to the token leads nowhere.
    """
    token.read()
    make, headers = _KINDS[where.kind]

    def counted(call: str, result: str) -> None:
        count(where.kind.value, call, result)

    client = Client(where.api, token, headers, clock, count=counted, options=options)
    return OpenForge(make(client, where), client, scrub)
