"""The checkout OttO itself runs from, if it does."""

from pathlib import Path

import pygit2

_UNCHANGED = (pygit2.GIT_STATUS_IGNORED, pygit2.GIT_STATUS_CURRENT)


def own_commit(root: Path) -> str:
    """The commit a folder stands at, with `-dirty` behind it when files differ; "" outside of a repository.

    Args:
        root: top of a checkout, or of an installed package.
    """
    if not (root / ".git").exists():
        return ""
    try:
        repository = pygit2.Repository(str(root))
        commit = repository.head.target
        changed = any(flags not in _UNCHANGED for flags in repository.status().values())
    except (pygit2.GitError, KeyError):
        return ""
    return f"{commit}{'-dirty' if changed else ''}"
