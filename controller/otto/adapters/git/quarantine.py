"""Looking at a push before it is accepted."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from otto.adapters.git.trees import Trees
from otto.model.errors import TerminalError


@contextmanager
def with_quarantine(repository: Path, objects: str | None, folder: str = "specs") -> Iterator[Trees]:
    """Read a repository together with the objects of a push that waits for its pre-receive hook.

    git keeps those in a folder of their own (git-receive-pack, "Quarantine Environment"), which nobody
    else sees; it is gone when the push is decided.

    Args:
        repository: the bare repository.
        objects: what the hook found in GIT_QUARANTINE_PATH; None looks at accepted objects only.
        folder: folder of the specs.

    Raises:
        TerminalError: the path is not a quarantine of this repository.
    """
    trees = Trees(repository, folder)
    if objects is not None:
        inside = Path(objects).resolve()
        if inside.parent != (repository / "objects").resolve() or not inside.is_dir():
            raise TerminalError("the pushed objects are not in a quarantine of this repository")
        trees.ask(lambda opened: opened.odb.add_disk_alternate(str(inside)))
    yield trees
