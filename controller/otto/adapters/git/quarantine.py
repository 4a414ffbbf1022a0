"""Looking at a push before it is accepted."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otto.adapters.git.repositories import EmbeddedRepository
from otto.adapters.git.source import embedded
from otto.model.errors import TerminalError


@contextmanager
def quarantined(
    home: Path, objects: str | None, *, branch: str = "main", folder: str = "specs"
) -> Iterator[EmbeddedRepository]:
    """The embedded repository together with the objects of a push that waits for its pre-receive hook.

    git keeps those in a folder of their own (git-receive-pack, "Quarantine Environment"), which nobody
    else sees; it is gone when the push is decided.

    Args:
        home: OTTO_HOME.
        objects: what the hook found in GIT_QUARANTINE_PATH; None looks at accepted objects only.
        branch: the branch that is followed.
        folder: folder of the specs.

    Raises:
        TerminalError: the path is not a quarantine of this repository.
    """
    if objects is not None:
        inside = Path(objects).resolve()
        if inside.parent != (home / "specs.git" / "objects").resolve() or not inside.is_dir():
            raise TerminalError("the pushed objects are not in a quarantine of this repository")
        objects = str(inside)
    yield embedded(home, branch=branch, folder=folder, also=objects)
