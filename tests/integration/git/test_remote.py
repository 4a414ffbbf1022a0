"""A repository elsewhere: over file, https with a token, ssh with a key; and all that can go wrong."""

import asyncio
import getpass
import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pygit2
import pytest

from otto.adapters.git import Access, RemoteRepository, open_source
from otto.adapters.git.access import Keyring
from otto.adapters.git.fetch import Request, fetch
from otto.adapters.git.trees import Trees
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.spec import Content
from otto.ports import Source

from .gitting import Work, git
from .serving import TOKEN, certificate, http, keygen, silence, sshd


@pytest.fixture
def served(tmp_path: Path, work: Work) -> Path:
    """A bare repository in a folder of its own, main pushed to it."""
    (tmp_path / "served").mkdir()
    git(tmp_path / "served", "init", "-q", "--bare", "-b", "main", "specs.git")
    git(tmp_path / "served/specs.git", "config", "uploadpack.allowAnySHA1InWant", "true")
    work.push(tmp_path / "served/specs.git")
    return tmp_path / "served"


def _remote(home: Path, url: str, **settings: object) -> RemoteRepository:
    source = open_source(home, url=url, **settings)  # type: ignore[arg-type]
    assert isinstance(source, RemoteRepository)
    return source


@pytest.fixture(params=["file", "http"])
def url(request: pytest.FixtureRequest, served: Path) -> Iterator[str]:
    if request.param == "file":
        yield f"file://{served}/specs.git"
        return
    with http(served) as (address, _):
        yield f"{address}/specs.git"


async def test_fetched_and_fetched_again(tmp_path: Path, work: Work, served: Path, url: str) -> None:
    remote: Source = _remote(tmp_path / "home", url)
    first = await remote.fetch()
    assert first == git(work.path, "rev-parse", "main").strip()
    assert await remote.fetch() == first
    assert list(remote.entries(first)) == ["specs/hello.yaml"]
    seen = [first]
    for number in range(3):
        work.commit({"a": "1"})
        seen.append(work.commit({f"specs/{number}.yaml": "x", "sites/hello/index.html": f"{number}"}))
        work.push(served / "specs.git")
        assert await remote.fetch() == seen[-1]
        changed = remote.changed(seen[-2], seen[-1])
        assert changed - {"a"} == {f"specs/{number}.yaml", "sites/hello/index.html"}
    for commit in seen:
        tree = await remote.content(commit, Content("sites/hello"))
        assert (await remote.archive(tree)).stat().st_size > 0


async def test_only_what_is_needed_is_fetched(tmp_path: Path, work: Work, served: Path) -> None:
    for number in range(20):
        work.commit({"specs/hello.yaml": f"{number}" * 100})
    work.push(served / "specs.git")
    with http(served) as (address, _):
        remote = _remote(tmp_path / "home", f"{address}/specs.git")
        commit = await remote.fetch()
        copy = pygit2.Repository(str(tmp_path / "home/cache/source.git"))
        assert copy.is_shallow
        assert sum(1 for name in copy if copy[name].type == pygit2.enums.ObjectType.COMMIT) == 1
        assert commit is not None
        assert len(remote.entries(commit)) == 1


async def test_force_push(tmp_path: Path, work: Work, served: Path, url: str) -> None:
    remote = _remote(tmp_path / "home", url)
    old = await remote.fetch()
    new = work.commit({"specs/hello.yaml": "new"}, "--amend")
    work.push(served / "specs.git", "--force", "main")
    assert await remote.fetch() == new
    assert remote.changed(str(old), new) == {"specs/hello.yaml"}


async def test_a_branch_that_is_gone_and_comes_back(
    tmp_path: Path, work: Work, served: Path, url: str
) -> None:
    remote = _remote(tmp_path / "home", url)
    commit = await remote.fetch()
    assert commit is not None
    work.push(served / "specs.git", "main:other")
    git(served / "specs.git", "update-ref", "-d", "refs/heads/main")
    with pytest.raises(TerminalError, match="no branch or tag refs/heads/main"):
        await remote.fetch()
    git(served / "specs.git", "update-ref", "-d", "refs/heads/other")
    for source in (remote, _remote(tmp_path / "home", url)):
        with pytest.raises(TerminalError, match="empty now, main is gone"):
            await source.fetch()
        assert (source.last(), list(source.entries(commit))) == (commit, ["specs/hello.yaml"])
    work.push(served / "specs.git")
    assert await remote.fetch() == commit


async def test_an_empty_repository(tmp_path: Path, served: Path) -> None:
    git(served, "init", "-q", "--bare", "-b", "main", "empty.git")
    with http(served) as (address, _):
        assert await _remote(tmp_path / "one", f"{address}/empty.git").fetch() is None
    assert await _remote(tmp_path / "two", f"file://{served}/empty.git").fetch() is None


async def test_a_branch_that_never_was(tmp_path: Path, url: str) -> None:
    with pytest.raises(TerminalError, match="no branch or tag refs/heads/nope"):
        await _remote(tmp_path / "home", url, branch="nope").fetch()


UNREACHABLE = ["file:///nowhere/specs.git", "http://127.0.0.1:1/specs.git", "ssh://git@127.0.0.1:1/specs.git"]


@pytest.mark.parametrize("address", UNREACHABLE)
async def test_unreachable(tmp_path: Path, address: str) -> None:
    with pytest.raises(TransientError, match="cannot be reached"):
        await _remote(tmp_path / "home", address).fetch()


async def test_the_last_good_revision_stays_readable(tmp_path: Path, served: Path) -> None:
    with http(served) as (address, _):
        remote = _remote(tmp_path / "home", f"{address}/specs.git")
        commit = await remote.fetch()
    with pytest.raises(TransientError):
        await remote.fetch()
    assert commit is not None
    assert list(remote.entries(commit)) == ["specs/hello.yaml"]
    assert remote.last() == commit


async def test_no_such_repository(tmp_path: Path, served: Path) -> None:
    with http(served) as (address, _), pytest.raises(TransientError, match="404"):
        await _remote(tmp_path / "home", f"{address}/nope.git").fetch()


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A TMPDIR of the test's own, for this process and those it starts."""
    path = tmp_path / "scratch"
    path.mkdir()
    monkeypatch.setenv("TMPDIR", str(path))
    monkeypatch.setattr("tempfile.tempdir", str(path))
    return path


async def test_nothing_is_left_in_the_folder_for_temporary_files(
    tmp_path: Path, served: Path, scratch: Path
) -> None:
    assert await _remote(tmp_path / "home", f"file://{served}/specs.git").fetch()
    with pytest.raises(TransientError):
        await _remote(tmp_path / "other", "file:///nowhere/specs.git").fetch()
    assert list(scratch.iterdir()) == []


async def test_a_pack_that_was_cut_off_is_removed(tmp_path: Path, work: Work, served: Path) -> None:
    work.commit({"big": os.urandom(3_000_000)})
    work.push(served / "specs.git")
    packs = tmp_path / "home/cache/source.git/objects/pack"
    with http(served, most=1_000_000) as (address, _):
        remote = _remote(tmp_path / "home", f"{address}/specs.git", timeout=30)
        task = asyncio.create_task(remote.fetch())
        while not list(packs.glob("pack_git2_*")):
            assert not task.done()
            await asyncio.sleep(0.01)
        (packs / "pack-whole.pack").touch()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [path.name for path in packs.iterdir()] == ["pack-whole.pack"]


async def test_a_remote_that_hangs_is_given_up(tmp_path: Path, scratch: Path) -> None:
    started = monotonic()
    with silence() as port, pytest.raises(TransientError, match=r"took longer than 0\.7 s|cannot be reached"):
        await _remote(tmp_path / "home", f"http://127.0.0.1:{port}/x.git", timeout=0.7).fetch()
    assert monotonic() - started < 5
    assert list(scratch.iterdir()) == []


async def test_cancelling_leaves_no_child(tmp_path: Path, scratch: Path) -> None:
    with silence() as port:
        remote = _remote(tmp_path / "home", f"http://127.0.0.1:{port}/x.git", timeout=30)
        task = asyncio.create_task(remote.fetch())
        while not _children():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert not _children()
    assert list(scratch.iterdir()) == []


def _children() -> list[str]:
    listed = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    found = []
    for child in listed:
        try:
            command = Path(f"/proc/{child}/cmdline").read_text()
        except OSError:
            continue
        if "child.py" in command:
            found.append(child)
    return found


async def test_a_copy_that_is_damaged(tmp_path: Path, url: str) -> None:
    remote = _remote(tmp_path / "home", url)
    commit = await remote.fetch()
    copy = tmp_path / "home/cache/source.git"
    for pack in (copy / "objects/pack").iterdir():
        pack.chmod(0o644)
        pack.unlink()
    assert await _remote(tmp_path / "home", url).fetch() == commit


@pytest.mark.parametrize("kind", ["file", "http"])
async def test_packs_are_joined_and_nothing_is_lost(
    tmp_path: Path, work: Work, served: Path, kind: str
) -> None:
    copy = tmp_path / "copy.git"
    with http(served) as (address, _):
        url = f"{address if kind == 'http' else f'file://{served}'}/specs.git"
        commits = []
        for number in range(6):
            commits.append(
                work.commit({"specs/hello.yaml": f"{number}"}, *(["--amend"] if number % 2 else []))
            )
            work.push(served / "specs.git", "--force", "main")
            request = Request(copy, url, "refs/heads/main", "refs/otto/source", packs=2)
            assert await fetch(request, Access()) == commits[-1]
            assert len(list((copy / "objects/pack").glob("*.pack"))) <= 3
    trees = Trees(copy)
    for commit in commits:
        (entry,) = trees.entries(commit).values()
        assert trees.read(entry.blob) == str(commits.index(commit)).encode()


async def test_a_repository_that_is_too_big(tmp_path: Path, work: Work, served: Path) -> None:
    work.commit({"big": os.urandom(400_000)})
    work.push(served / "specs.git")
    with http(served) as (address, _):
        request = Request(
            tmp_path / "c.git", f"{address}/specs.git", "main", "refs/otto/x", max_bytes=100_000
        )
        with pytest.raises(TerminalError, match="bigger than 100000 bytes"):
            await fetch(request, Access())


# https with a token


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OTTO_TEST_TOKEN", TOKEN)
    return "env:OTTO_TEST_TOKEN"


async def test_a_token_from_the_environment(tmp_path: Path, served: Path, token: str) -> None:
    with http(served, token=TOKEN) as (address, seen):
        assert await _remote(tmp_path / "home", f"{address}/specs.git", token=token).fetch()
    assert any(seen)
    stored = [
        path
        for path in (tmp_path / "home").rglob("*")
        if path.is_file() and TOKEN in path.read_text("latin1")
    ]
    assert stored == []


async def test_a_token_from_a_file(tmp_path: Path, served: Path) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with http(served, token=TOKEN) as (address, _):
        assert await _remote(
            tmp_path / "home", f"{address}/specs.git", token=f"file:{tmp_path}/token"
        ).fetch()


@pytest.mark.parametrize("reference", ["", "env:OTTO_TEST_WRONG"])
async def test_refused(tmp_path: Path, served: Path, reference: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTTO_TEST_WRONG", "wrong-token")
    with http(served, token=TOKEN) as (address, seen):
        with pytest.raises(TerminalError) as caught:
            await _remote(tmp_path / "home", f"{address}/specs.git", token=reference).fetch()
        assert len(seen) <= 3
    assert "credentials" in caught.value.message
    assert "wrong-token" not in f"{caught.value}{caught.value.detail}"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("tok-plain", "not as a reference"),
        ("env:OTTO_TEST_UNSET", "is empty"),
        ("file:/nowhere/token", "cannot be read"),
    ],
)
async def test_bad_references_to_tokens(tmp_path: Path, reference: str, words: str) -> None:
    with pytest.raises(TerminalError, match=words) as caught:
        await _remote(tmp_path / "home", "https://git.example.org/a.git", token=reference).fetch()
    assert "tok-plain" not in str(caught.value)


async def test_a_token_is_not_sent_to_another_host(tmp_path: Path, served: Path, token: str) -> None:
    with http(served, token=TOKEN) as (goal, seen):
        elsewhere = goal.replace("127.0.0.1", "localhost")
        with http(served, redirect=elsewhere) as (address, _), pytest.raises(OttoError):
            await _remote(tmp_path / "home", f"{address}/specs.git", token=token).fetch()
    assert not any(seen)


def test_a_token_needs_a_host() -> None:
    with pytest.raises(TerminalError, match="needs a host"):
        Keyring(default=Access(token="env:X"))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://me:secret@git.example.org/a", "holds credentials"),
        ("https://me@git.example.org/a", "holds credentials"),
        ("http://git.example.org/a", "no address to fetch from"),
        ("git@git.example.org:a", "no address to fetch from"),
        ("ext::sh -c id", "no address to fetch from"),
    ],
)
def test_addresses_that_are_refused(tmp_path: Path, address: str, words: str) -> None:
    with pytest.raises(TerminalError, match=words) as caught:
        open_source(tmp_path / "home", url=address)
    assert "secret" not in str(caught.value)


async def test_tls(tmp_path: Path, served: Path, token: str) -> None:
    tls = certificate(tmp_path)
    with http(served, token=TOKEN, tls=tls) as (address, seen):
        with pytest.raises(TerminalError, match="certificate"):
            await _remote(tmp_path / "home", f"{address}/specs.git", token=token).fetch()
        assert not any(seen)
        trusting = {"127.0.0.1": Access(token=token, authority=tls[0])}
        assert await _remote(tmp_path / "home", f"{address}/specs.git", hosts=trusting).fetch()


# ssh


async def test_ssh_with_a_key_and_a_pinned_host(tmp_path: Path, served: Path) -> None:
    keys = tmp_path / "home/keys"
    public = keygen(keys / "id_ed25519")
    (tmp_path / "sshd").mkdir()
    with sshd(tmp_path / "sshd", public) as (port, host_key):
        remote = _remote(tmp_path / "home", f"ssh://{getpass.getuser()}@127.0.0.1:{port}{served}/specs.git")
        with pytest.raises(TerminalError, match="host key"):
            await remote.fetch()
        pinned = keys / "known_hosts"
        pinned.write_text(f"[127.0.0.1]:{port} {keygen(tmp_path / 'other')}\n")
        with pytest.raises(TerminalError, match="host key"):
            await remote.fetch()
        pinned.write_text(f"[127.0.0.1]:{port} {host_key}\n")
        commit = await remote.fetch()
        assert commit is not None
        assert list(remote.entries(commit)) == ["specs/hello.yaml"]
        for name in ("id_ed25519", "id_ed25519.pub"):
            (keys / name).unlink()
        keygen(keys / "id_ed25519")
        with pytest.raises(TerminalError, match="credentials were refused"):
            await remote.fetch()


async def test_the_remotes_key_is_offered_to_its_host_alone(
    tmp_path: Path, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: dict[str, Path | None] = {}

    async def note(request: Request, access: Access) -> str | None:
        offered[request.url] = access.key
        raise TransientError("enough is known")

    monkeypatch.setattr("otto.adapters.git.repositories.fetch", note)
    monkeypatch.setattr("otto.adapters.git.external.fetch", note)
    home, theirs = tmp_path / "home", tmp_path / "sites_key"
    remote = _remote(home, "ssh://git@git.example.org/sites.git", ssh_key=str(theirs))
    addresses = ["ssh://git@GIT.example.org/web.git", "ssh://git@other.example.org/web.git"]
    with pytest.raises(TransientError):
        await remote.fetch()
    for address in addresses:
        with pytest.raises(TransientError):
            await remote.content("", Content("x", address, "main"))
    own = home / "keys/id_ed25519"
    assert offered == {
        "ssh://git@git.example.org/sites.git": theirs,
        addresses[0]: theirs,
        addresses[1]: own,
    }


# content of other repositories


async def test_content_of_another_repository(tmp_path: Path, work: Work, served: Path, home: Path) -> None:
    work.push(home / "specs.git")
    embedded = open_source(home, local_content=True)
    commit = str(await embedded.fetch())
    git(work.path, "tag", "-a", "-m", "one", "v1")
    work.push(served / "specs.git", "v1")
    second = work.commit({"sites/hello/index.html": "second"})
    work.push(served / "specs.git")
    address = f"file://{served}/specs.git"
    trees = {
        ref: await embedded.content(commit, Content("sites/hello", address, ref))
        for ref in ("main", "v1", second)
    }
    assert trees["main"] == trees[second] != trees["v1"]
    assert trees["v1"] == await embedded.content(commit, Content("sites/hello"))
    assert await embedded.content(commit, Content("", address, "main"))
    for tree in trees.values():
        assert (await open_source(home).archive(tree)).is_file()


async def test_content_by_commit_over_http(tmp_path: Path, work: Work, served: Path, home: Path) -> None:
    old = git(work.path, "rev-parse", "main").strip()
    work.commit({"sites/hello/index.html": "second"})
    work.push(served / "specs.git")
    with http(served) as (address, seen):
        source = open_source(home, content_interval=0)
        content = Content("sites/hello", f"{address}/specs.git", old)
        tree = await source.content("", content)
        requests = len(seen)
        assert await source.content("", content) == tree
        assert len(seen) - requests <= 2


async def test_content_is_fetched_no_oftener_than_set(
    tmp_path: Path, work: Work, served: Path, home: Path
) -> None:
    with http(served) as (address, seen):
        content = Content("sites/hello", f"{address}/specs.git", "main")
        source = open_source(home, content_interval=3600)
        first = await source.content("", content)
        requests = len(seen)
        work.commit({"sites/hello/index.html": "second"})
        work.push(served / "specs.git")
        assert [await source.content("", content) for _ in range(3)] == [first] * 3
        assert len(seen) == requests
        assert await open_source(home).content("", content) != first


async def test_content_that_somebody_says_has_moved_is_fetched_once_and_its_move_is_told(
    tmp_path: Path, work: Work, served: Path, home: Path
) -> None:
    with http(served) as (address, seen):
        url, moves = f"{address}/specs.git", list[tuple[str, str, str]]()
        content = Content("sites/hello", url, "main")
        source = open_source(home, content_interval=3600)
        source.on_moved(lambda *move: moves.append(move))
        first = await source.content("", content)
        source.expire(url)
        assert await source.content("", content) == first
        assert moves == []
        commit = work.commit({"sites/hello/index.html": "second"})
        work.push(served / "specs.git")
        source.expire(f"{address}/other.git")
        requests = len(seen)
        assert await source.content("", content) == first
        assert len(seen) == requests
        source.expire(url)
        found = await asyncio.gather(*(source.content("", content) for _ in range(5)))
        fetched = len(seen) - requests
        assert {*found} != {first}
        assert moves == [(url, "main", commit)]
        work.commit({"sites/hello/index.html": "third"})
        work.push(served / "specs.git")
        source.expire(url)
        requests = len(seen)
        await source.content("", content)
        assert fetched == len(seen) - requests  # of five that wanted it, as of one


async def test_content_that_moved_while_nobody_ran_is_told_by_the_first_fetch(
    tmp_path: Path, work: Work, served: Path, home: Path
) -> None:
    with http(served) as (address, _):
        content = Content("sites/hello", f"{address}/specs.git", "main")
        await open_source(home).content("", content)
        commit = work.commit({"sites/hello/index.html": "second"})
        work.push(served / "specs.git")
        moves: list[tuple[str, str, str]] = []
        source = open_source(home)
        source.on_moved(lambda *move: moves.append(move))
        await source.content("", content)
        assert moves == [(content.git, "main", commit)]


async def test_the_author_of_a_commit_is_known(tmp_path: Path, work: Work, home: Path) -> None:
    commit = work.commit({"a": "b"}, "--author", "Grace \u202e <grace@example>")
    work.push(home / "specs.git")
    source = open_source(home)
    await source.fetch()
    assert source.author(commit).startswith("Grace")
    assert source.author("0" * 40) == ""
    assert source.author("nothing") == ""


async def test_content_that_was_fetched_once_survives_its_remote(
    tmp_path: Path, served: Path, home: Path
) -> None:
    with http(served) as (address, _):
        content = Content("sites/hello", f"{address}/specs.git", "main")
        tree = await open_source(home).content("", content)
        assert open_source(home).stale(content) == ""
    later = open_source(home)
    assert await later.content("", content) == tree
    assert later.stale(content).startswith(f"{address}/specs.git cannot be reached: ")
    with pytest.raises(TransientError, match="cannot be reached"):
        await open_source(home).content("", Content("sites/hello", f"{address}/never.git", "main"))


async def test_content_whose_branch_is_gone(tmp_path: Path, served: Path, home: Path) -> None:
    source = open_source(home, local_content=True)
    with pytest.raises(TerminalError, match="no branch or tag gone"):
        await source.content("", Content("x", f"file://{served}/specs.git", "gone"))
    with pytest.raises(TerminalError, match=r"content folder x of .* is not there"):
        await source.content("", Content("x", f"file://{served}/specs.git", "main"))


@pytest.mark.parametrize("scheme", ["file", "FILE"])
async def test_content_on_the_controllers_disk_is_refused(
    home: Path, work: Work, served: Path, scheme: str
) -> None:
    address = f"{scheme}://{served}/specs.git"
    with pytest.raises(TerminalError, match="own disk is not allowed") as caught:
        await open_source(home).content("", Content("sites/hello", address, "main"))
    assert "source.localContent" in caught.value.mend
    assert not (home / "cache").exists()
    remote = _remote(home, f"file://{served}/specs.git")
    commit = await remote.fetch()
    with pytest.raises(TerminalError, match="own disk is not allowed"):
        await remote.content(str(commit), Content("sites/hello", address, "main"))
