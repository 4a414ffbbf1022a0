"""One merge, run as a program of its own: of what strangers propose, within limits that hold.

Needs pygit2 and nothing else of OttO. Nothing is checked out, no hook and no program is run: two trees become
a third one, in memory, and a commit that no name leads to.
Reads `{"path", "base", "head"}` on standard input, writes one object on standard output: `{"commit": ID}`,
`{"conflicts": [PATH…]}`, or `{"trouble": TEXT}`.
"""

import json
import resource
import sys
from collections.abc import Iterator

import pygit2

_MOST_MEMORY = 2 * 1024**3
_SHOWN = 20


def merge(path: str, base: str, head: str) -> dict[str, object]:
    """Merge a commit into another one."""
    # Objects are only read and added, whoever owns the folder.
    pygit2.settings.owner_validation = False
    repository = pygit2.Repository(path)
    found: object = repository.merge_base(base, head)
    if not isinstance(found, pygit2.Oid):
        return {"trouble": "it has no commit in common with the branch"}
    ancestor = found
    if str(ancestor) == head:
        return {"commit": base}
    if str(ancestor) == base:
        return {"commit": head}
    index = repository.merge_trees(ancestor, base, head)
    if index.conflicts is not None:
        return {"conflicts": sorted(set(_names(index.conflicts)))[:_SHOWN]}
    # The same two commits give the same third one, whenever that is.
    nobody = pygit2.Signature("otto", "otto@localhost", 0, 0)
    tree = index.write_tree(repository)
    return {"commit": str(repository.create_commit(None, nobody, nobody, "merged", tree, [base, head]))}


def _names(conflicts: pygit2.index.ConflictCollection) -> Iterator[str]:
    for sides in conflicts:
        for side in sides:
            if side is not None:
                yield side.path


def main() -> None:
    """Read the request, merge, answer."""
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    request = json.load(sys.stdin)
    try:
        answer = merge(request["path"], request["base"], request["head"])
    except (pygit2.GitError, KeyError, ValueError, MemoryError) as error:
        answer = {"trouble": f"it cannot be merged: {type(error).__name__}"}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
