"""Gitea and Forgejo, which speak the same API (https://docs.gitea.com/api). It has no deployments."""

from collections.abc import Mapping
from typing import Any

from otto.adapters.forge import comments, reading
from otto.adapters.forge.address import Address
from otto.adapters.forge.answer import Reply
from otto.adapters.forge.client import Call, Client
from otto.adapters.forge.comments import Comment
from otto.adapters.forge.words import line, web
from otto.model.forge import CommitState, CommitStatus, Deployment, Pull

_LINE = 255
_PAGE, _MOST_PAGES = 50, 20
_STATES = {
    CommitState.PENDING: "pending",
    CommitState.SUCCESS: "success",
    CommitState.FAILURE: "failure",
    CommitState.ERROR: "error",
    CommitState.SUPERSEDED: "error",
}


def headers(token: str) -> Mapping[str, str]:
    """What every request carries."""
    return {"Authorization": f"token {token}", "Accept": "application/json"}


class Gitea:
    """Port `Forge` at Gitea and Forgejo."""

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
        await self._ask("status", "POST", status.repository, "statuses", status.commit, body=body)

    async def deployment(self, deployment: Deployment, known: str = "") -> str:
        """Nothing: there is no such record here; the commit's status says it all."""
        del deployment, known
        return ""

    async def open_pulls(self, repository: str, branch: str, limit: int) -> tuple[Pull, ...]:
        """See `Forge`. The API lists those of all branches."""
        found: list[Pull] = []
        for page in range(1, _MOST_PAGES + 1):
            query = {"state": "open", "sort": "recentupdate", "limit": str(_PAGE), "page": str(page)}
            reply = await self._ask("pulls", "GET", repository, "pulls", query=query)
            listed = reading.items(reply.data)
            found += [pull for data in listed if (pull := _pull(data, branch))]
            if len(found) >= limit or not listed or not reading.has_more(reply):
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
        """See `Comments`. The API gives all comments of an issue at once."""
        reply = await self._ask("comment", "GET", repository, "issues", str(number), "comments")
        return [_comment(data) for data in reading.items(reply.data)]

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


def _pull(data: Mapping[str, Any], branch: str) -> Pull | None:
    head, base = reading.item(data.get("head")), reading.item(data.get("base"))
    commit, number = reading.commit(head.get("sha")), int(reading.name(data, "number"))
    wanted = bool(commit) and base.get("ref") == branch
    return Pull(number, commit, f"refs/pull/{number}/head") if wanted else None


def _comment(data: Mapping[str, Any]) -> Comment:
    user = data.get("user")
    author = reading.name(reading.item(user)) if user else ""
    return Comment(reading.name(data), author, reading.text(data.get("body")))
