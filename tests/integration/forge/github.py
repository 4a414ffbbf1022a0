"""A server that speaks GitHub's REST API, version 2022-11-28, as far as OttO does.

Shapes: docs.github.com, "REST API endpoints for commit statuses", "… for deployments", "… for deployment
statuses", "… for pull requests", "… for issue comments", "… for users".
"""

import re
from typing import Any

from aiohttp import web
from tests.integration.forge.server import SOMEBODY, TOKEN, US, Field, ForgeServer, Refused, Seen

_LONGEST_BODY = 65_536
_MOST_STATUSES = 1000


class GitHubServer(ForgeServer):
    """GitHub. `app` makes the token one of an app, which is no user."""

    api = "/api/v3"
    app = False

    def authorize(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise Refused(401, "Bad credentials")
        if request.headers.get("Accept") != "application/vnd.github+json":
            raise Refused(415, "Unsupported 'Accept' header")
        if request.headers.get("X-GitHub-Api-Version") != "2022-11-28":
            raise Refused(400, "Unsupported API version")

    async def answer(self, seen: Seen) -> web.Response:
        if (seen.method, seen.path) == ("GET", "/user"):
            if self.app:
                raise Refused(403, "Resource not accessible by integration")
            return web.json_response({"id": US, "login": "otto", "type": "User"})
        inner = seen.path.removeprefix("/repos/acme/specs")
        if inner == seen.path:
            raise Refused(404, "Not Found")
        for method, pattern, answer in (
            ("POST", r"/statuses/([0-9a-f]{40})", self._status),
            ("GET", r"/deployments", self._deployments),
            ("POST", r"/deployments", self._deploy),
            ("POST", r"/deployments/(\d+)/statuses", self._deployed),
            ("GET", r"/pulls", self._pulls),
            ("GET", r"/issues/(\d+)/comments", self._comments),
            ("POST", r"/issues/(\d+)/comments", self._write),
            ("PATCH", r"/issues/comments/(\d+)", self._rewrite),
        ):
            found = re.fullmatch(pattern, inner)
            if found and method == seen.method:
                return answer(seen, *found.groups())
        raise Refused(404, "Not Found")

    def _status(self, seen: Seen, sha: str) -> web.Response:
        if sha not in self.commits:
            raise Refused(422, f"No commit found for SHA: {sha}")
        body = self.check(
            seen.body,
            state=Field(required=True, allowed=("error", "failure", "pending", "success")),
            target_url=Field(),
            description=Field(longest=140),
            context=Field(longest=255),
        )
        same = [s for s in self.statuses if (s["sha"], s["context"]) == (sha, body["context"])]
        if len(same) >= _MOST_STATUSES:
            raise Refused(422, "Validation Failed")
        if not body.get("target_url", "https://").startswith(("http://", "https://")):
            raise Refused(422, "target_url must use http(s) scheme")
        self.statuses.append(body | {"sha": sha})
        return web.json_response({"id": self.id(), **body}, status=201)

    def _deployments(self, seen: Seen) -> web.Response:
        self.asked(seen.query, "sha", "ref", "task", "environment", "per_page", "page")
        wanted = {key: seen.query[key] for key in ("sha", "environment") if key in seen.query}
        found = [
            one
            for one in reversed(self.deployments.values())
            if all(one[key] == value for key, value in wanted.items())
        ]
        return self.page(seen, found, "per_page")

    def _deploy(self, seen: Seen) -> web.Response:
        body = self.check(
            seen.body,
            ref=Field(required=True),
            task=Field(),
            auto_merge=Field(bool),
            required_contexts=Field((list, type(None))),
            payload=Field((dict, str)),
            environment=Field(),
            description=Field((str, type(None))),
            transient_environment=Field(bool),
            production_environment=Field(bool),
        )
        if body["ref"] not in self.commits:
            raise Refused(422, f"No ref found for: {body['ref']}")
        if body.get("auto_merge", True) or body.get("required_contexts") != []:
            raise Refused(409, "Conflict: Commit status checks failed for main.")
        made: dict[str, Any] = {"id": self.id(), "sha": body["ref"], "task": "deploy", **body, "states": []}
        self.deployments[made["id"]] = made
        return web.json_response(made, status=201)

    def _deployed(self, seen: Seen, number: str) -> web.Response:
        if int(number) not in self.deployments:
            raise Refused(404, "Not Found")
        states = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
        body = self.check(
            seen.body,
            state=Field(required=True, allowed=states),
            target_url=Field(),
            log_url=Field(),
            description=Field(longest=140),
            environment=Field(),
            environment_url=Field(),
            auto_inactive=Field(bool),
        )
        self.deployments[int(number)]["states"].append(body)
        return web.json_response({"id": self.id(), **body}, status=201)

    def pull(self, number: int, head: str, base: str = "main") -> None:
        """Open a pull request."""
        self.pulls.append(
            {"number": number, "state": "open", "head": {"sha": head, "ref": "x"}, "base": {"ref": base}}
        )

    def _pulls(self, seen: Seen) -> web.Response:
        self.asked(seen.query, "state", "head", "base", "sort", "direction", "per_page", "page")
        found = [p for p in self.pulls if p["base"]["ref"] == seen.query.get("base", p["base"]["ref"])]
        return self.page(seen, found, "per_page")

    def remark(self, number: int, body: str, author: int = SOMEBODY, kind: str = "User") -> int:
        """Have somebody write a comment."""
        made: dict[str, Any] = {
            "id": self.id(),
            "issue": number,
            "body": body,
            "user": {"id": author, "type": kind},
        }
        self.comments[made["id"]] = made
        return int(made["id"])

    def _comments(self, seen: Seen, number: str) -> web.Response:
        self.asked(seen.query, "since", "per_page", "page")
        found = [one for one in self.comments.values() if one["issue"] == int(number)]
        return self.page(seen, found, "per_page")

    def _write(self, seen: Seen, number: str) -> web.Response:
        body = self.check(seen.body, body=Field(required=True, longest=_LONGEST_BODY))
        made = self.remark(int(number), body["body"], 99 if self.app else US, "Bot" if self.app else "User")
        return web.json_response(self.comments[made], status=201)

    def _rewrite(self, seen: Seen, comment: str) -> web.Response:
        there: dict[str, Any] | None = self.comments.get(int(comment))
        if there is None:
            raise Refused(404, "Not Found")
        body = self.check(seen.body, body=Field(required=True, longest=_LONGEST_BODY))
        there["body"] = body["body"]
        return web.json_response(there)
