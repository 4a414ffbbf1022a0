"""What the operator's policy on signatures means for a repository."""

from collections.abc import Callable
from pathlib import Path

from otto.adapters.git.hooks import judge_pushes
from otto.model.signature import Demand, Signatures

Demanded = Callable[[], Signatures | None]


def nothing() -> None:
    """No signature is demanded."""


def wants_tags(demanded: Signatures | None) -> bool:
    """Whether tags decide what is deployed."""
    return demanded is not None and demanded.require is Demand.TAGS


class Gatehouse:
    """Has pushes to the embedded repository judged from the moment on that the policy demands signatures.

    It takes nothing away: whether bad specs are refused is a setting that is read at the start.

    Args:
        repository: the bare repository.
        home: OTTO_HOME.
        signatures: says what is demanded now.
    """

    def __init__(self, repository: Path, home: Path, signatures: Demanded) -> None:
        self._repository = repository
        self._home = home
        self._signatures = signatures
        self._open = False

    def look(self) -> None:
        """Put the hook in place if it has to be there; files are touched at the first time alone."""
        if not self._open and self._signatures() is not None:
            judge_pushes(self._repository, self._home)
            self._open = True
