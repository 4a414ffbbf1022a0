"""A server that speaks the API of Gitea and Forgejo, as far as OttO does (docs.gitea.com/api, swagger)."""

import re
from typing import Any

from aiohttp import web
from tests.integration.forge.server import SOMEBODY, TOKEN, US, Field, ForgeServer, Refused, Seen


class GiteaServer(ForgeServer):
    """Gitea."""

    api = "/api/v1"

    def authorize(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"token {TOKEN}":
            raise Refused(401, "token is required")

    async def answer(self, seen: Seen) -> web.Response:
        if (seen.method, seen.path) == ("GET", "/user"):
            return web.json_response({"id": US, "login": "otto"})
        inner = seen.path.removeprefix("/repos/acme/specs")
        if inner == seen.path:
            raise Refused(404, "The target couldn't be found.")
        for method, pattern, answer in (
            ("POST", r"/statuses/([0-9a-f]{40})", self._status),
            ("GET", r"/pulls", self._pulls),
            ("GET", r"/issues/(\d+)/comments", self._comments),
            ("POST", r"/issues/(\d+)/comments", self._write),
            ("PATCH", r"/issues/comments/(\d+)", self._rewrite),
        ):
            found = re.fullmatch(pattern, inner)
            if found and method == seen.method:
                return answer(seen, *found.groups())
        raise Refused(404, "The target couldn't be found.")

    def _status(self, seen: Seen, sha: str) -> web.Response:
        if sha not in self.commits:
            raise Refused(404, "object does not exist")
        body = self.check(
            seen.body,
            state=Field(required=True, allowed=("pending", "success", "error", "failure", "warning")),
            target_url=Field(),
            description=Field(),
            context=Field(),
        )
        self.statuses.append(body | {"sha": sha})
        return web.json_response({"id": self.id(), **body}, status=201)

    def pull(self, number: int, head: str, base: str = "main") -> None:
        """Open a pull request."""
        self.pulls.append({"number": number, "head": {"sha": head, "ref": "x"}, "base": {"ref": base}})

    def _pulls(self, seen: Seen) -> web.Response:
        self.asked(seen.query, "state", "sort", "milestone", "labels", "page", "limit")
        if seen.query.get("sort", "oldest") not in ("oldest", "recentupdate", "leastupdate", "priority"):
            raise Refused(422, "no such order")
        return self.page(seen, self.pulls, "limit", most=50)

    def remark(self, number: int, body: str, author: int = SOMEBODY) -> int:
        """Have somebody write a comment."""
        made: dict[str, Any] = {"id": self.id(), "issue": number, "body": body, "user": {"id": author}}
        self.comments[made["id"]] = made
        return int(made["id"])

    def _comments(self, seen: Seen, number: str) -> web.Response:
        self.asked(seen.query, "since", "before")
        return web.json_response([c for c in self.comments.values() if c["issue"] == int(number)])

    def _write(self, seen: Seen, number: str) -> web.Response:
        body = self.check(seen.body, body=Field(required=True), updated_at=Field())
        return web.json_response(self.comments[self.remark(int(number), body["body"], US)], status=201)

    def _rewrite(self, seen: Seen, comment: str) -> web.Response:
        there: dict[str, Any] | None = self.comments.get(int(comment))
        if there is None:
            raise Refused(404, "The target couldn't be found.")
        there["body"] = self.check(seen.body, body=Field(required=True), updated_at=Field())["body"]
        return web.json_response(there)
