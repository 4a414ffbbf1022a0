"""The embedded repository: made once from the examples, set up anew at every start."""

import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pygit2

from otto.adapters.git.hooks import install_hooks
from otto.model.errors import TerminalError

_AUTHOR = ("OttO", "otto@localhost")
_SKIPPED = frozenset({"__pycache__"})
_FLAT = frozenset({"schemas"})
# Schemas of what the operator writes, beside the repository of specs and not in it.
OPERATORS = frozenset({"fleet-policy.json", "prices.json"})

# Asked for by nothing but its own safety: a push is checked object by object, may rewrite history, may not
# delete the branch in force (git-config, receive.denyDeleteCurrent), and cannot fill the disk at once.
_CONFIGURATION = {
    "receive.fsckObjects": "true",
    "receive.denyDeleteCurrent": "refuse",
    "receive.denyNonFastForwards": "false",
    "receive.maxInputSize": "1g",
    "transfer.hideRefs": "refs/otto",
    "core.logAllRefUpdates": "true",
}


def seed(
    home: Path,
    specs: Path,
    sites: Path,
    *,
    schemas: Path | None = None,
    branch: str = "main",
    reject_invalid: bool = False,
    now: datetime | None = None,
) -> Path:
    """Make `HOME/specs.git` from folders of specs and content unless it is there; set it up.

    Safe to call at every start and to be killed at any moment.

    Args:
        home: OTTO_HOME.
        specs: folder that becomes `specs/` of the first commit.
        sites: folder that becomes `sites/`.
        schemas: folder whose `*.json` become `schemas/`, for editors; those of our output lie deeper, and
            those of the operator's files stay out.
        branch: the branch that is followed.
        reject_invalid: whether a push with a bad spec is refused.
        now: time of the first commit.

    Raises:
        TerminalError: something else stands in the repository's place.
    """
    path = home / "specs.git"
    if not path.exists():
        home.mkdir(parents=True, exist_ok=True)
        folders = {"sites": sites, "specs": specs} | ({"schemas": schemas} if schemas else {})
        _create(path, folders, branch, now or datetime.now(tz=UTC))
    try:
        repository = pygit2.Repository(str(path))
    except pygit2.GitError as error:
        message = f"{path} is no git repository that can be opened: {error}"
        raise TerminalError(message, mend="move it away") from error
    repository.references.create("HEAD", f"refs/heads/{branch}", force=True)
    for name, value in _CONFIGURATION.items():
        if name not in repository.config or repository.config[name] != value:
            repository.config[name] = value
    install_hooks(path, home, reject_invalid=reject_invalid)
    return path


def _create(path: Path, folders: dict[str, Path], branch: str, now: datetime) -> None:
    """Make it elsewhere and move it into place, so that there is never half a repository."""
    draft = Path(tempfile.mkdtemp(dir=path.parent, prefix=".specs.git."))
    try:
        repository = pygit2.init_repository(str(draft), bare=True, initial_head=branch)
        commit_folders(repository, folders, branch, now)
        draft.chmod(0o755)
        draft.rename(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def commit_folders(
    repository: pygit2.Repository, folders: dict[str, Path], branch: str, now: datetime
) -> str | None:
    """Commit folders as the first commit of a branch; its id, None when they hold no file."""
    top = repository.TreeBuilder()
    for name, folder in folders.items():
        tree = _tree(repository, folder, flat=name in _FLAT) if folder.is_dir() else None
        if tree is not None:
            top.insert(name, tree, pygit2.enums.FileMode.TREE)
    if not len(top):
        return None
    author = pygit2.Signature(*_AUTHOR, int(now.timestamp()), 0)
    message = "Specs and sites to begin with\n"
    return str(repository.create_commit(f"refs/heads/{branch}", author, author, message, top.write(), []))


def _tree(repository: pygit2.Repository, folder: Path, *, flat: bool = False) -> pygit2.Oid | None:
    builder = repository.TreeBuilder()
    for path in sorted(folder.iterdir()):
        if path.name in _SKIPPED or path.name == ".git" or path.is_symlink():
            continue
        if path.is_dir() and not flat:
            tree = _tree(repository, path)
            if tree is not None:
                builder.insert(path.name, tree, pygit2.enums.FileMode.TREE)
        elif path.is_file() and (not flat or (path.suffix == ".json" and path.name not in OPERATORS)):
            executable = os.access(path, os.X_OK)
            mode = pygit2.enums.FileMode.BLOB_EXECUTABLE if executable else pygit2.enums.FileMode.BLOB
            builder.insert(path.name, repository.create_blob_fromdisk(str(path)), mode)
    return builder.write() if len(builder) else None
