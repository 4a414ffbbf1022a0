"""Pull requests of a real repository, merged in a copy apart."""

from pathlib import Path

import pytest

from otto.adapters.git import Proposals
from otto.adapters.git.access import Keyring
from otto.model.errors import TerminalError, TransientError
from otto.model.spec import Content

from .gitting import Work, git
from .serving import http

REF = "refs/pull/7/head"


@pytest.fixture
def served(tmp_path: Path, work: Work) -> Path:
    (tmp_path / "served").mkdir()
    git(tmp_path / "served", "init", "-q", "--bare", "-b", "main", "specs.git")
    work.push(tmp_path / "served/specs.git")
    return tmp_path / "served/specs.git"


@pytest.fixture
def proposals(tmp_path: Path, served: Path) -> Proposals:
    return Proposals(tmp_path / "pulls.git", f"file://{served}", Keyring(), timeout=20)


def head(work: Work) -> str:
    return git(work.path, "rev-parse", "HEAD").strip()


def propose(
    work: Work, served: Path, start: str, files: dict[str, str | bytes | None], ref: str = REF
) -> str:
    """A commit over another one that only a pull request's ref leads to; main stays checked out."""
    git(work.path, "checkout", "-q", "--detach", start)
    commit = work.commit(files)
    git(work.path, "push", "-q", "-f", str(served), f"{commit}:{ref}")
    git(work.path, "checkout", "-q", "main")
    return commit


async def test_a_proposal_is_merged_with_what_came_to_the_branch_since(
    work: Work, served: Path, proposals: Proposals
) -> None:
    start = head(work)
    proposed = propose(work, served, start, {"specs/new.yaml": "a: 1", "sites/new/index.html": "hello"})
    base = work.commit({"README": "main went on"})
    work.push(served)
    found = await proposals.merged(REF, base)
    assert (found.head, found.base, found.conflicts, found.trouble) == (proposed, base, (), "")
    assert found.commit not in ("", base, proposed)
    assert proposals.changed(base, found.commit) == {"specs/new.yaml", "sites/new/index.html"}
    entries = proposals.entries(found.commit)
    assert proposals.read(entries["specs/new.yaml"].blob) == b"a: 1"
    assert await proposals.content(found.commit, Content("sites/new"))
    assert (await proposals.merged(REF, base)).commit == found.commit
    names = git(served, "for-each-ref", "--format=%(refname)").split()
    assert sorted(names) == ["refs/heads/main", REF]


async def test_a_proposal_over_the_branch_itself_is_taken_as_it_is(
    work: Work, served: Path, proposals: Proposals
) -> None:
    base = head(work)
    proposed = propose(work, served, base, {"specs/new.yaml": "a: 1"})
    assert (await proposals.merged(REF, base)).commit == proposed
    work.push(served)
    git(work.path, "push", "-q", str(served), f"{base}:refs/pull/8/head")
    assert (await proposals.merged("refs/pull/8/head", base)).commit == base


async def test_conflicts_are_named(work: Work, served: Path, proposals: Proposals) -> None:
    start = head(work)
    propose(work, served, start, {"specs/hello.yaml": "theirs"})
    base = work.commit({"specs/hello.yaml": "ours"})
    work.push(served)
    found = await proposals.merged(REF, base)
    assert (found.commit, found.conflicts) == ("", ("specs/hello.yaml",))


async def test_a_history_of_its_own_cannot_be_merged(work: Work, served: Path, proposals: Proposals) -> None:
    base = head(work)
    git(work.path, "checkout", "-q", "--orphan", "alone")
    stranger = work.commit({"x": "y"})
    git(work.path, "push", "-q", str(served), f"{stranger}:{REF}")
    found = await proposals.merged(REF, base)
    assert (found.commit, found.trouble) == ("", "it has no commit in common with the branch")


async def test_a_branch_that_moved_on_is_looked_at_again_later(
    work: Work, served: Path, proposals: Proposals
) -> None:
    propose(work, served, head(work), {"a": "b"})
    with pytest.raises(TransientError, match="not on main any more"):
        await proposals.merged(REF, "f" * 40)
    with pytest.raises(TerminalError, match="no branch or tag"):
        await proposals.merged("refs/pull/9/head", head(work))


async def test_content_that_may_not_be_served_is_told_before_the_merge(
    work: Work, served: Path, proposals: Proposals
) -> None:
    start = head(work)
    git(work.path, "checkout", "-q", "--detach", start)
    (work.path / "sites/evil").mkdir(parents=True)
    (work.path / "sites/evil/passwd").symlink_to("/etc/passwd")
    git(work.path, "add", "-A")
    git(work.path, "commit", "-qm", "link")
    git(work.path, "push", "-q", str(served), f"HEAD:{REF}")
    found = await proposals.merged(REF, start)
    with pytest.raises(TerminalError, match="leads to no file inside it"):
        await proposals.content(found.commit, Content("sites/evil"))
    with pytest.raises(TerminalError, match="not there"):
        await proposals.content(found.commit, Content("sites/nowhere"))


async def test_a_copy_that_strangers_filled_is_made_anew(tmp_path: Path, work: Work, served: Path) -> None:
    base = head(work)
    with http(served.parent) as (address, _):
        small = Proposals(tmp_path / "pulls.git", f"{address}/specs.git", Keyring(), largest=200_000)
        propose(work, served, base, {"a": "b"})
        assert (await small.merged(REF, base)).commit
        filler = tmp_path / "pulls.git/objects/pack/filler"
        filler.write_bytes(b"x" * 500_000)
        assert (await small.merged(REF, base)).commit
        assert not filler.exists()
