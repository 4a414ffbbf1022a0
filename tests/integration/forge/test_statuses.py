"""Commit statuses and deployments at servers that take what the forges document, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from tests.integration.forge.gitlab import GitLabServer
from tests.integration.forge.server import COMMIT, ForgeServer

from otto.adapters.forge import OpenForge
from otto.model.errors import TerminalError
from otto.model.forge import CommitState, CommitStatus, Deployment, DeploymentState

STATUS = CommitStatus("acme/specs", COMMIT, "otto/shop", CommitState.PENDING, "is queued")
SHOP = Deployment("acme/specs", COMMIT, "shop", DeploymentState.RUNNING, "is being put in place", ref="main")
WORDS = {
    "github": {"pending": "pending", "success": "success", "failure": "failure", "error": "error"},
    "gitlab": {"pending": "pending", "success": "success", "failure": "failed", "error": "failed"},
    "gitea": {"pending": "pending", "success": "success", "failure": "failure", "error": "error"},
}


@pytest.mark.parametrize("state", [s for s in CommitState if s is not CommitState.SUPERSEDED])
async def test_a_status_reaches_the_commit_in_the_forges_own_words(
    kind: str, server: ForgeServer, forge: OpenForge, state: CommitState
) -> None:
    await forge.status(replace(STATUS, state=state, target="https://shop.example/"))
    (said,) = server.statuses
    assert said["sha"] == COMMIT
    assert said["state"] == WORDS[kind][state.value]
    assert said.get("context", said.get("name")) == "otto/shop"
    assert (said["description"], said["target_url"]) == ("is queued", "https://shop.example/")


async def test_a_superseded_commit_is_not_left_pending(server: ForgeServer, forge: OpenForge) -> None:
    await forge.status(STATUS)
    await forge.status(replace(STATUS, state=CommitState.SUPERSEDED))
    assert [said["state"] for said in server.statuses][1] in ("error", "canceled")


async def test_the_same_word_twice_is_no_error(server: ForgeServer, forge: OpenForge) -> None:
    await forge.status(STATUS)
    await forge.status(STATUS)
    assert {said["state"] for said in server.statuses} == {"pending"}


async def test_long_descriptions_and_odd_targets_are_made_to_fit(
    server: ForgeServer, forge: OpenForge
) -> None:
    await forge.status(replace(STATUS, description="ä\n" * 5000, target="javascript:alert(1)"))
    (said,) = server.statuses
    assert said["description"].endswith("…")
    assert "\n" not in said["description"]
    assert "target_url" not in said


async def test_an_unknown_commit_or_repository_is_told_of(forge: OpenForge) -> None:
    with pytest.raises(TerminalError, match=r"status at 127\.0\.0\.1: it answered 4"):
        await forge.status(replace(STATUS, commit="f" * 40))
    with pytest.raises(TerminalError, match="404"):
        await forge.status(replace(STATUS, repository="acme/elsewhere"))


async def test_a_deployment_is_made_once_and_then_moved_on(server: ForgeServer, forge: OpenForge) -> None:
    known = await forge.deployment(SHOP)
    done = replace(SHOP, state=DeploymentState.SUCCESS, url="http://10.0.0.1:8080")
    assert await forge.deployment(done, known) == known
    if not known:  # Gitea keeps none
        assert not server.seen
        return
    (one,) = server.deployments.values()
    assert one["environment"] == "shop"
    assert [_state(entry) for entry in one["states"]] in (["in_progress", "success"], ["running", "success"])
    assert _address(server) == "http://10.0.0.1:8080"


async def test_a_deployment_that_nobody_remembers_is_found_again(
    server: ForgeServer, forge: OpenForge
) -> None:
    first = await forge.deployment(SHOP)
    assert await forge.deployment(replace(SHOP, state=DeploymentState.FAILURE)) == first
    assert len(server.deployments) <= 1


async def test_a_site_that_is_gone_has_no_deployment_in_force(server: ForgeServer, forge: OpenForge) -> None:
    known = await forge.deployment(SHOP)
    await forge.deployment(replace(SHOP, state=DeploymentState.GONE), known)
    if isinstance(server, GitLabServer):
        assert {one["state"] for one in server.environments.values()} == {"stopped"}
    else:
        assert [one["states"][-1]["state"] for one in server.deployments.values()] in (["inactive"], [])


def _state(entry: Any) -> str:
    return str(entry["state"] if isinstance(entry, dict) else entry)


def _address(server: ForgeServer) -> str:
    if isinstance(server, GitLabServer):
        return str(next(iter(server.environments.values()))["external_url"])
    return str(next(iter(server.deployments.values()))["states"][-1]["environment_url"])
