"""Commits by OttO: in the embedded repository, and in one elsewhere that races, refuses and breaks off."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from otto.adapters.clock import SystemClock
from otto.adapters.git import EmbeddedRepository, RemoteRepository, open_book, open_source
from otto.model.document import Commission
from otto.model.errors import TerminalError, TransientError, UsageError
from otto.ports.specbook import MovedError, Specbook

from .gitting import Work, git
from .serving import TOKEN, http, keygen, sshd

PATH = "specs/sites/acme.yaml"


def commission(base: str, **files: bytes | None) -> Commission:
    return Commission(
        "Ada <ada@evil>\n",
        "ada@example.org",
        "Site acme: new\n\nwhy\x1b[0m\n",
        base,
        {PATH: b"a: 1\n"} | files,
    )


@pytest.fixture
def served(tmp_path: Path, work: Work) -> Path:
    (tmp_path / "served").mkdir()
    git(tmp_path / "served", "init", "-q", "--bare", "-b", "main", "specs.git")
    git(tmp_path / "served/specs.git", "config", "http.receivepack", "true")
    work.push(tmp_path / "served/specs.git")
    return tmp_path / "served"


def remote(home: Path, url: str, **settings: object) -> tuple[RemoteRepository, Specbook]:
    source = open_source(home, url=url, **settings)  # type: ignore[arg-type]
    assert isinstance(source, RemoteRepository)
    return source, open_book(source, SystemClock(), timeout=20)


@pytest.fixture(params=["file", "http"])
def url(request: pytest.FixtureRequest, served: Path) -> Iterator[str]:
    if request.param == "file":
        yield f"file://{served}/specs.git"
        return
    with http(served) as (address, _):
        yield f"{address}/specs.git"


def hook(served: Path, name: str, script: str) -> None:
    path = served / "specs.git/hooks" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


async def test_a_commit_in_the_embedded_repository_says_who_and_why(
    home: Path, work: Work, embedded: EmbeddedRepository
) -> None:
    work.push(home / "specs.git")
    book = open_book(embedded, SystemClock())
    base = await book.head()
    draft = await book.draft(commission(base, **{"specs/hello.yaml": None}))
    assert await book.head() == base
    assert set(embedded.entries(draft)) == {PATH}
    await book.publish(draft, base)
    assert await book.head() == draft
    shown = git(home / "specs.git", "log", "-1", "--format=%an|%ae|%cn|%B", "main")
    assert shown.strip() == "Ada ada@evil|ada@example.org|OttO|Site acme: new\n\nwhy[0m"
    assert git(home / "specs.git", "fsck", "--strict") == ""
    assert "commit through the API" in git(home / "specs.git", "reflog", "main")
    work.path.joinpath("other").write_text("x")
    git(work.path, "pull", "-q", str(home / "specs.git"), "main")
    assert (work.path / PATH).read_text() == "a: 1\n"
    assert not (work.path / "specs/hello.yaml").exists()


async def test_the_first_commit_of_an_empty_branch(home: Path, embedded: EmbeddedRepository) -> None:
    book = open_book(embedded, SystemClock())
    assert await book.head() == ""
    drafts = [await book.draft(commission("")), await book.draft(commission("", other=b"x"))]
    await book.publish(drafts[0], "")
    with pytest.raises(MovedError):
        await book.publish(drafts[1], "")
    assert await book.head() == drafts[0]


async def test_what_was_pushed_meanwhile_is_never_written_over(
    home: Path, work: Work, embedded: EmbeddedRepository
) -> None:
    work.push(home / "specs.git")
    book = open_book(embedded, SystemClock())
    base = await book.head()
    draft = await book.draft(commission(base))
    pushed = work.commit({"specs/b.yaml": "x"})
    work.push(home / "specs.git")
    with pytest.raises(MovedError):
        await book.publish(draft, base)
    assert await book.head() == pushed


async def test_a_lock_that_a_killed_git_left_holds_nobody_up_for_ever(
    home: Path, work: Work, embedded: EmbeddedRepository
) -> None:
    work.push(home / "specs.git")
    book = open_book(embedded, SystemClock())
    base = await book.head()
    draft = await book.draft(commission(base))
    lock = home / "specs.git/refs/heads/main.lock"
    lock.touch()
    with pytest.raises(MovedError):
        await book.publish(draft, base)
    os.utime(lock, (1, 1))
    await book.publish(draft, base)
    assert await book.head() == draft
    assert not lock.exists()


@pytest.mark.parametrize(
    "path",
    ["specs/hello.yaml/x.yaml", "link.yaml", "../x", "specs/.git/x", "specs//x", "link/x.yaml"],
)
async def test_no_path_leads_out_of_the_repository_or_through_what_is_no_folder(
    home: Path, work: Work, embedded: EmbeddedRepository, path: str
) -> None:
    (work.path / "link.yaml").symlink_to("/etc/passwd")
    (work.path / "link").symlink_to("/etc")
    work.commit({})
    work.push(home / "specs.git")
    book = open_book(embedded, SystemClock())
    with pytest.raises(UsageError):
        await book.draft(commission(await book.head(), **{path: b"x"}))


async def test_commits_are_signed_with_the_key_that_was_set(
    home: Path, tmp_path: Path, work: Work, embedded: EmbeddedRepository
) -> None:
    public = keygen(tmp_path / "keys/signing")
    work.push(home / "specs.git")
    book = open_book(embedded, SystemClock(), signing_key=str(tmp_path / "keys/signing"))
    draft = await book.draft(commission(await book.head()))
    (tmp_path / "allowed").write_text(f"otto@localhost {public}\n")
    verified = git(
        home / "specs.git", "-c", f"gpg.ssh.allowedSignersFile={tmp_path}/allowed", "verify-commit", draft
    )
    assert 'Good "git" signature for otto@localhost' in verified
    with pytest.raises(TerminalError, match="cannot be signed"):
        await open_book(embedded, SystemClock(), signing_key="/nowhere/key").draft(commission(""))


async def test_a_commit_is_pushed_to_a_repository_elsewhere(
    tmp_path: Path, served: Path, url: str, work: Work
) -> None:
    source, book = remote(tmp_path / "home", url)
    for number in range(3):
        base = await book.head()
        draft = await book.draft(commission(base, n=str(number).encode()))
        await book.publish(draft, base)
        assert git(served / "specs.git", "rev-parse", "main").strip() == draft == await book.head()
        assert PATH in source.entries(draft)
        git(work.path, "pull", "-q", str(served / "specs.git"), "main")
        work.commit({"other": str(number)})
        work.push(served / "specs.git")
    assert git(served / "specs.git", "fsck") == ""
    assert git(served / "specs.git", "rev-list", "--count", "main").strip() == "7"


async def test_a_race_with_somebody_elses_push_is_told_as_one(
    tmp_path: Path, served: Path, url: str, work: Work
) -> None:
    _, book = remote(tmp_path / "home", url)
    base = await book.head()
    draft = await book.draft(commission(base))
    pushed = work.commit({"specs/b.yaml": "x"})
    work.push(served / "specs.git")
    with pytest.raises(MovedError):
        await book.publish(draft, base)
    assert await book.head() == pushed


async def test_a_branch_that_was_forced_back_is_not_brought_forward_again(
    tmp_path: Path, served: Path, url: str, work: Work
) -> None:
    first = git(work.path, "rev-parse", "main").strip()
    work.commit({"specs/b.yaml": "x"})
    work.push(served / "specs.git")
    _, book = remote(tmp_path / "home", url)
    base = await book.head()
    draft = await book.draft(commission(base))
    git(served / "specs.git", "update-ref", "refs/heads/main", first)
    with pytest.raises(MovedError):
        await book.publish(draft, base)
    assert git(served / "specs.git", "rev-parse", "main").strip() == first


async def test_a_repository_that_refuses_is_heard_in_its_own_words(
    tmp_path: Path, served: Path, url: str
) -> None:
    hook(served, "pre-receive", "printf 'main is protected: \\033[31mask ops\\033[0m' >&2; exit 1")
    _, book = remote(tmp_path / "home", url)
    base = await book.head()
    with pytest.raises(TerminalError, match="main is protected") as caught:
        await book.publish(await book.draft(commission(base)), base)
    assert caught.value.message.isprintable()
    assert caught.value.mend
    assert await book.head() == base


async def test_a_token_that_may_not_write_is_told_as_that_and_never_shown(
    tmp_path: Path, served: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(served / "specs.git", "config", "http.receivepack", "false")
    monkeypatch.setenv("SPEC_TOKEN", TOKEN)
    with http(served, token=TOKEN) as (address, seen):
        _, book = remote(tmp_path / "home", f"{address}/specs.git", token="env:SPEC_TOKEN")
        base = await book.head()
        with pytest.raises(TerminalError, match="refuses the commit") as caught:
            await book.publish(await book.draft(commission(base)), base)
        assert TOKEN not in str(caught.value)
        git(served / "specs.git", "config", "http.receivepack", "true")
        draft = await book.draft(commission(base))
        await book.publish(draft, base)
        assert await book.head() == draft
        assert any(seen)


async def test_a_push_whose_answer_is_lost_is_read_back(tmp_path: Path, served: Path) -> None:
    with http(served, mute="git-receive-pack") as (address, _):
        _, book = remote(tmp_path / "home", f"{address}/specs.git")
        base = await book.head()
        draft = await book.draft(commission(base))
        await book.publish(draft, base)
        assert git(served / "specs.git", "rev-parse", "main").strip() == draft


async def test_a_push_whose_answer_is_lost_counts_though_others_pushed_upon_it(
    tmp_path: Path, served: Path
) -> None:
    later = "git -c user.name=x -c user.email=x@y commit-tree -p main -m x main^{tree}"
    hook(served, "post-receive", f'for n in 1 2; do git update-ref refs/heads/main "$({later})"; done')
    with http(served, mute="git-receive-pack") as (address, _):
        source, book = remote(tmp_path / "home", f"{address}/specs.git")
        base = await book.head()
        draft = await book.draft(commission(base))
        await book.publish(draft, base)
        assert await book.head() == git(served / "specs.git", "rev-parse", "main").strip() != draft
        assert await book.holds(draft)
        assert not await book.holds(await book.draft(commission(base, other=b"x")))
        assert source.reaches(await book.head(), base)


async def test_a_commit_of_ours_is_known_at_once_below_another_one_that_alone_was_fetched(
    tmp_path: Path, served: Path, work: Work
) -> None:
    with http(served) as (address, _):
        source, book = remote(tmp_path / "home", f"{address}/specs.git")
        base = await book.head()
        draft = await book.draft(commission(base))
        await book.publish(draft, base)
        git(work.path, "pull", "-q", f"{address}/specs.git", "main")
        pushed = work.commit({"specs/b.yaml": "x"})
        work.push(served / "specs.git")
        assert await book.head() == pushed
        assert source.reaches(pushed, draft)


async def test_a_push_that_never_came_through_is_told_as_passing(tmp_path: Path, served: Path) -> None:
    with http(served) as (address, _):
        _, book = remote(tmp_path / "home", f"{address}/specs.git")
        base = await book.head()
        draft = await book.draft(commission(base))
    with pytest.raises(TransientError, match="whether it came through cannot be asked"):
        await book.publish(draft, base)
    assert git(served / "specs.git", "rev-parse", "main").strip() == base


async def test_over_ssh_with_a_pinned_host_key(tmp_path: Path, served: Path) -> None:
    public = keygen(tmp_path / "home/keys/id_ed25519")
    with sshd(tmp_path / "ssh server", public) as (port, host_key):
        url = f"ssh://git@127.0.0.1:{port}{served}/specs.git"
        known = tmp_path / "home/keys/known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {host_key}\n")
        _, book = remote(tmp_path / "home", url)
        base = await book.head()
        draft = await book.draft(commission(base))
        await book.publish(draft, base)
        assert git(served / "specs.git", "rev-parse", "main").strip() == draft


async def test_what_drafts_leave_behind_is_packed_now_and_then(
    home: Path, work: Work, embedded: EmbeddedRepository
) -> None:
    work.push(home / "specs.git")
    git(home / "specs.git", "config", "gc.auto", "10")
    book = open_book(embedded, SystemClock())
    base = await book.head()
    drafts = [await book.draft(commission(base, n=str(number).encode())) for number in range(200)]
    packs = home / "specs.git/objects/pack"
    async with asyncio.timeout(60):
        while not list(packs.glob("*.pack")):
            await asyncio.sleep(0.05)
    await book.publish(drafts[0], base)
    assert await book.head() == drafts[0]


_KILLED = """
import asyncio, sys
from pathlib import Path
from otto.adapters.clock import SystemClock
from otto.adapters.git import open_book, open_source
from otto.model.document import Commission

async def work():
    source = open_source(Path(sys.argv[1]))
    book = open_book(source, SystemClock())
    number = 0
    while True:
        base = await book.head()
        files = {f"specs/n{number % 5}.yaml": b"a: %d\\n" % number}
        await book.publish(await book.draft(Commission("A", "a@b", "m", base, files)), base)
        number += 1
        print(number, flush=True)

asyncio.run(work())
"""


def test_killed_at_any_moment_it_leaves_a_whole_repository(home: Path, work: Work) -> None:
    work.push(home / "specs.git")
    done = 1
    for moment in range(8):
        child = subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(home)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        # What it logs stands between its numbers.
        numbers = (line for line in child.stdout if line.strip().isdigit())
        assert len(list(itertools.islice(numbers, 3 + moment))) == 3 + moment
        time.sleep(0.0007 * moment)
        child.send_signal(signal.SIGKILL)
        child.wait()
        said = 3 + moment + len(list(numbers))
        child.stdout.close()
        count = int(git(home / "specs.git", "rev-list", "--count", "main"))
        assert count - done in (said, said + 1)
        done = count
        assert git(home / "specs.git", "fsck", "--strict", "--connectivity-only", "--no-dangling") == ""
        for lock in (home / "specs.git").rglob("*.lock"):  # as if time had passed before the next start
            os.utime(lock, (0, lock.stat().st_mtime - 61))
