"""One thing to say to a forge: a word on a commit, and the deployment that goes with it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from otto.model.errors import TerminalError
from otto.model.forge import CommitState, CommitStatus, Deployment, DeploymentState, Mark
from otto.ports import Forge

_STATES = {
    CommitState.PENDING: DeploymentState.RUNNING,
    CommitState.SUCCESS: DeploymentState.SUCCESS,
    CommitState.FAILURE: DeploymentState.FAILURE,
    CommitState.ERROR: DeploymentState.FAILURE,
    CommitState.SUPERSEDED: DeploymentState.FAILURE,
}


async def _nothing(_: str) -> None:
    """Nobody has to hear that it was told."""


def _unknown() -> str:
    return ""


def as_deployment(site: str, mark: Mark, url: str, *, gone: bool = False) -> Deployment:
    """The deployment that a word on a commit speaks of."""
    state = DeploymentState.GONE if gone else _STATES[mark.state]
    return Deployment(mark.repository, mark.commit, site, state, mark.words, url, mark.ref)


@dataclass(slots=True)
class Letter:
    """Says what it holds, and remembers how far it came: it may have to be called again.

    Attributes:
        forge: to whom.
        word: the commit's status, None for none.
        deployment: the deployment, None for none.
        known: the forge's id of the deployment, as far as it is known by then.
        done: is told the deployment's id when all is said.
    """

    forge: Forge
    word: CommitStatus | None
    deployment: Deployment | None = None
    known: Callable[[], str] = _unknown
    done: Callable[[str], Awaitable[None]] = _nothing

    async def __call__(self) -> None:
        """Say it.

        Raises:
            TransientError: it could not be said now; what was said is not said again.
            TerminalError: the forge will not take it.
        """
        if self.word is not None:
            await self.forge.status(self.word)
            self.word = None
        found, trouble = "", None
        if self.deployment is not None:
            try:
                found = await self.forge.deployment(self.deployment, self.known())
            except TerminalError as error:
                # A token may be good for statuses alone; the word was taken and stands.
                trouble = error
            self.deployment = None
        await self.done(found)
        if trouble is not None:
            raise trouble
