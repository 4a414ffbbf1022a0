"""GitHub, and GitHub Enterprise Server (https://docs.github.com/rest, API version 2022-11-28)."""

from collections.abc import Mapping
from typing import Any

from otto.adapters.forge import comments, reading
from otto.adapters.forge.address import Address
from otto.adapters.forge.answer import Reply
from otto.adapters.forge.client import Call, Client
from otto.adapters.forge.comments import Comment
from otto.adapters.forge.words import line, web
from otto.model.forge import CommitState, CommitStatus, Deployment, DeploymentState, Pull

_STATUS, _LINE = "status", 140  # "A short description", cut off by the API above that
_PAGE, _MOST_PAGES = 50, 20
_STATES = {
    CommitState.PENDING: "pending",
    CommitState.SUCCESS: "success",
    CommitState.FAILURE: "failure",
    CommitState.ERROR: "error",
    CommitState.SUPERSEDED: "error",
}
_DEPLOYED = {
    DeploymentState.RUNNING: "in_progress",
    DeploymentState.SUCCESS: "success",
    DeploymentState.FAILURE: "failure",
    DeploymentState.GONE: "inactive",
}


def headers(token: str) -> Mapping[str, str]:
    """What every request carries."""
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }


class GitHub:
    """Port `Forge` at GitHub."""

    def __init__(self, client: Client, address: Address) -> None:
        self._client = client
        self._address = address
        self._me: str | None = None

    def repository(self, url: str) -> str:
        """See `Forge`."""
        return self._address.repository(url)

    async def status(self, status: CommitStatus) -> None:
        """See `Forge`."""
        body: dict[str, Any] = {
            "state": _STATES[status.state],
            "context": status.context,
            "description": line(status.description, _LINE),
        }
        if target := web(status.target):
            body["target_url"] = target
        await self._ask(_STATUS, "POST", status.repository, "statuses", status.commit, body=body)

    async def deployment(self, deployment: Deployment, known: str = "") -> str:
        """See `Forge`. One that an earlier call made, and could not tell of any more, is found again."""
        repository = deployment.repository
        found = known or await self._deployment(deployment) or await self._new_deployment(deployment)
        body: dict[str, Any] = {
            "state": _DEPLOYED[deployment.state],
            "description": line(deployment.description, _LINE),
            "auto_inactive": True,
        }
        if url := web(deployment.url):
            body["environment_url"] = url
        await self._ask("deployment", "POST", repository, "deployments", found, "statuses", body=body)
        return found

    async def _deployment(self, deployment: Deployment) -> str:
        query = {"sha": deployment.commit, "environment": deployment.environment, "per_page": "1"}
        reply = await self._ask("deployment", "GET", deployment.repository, "deployments", query=query)
        found = reading.items(reply.data)
        return reading.name(found[0]) if found else ""

    async def _new_deployment(self, deployment: Deployment) -> str:
        body = {
            "ref": deployment.commit,
            "environment": deployment.environment,
            "description": line(deployment.description, _LINE),
            # What was pushed is put in place: neither merged with anything nor held by other statuses.
            "auto_merge": False,
            "required_contexts": [],
        }
        reply = await self._ask("deployment", "POST", deployment.repository, "deployments", body=body)
        return reading.name(reading.item(reply.data))

    async def open_pulls(self, repository: str, branch: str, limit: int) -> tuple[Pull, ...]:
        """See `Forge`."""
        query = {"state": "open", "base": branch, "sort": "updated", "direction": "desc"}
        found: list[Pull] = []
        for page in range(1, _MOST_PAGES + 1):
            paged = query | {"per_page": str(_PAGE), "page": str(page)}
            reply = await self._ask("pulls", "GET", repository, "pulls", query=paged)
            found += [pull for data in reading.items(reply.data) if (pull := _pull(data))]
            if len(found) >= limit or not reading.has_more(reply):
                break
        return tuple(found[:limit])

    async def comment(self, repository: str, number: int, marker: str, body: str, known: str = "") -> str:
        """See `Forge`."""
        return await comments.keep(self, repository, number, marker, body, known=known)

    async def me(self) -> str:
        """See `Comments`."""
        if self._me is None:
            self._me = await comments.me(self._user)
        return self._me

    async def listed(self, repository: str, number: int) -> list[Comment]:
        """See `Comments`."""
        found: list[Comment] = []
        for page in range(1, _MOST_PAGES + 1):
            query = {"per_page": str(_PAGE), "page": str(page)}
            path = ("issues", str(number), "comments")
            reply = await self._ask("comment", "GET", repository, *path, query=query)
            found += [_comment(data) for data in reading.items(reply.data)]
            if not reading.has_more(reply):
                break
        return found

    async def write(self, repository: str, number: int, body: str) -> str:
        """See `Comments`."""
        path = ("issues", str(number), "comments")
        reply = await self._ask("comment", "POST", repository, *path, body={"body": body})
        return reading.name(reading.item(reply.data))

    async def rewrite(self, repository: str, number: int, comment: str, body: str) -> None:
        """See `Comments`."""
        del number
        await self._ask("comment", "PATCH", repository, "issues", "comments", comment, body={"body": body})

    async def _user(self) -> object:
        return (await self._client.ask(Call("user", "GET", ("user",)))).data

    async def _ask(
        self,
        name: str,
        method: str,
        repository: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        whole = ("repos", *repository.split("/"), *path)
        return await self._client.ask(Call(name, method, whole, query or {}, body))


def _pull(data: Mapping[str, Any]) -> Pull | None:
    head, number = reading.item(data.get("head")), int(reading.name(data, "number"))
    commit = reading.commit(head.get("sha"))
    return Pull(number, commit, f"refs/pull/{number}/head") if commit else None


def _comment(data: Mapping[str, Any]) -> Comment:
    user = data.get("user")
    author = reading.item(user) if user else {}
    name = reading.name(author) if author else ""
    return Comment(reading.name(data), name, reading.text(data.get("body")), author.get("type") == "Bot")
