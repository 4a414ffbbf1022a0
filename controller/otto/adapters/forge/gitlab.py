"""GitLab, hosted or one's own (https://docs.gitlab.com/api/, version 4)."""

from collections.abc import Mapping
from typing import Any

from otto.adapters.forge import comments, reading
from otto.adapters.forge.address import Address
from otto.adapters.forge.answer import RefusalError, Reply
from otto.adapters.forge.client import Call, Client
from otto.adapters.forge.comments import Comment
from otto.adapters.forge.words import line, web
from otto.model.forge import CommitState, CommitStatus, Deployment, DeploymentState, Pull

_LINE = 255
_PAGE, _MOST_PAGES = 50, 20
_BAD = 400
_STATES = {
    CommitState.PENDING: "pending",
    CommitState.SUCCESS: "success",
    CommitState.FAILURE: "failed",
    CommitState.ERROR: "failed",
    CommitState.SUPERSEDED: "canceled",
}
_DEPLOYED = {
    DeploymentState.RUNNING: "running",
    DeploymentState.SUCCESS: "success",
    DeploymentState.FAILURE: "failed",
}


def headers(token: str) -> Mapping[str, str]:
    """What every request carries: this header takes personal, group and project tokens."""
    return {"PRIVATE-TOKEN": token, "Accept": "application/json"}


class GitLab:
    """Port `Forge` at GitLab."""

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
            "name": status.context,
            "description": line(status.description, _LINE),
        }
        if target := web(status.target):
            body["target_url"] = target
        if status.ref:
            body["ref"] = status.ref
        await self._settled("status", "POST", status.repository, "statuses", status.commit, body=body)

    async def deployment(self, deployment: Deployment, known: str = "") -> str:
        """See `Forge`. The address of the site is kept by the environment, which is made first."""
        repository = deployment.repository
        environment = await self._environment(deployment)
        if deployment.state is DeploymentState.GONE:
            await self._settled("deployment", "POST", repository, "environments", environment, "stop")
            return known
        state = {"status": _DEPLOYED[deployment.state]}
        if found := known or await self._deployment(deployment):
            await self._settled("deployment", "PUT", repository, "deployments", found, body=state)
            return found
        about = {"environment": deployment.environment, "sha": deployment.commit, "ref": deployment.ref}
        body = {**about, "tag": False, **state}
        reply = await self._ask("deployment", "POST", repository, "deployments", body=body)
        return reading.name(reading.item(reply.data))

    async def _environment(self, deployment: Deployment) -> str:
        """Id of the site's environment, with the site's address."""
        repository, name, url = deployment.repository, deployment.environment, web(deployment.url)
        reply = await self._ask("deployment", "GET", repository, "environments", query={"name": name})
        found = [data for data in reading.items(reply.data) if data.get("name") == name]
        if not found:
            body = {"name": name, **({"external_url": url} if url else {})}
            made = await self._ask("deployment", "POST", repository, "environments", body=body)
            return reading.name(reading.item(made.data))
        there = reading.name(found[0])
        if url and found[0].get("external_url") != url:
            body = {"external_url": url}
            await self._ask("deployment", "PUT", repository, "environments", there, body=body)
        return there

    async def _deployment(self, deployment: Deployment) -> str:
        """One that an earlier call made and could not tell of any more."""
        query = {
            "environment": deployment.environment,
            "order_by": "id",
            "sort": "desc",
            "per_page": str(_PAGE),
        }
        reply = await self._ask("deployment", "GET", deployment.repository, "deployments", query=query)
        for data in reading.items(reply.data):
            if data.get("sha") == deployment.commit:
                return reading.name(data)
        return ""

    async def open_pulls(self, repository: str, branch: str, limit: int) -> tuple[Pull, ...]:
        """See `Forge`."""
        query = {"state": "opened", "target_branch": branch, "order_by": "updated_at", "sort": "desc"}
        found: list[Pull] = []
        for page in range(1, _MOST_PAGES + 1):
            paged = query | {"per_page": str(_PAGE), "page": str(page)}
            reply = await self._ask("pulls", "GET", repository, "merge_requests", query=paged)
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
            query = {"sort": "asc", "order_by": "created_at", "per_page": str(_PAGE), "page": str(page)}
            path = ("merge_requests", str(number), "notes")
            reply = await self._ask("comment", "GET", repository, *path, query=query)
            found += [_comment(data) for data in reading.items(reply.data) if not data.get("system")]
            if not reading.has_more(reply):
                break
        return found

    async def write(self, repository: str, number: int, body: str) -> str:
        """See `Comments`."""
        path = ("merge_requests", str(number), "notes")
        reply = await self._ask("comment", "POST", repository, *path, body={"body": body})
        return reading.name(reading.item(reply.data))

    async def rewrite(self, repository: str, number: int, comment: str, body: str) -> None:
        """See `Comments`."""
        path = ("merge_requests", str(number), "notes", comment)
        await self._ask("comment", "PUT", repository, *path, body={"body": body})

    async def _user(self) -> object:
        return (await self._client.ask(Call("user", "GET", ("user",)))).data

    async def _settled(
        self,
        name: str,
        method: str,
        repository: str,
        *path: str,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """Ask for a state; that it is there already, which many versions call an error, is well."""
        try:
            await self._ask(name, method, repository, *path, body=body)
        except RefusalError as error:
            if error.status != _BAD or "cannot transition" not in error.said.lower():
                raise

    async def _ask(
        self,
        name: str,
        method: str,
        repository: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        # A project is named by its whole path, as one part of the address.
        return await self._client.ask(Call(name, method, ("projects", repository, *path), query or {}, body))


def _pull(data: Mapping[str, Any]) -> Pull | None:
    commit, number = reading.commit(data.get("sha")), int(reading.name(data, "iid"))
    return Pull(number, commit, f"refs/merge-requests/{number}/head") if commit else None


def _comment(data: Mapping[str, Any]) -> Comment:
    author = data.get("author")
    name = reading.name(reading.item(author)) if author else ""
    return Comment(reading.name(data), name, reading.text(data.get("body")))
