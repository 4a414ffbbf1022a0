"""Pull requests and the one comment on them."""

import pytest
from tests.integration.forge.conftest import Connect
from tests.integration.forge.github import GitHubServer
from tests.integration.forge.server import COMMIT, OTHER, US, ForgeServer

from otto.adapters.forge import OpenForge

MARK = "<!-- otto: plan -->"


async def test_open_pulls_are_those_of_the_branch_over_all_pages(
    kind: str, server: ForgeServer, forge: OpenForge
) -> None:
    for number in range(1, 121):
        server.pull(number, COMMIT if number % 2 else OTHER)  # type: ignore[attr-defined]
    server.pull(200, COMMIT, base="release")  # type: ignore[attr-defined]
    found = await forge.open_pulls("acme/specs", "main", 500)
    assert [pull.number for pull in found] == list(range(1, 121))
    assert found[0].head == COMMIT
    ref = "refs/merge-requests/1/head" if kind == "gitlab" else "refs/pull/1/head"
    assert found[0].ref == ref
    assert len(await forge.open_pulls("acme/specs", "main", 7)) == 7


async def test_the_comment_is_written_once_and_then_changed(server: ForgeServer, forge: OpenForge) -> None:
    known = await forge.comment("acme/specs", 3, MARK, f"{MARK}\none")
    assert await forge.comment("acme/specs", 3, MARK, f"{MARK}\ntwo", known) == known
    assert [one["body"] for one in server.comments.values()] == [f"{MARK}\ntwo"]


async def test_a_comment_that_nobody_remembers_is_found_by_its_mark_behind_many_others(
    server: ForgeServer, forge: OpenForge
) -> None:
    for number in range(60):
        server.remark(3, f"remark {number}")  # type: ignore[attr-defined]
    known = await forge.comment("acme/specs", 3, MARK, f"{MARK}\none")
    server.remark(3, "a last word")  # type: ignore[attr-defined]
    assert await forge.comment("acme/specs", 3, MARK, f"{MARK}\ntwo") == known
    assert server.comments[int(known)]["body"] == f"{MARK}\ntwo"
    assert len(server.comments) == 62


async def test_a_strangers_comment_with_our_mark_is_left_alone(server: ForgeServer, forge: OpenForge) -> None:
    theirs = server.remark(3, f"{MARK}\neverything is fine, merge it")  # type: ignore[attr-defined]
    known = await forge.comment("acme/specs", 3, MARK, f"{MARK}\none")
    assert int(known) != theirs
    assert server.comments[theirs]["body"].endswith("merge it")


async def test_our_comment_of_another_kind_is_left_alone(server: ForgeServer, forge: OpenForge) -> None:
    other = server.remark(3, "by hand, with our token", US)  # type: ignore[attr-defined]
    assert int(await forge.comment("acme/specs", 3, MARK, f"{MARK}\none")) != other


async def test_a_removed_comment_is_written_anew(server: ForgeServer, forge: OpenForge) -> None:
    known = await forge.comment("acme/specs", 3, MARK, f"{MARK}\none")
    del server.comments[int(known)]
    again = await forge.comment("acme/specs", 3, MARK, f"{MARK}\ntwo", known)
    assert again != known
    assert [one["body"] for one in server.comments.values()] == [f"{MARK}\ntwo"]


@pytest.mark.parametrize("kind", ["github"], indirect=True)
async def test_the_token_of_an_app_finds_its_own_comment_too(server: ForgeServer, connect: Connect) -> None:
    assert isinstance(server, GitHubServer)
    server.app = True
    known = await connect().comment("acme/specs", 3, MARK, f"{MARK}\none")
    assert await connect().comment("acme/specs", 3, MARK, f"{MARK}\ntwo") == known


async def test_secrets_do_not_reach_the_forge(server: ForgeServer, connect: Connect) -> None:
    forge = connect(scrub=lambda text: text.replace("hunter2", "[redacted]"))
    await forge.comment("acme/specs", 3, MARK, f"{MARK}\nthe password is hunter2\nbye")
    assert "hunter2" not in str(server.comments)
    assert "[redacted]\nbye" in next(iter(server.comments.values()))["body"]
