"""A server that speaks GitLab's REST API, version 4, as far as OttO does.

Shapes: docs.gitlab.com/api, "Commits API" (statuses), "Deployments API", "Environments API", "Merge requests
API", "Notes API". A state that is there already is an error, as it was before GitLab 18.
"""

import re
from typing import Any

from aiohttp import web
from tests.integration.forge.server import SOMEBODY, TOKEN, US, Field, ForgeServer, Refused, Seen

_STATES = ("pending", "running", "success", "failed", "canceled", "skipped")
_LONGEST_NOTE = 1_000_000


class GitLabServer(ForgeServer):
    """GitLab."""

    api = "/api/v4"
    unprocessable = 400

    def __init__(self) -> None:
        super().__init__()
        self.environments: dict[int, dict[str, Any]] = {}

    def authorize(self, request: web.Request) -> None:
        if request.headers.get("PRIVATE-TOKEN") != TOKEN:
            raise Refused(401, "401 Unauthorized")

    async def answer(self, seen: Seen) -> web.Response:
        if (seen.method, seen.path) == ("GET", "/user"):
            return web.json_response({"id": US, "username": "otto"})
        inner = seen.path.removeprefix("/projects/acme%2Fspecs")
        if inner == seen.path:
            raise Refused(404, "404 Project Not Found")
        for method, pattern, answer in (
            ("POST", r"/statuses/([0-9a-f]{40})", self._status),
            ("GET", r"/environments", self._environments),
            ("POST", r"/environments", self._environment),
            ("PUT", r"/environments/(\d+)", self._environment_url),
            ("POST", r"/environments/(\d+)/stop", self._stop),
            ("GET", r"/deployments", self._deployments),
            ("POST", r"/deployments", self._deploy),
            ("PUT", r"/deployments/(\d+)", self._deployed),
            ("GET", r"/merge_requests", self._pulls),
            ("GET", r"/merge_requests/(\d+)/notes", self._comments),
            ("POST", r"/merge_requests/(\d+)/notes", self._write),
            ("PUT", r"/merge_requests/(\d+)/notes/(\d+)", self._rewrite),
        ):
            found = re.fullmatch(pattern, inner)
            if found and method == seen.method:
                return answer(seen, *found.groups())
        raise Refused(404, "404 Not Found")

    def _status(self, seen: Seen, sha: str) -> web.Response:
        if sha not in self.commits:
            raise Refused(404, "404 Commit Not Found")
        body = self.check(
            seen.body,
            state=Field(required=True, allowed=_STATES),
            ref=Field(),
            name=Field(),
            context=Field(),
            target_url=Field(longest=255),
            description=Field(longest=255),
            coverage=Field(float),
            pipeline_id=Field(int),
        )
        last = [s["state"] for s in self.statuses if (s["sha"], s["name"]) == (sha, body["name"])][-1:]
        if last == [body["state"]]:
            state = body["state"]
            raise Refused(400, f"Cannot transition status via :enqueue from :{state} (Reason(s): no)")
        self.statuses.append(body | {"sha": sha})
        return web.json_response({"id": self.id(), **body}, status=201)

    def _environments(self, seen: Seen) -> web.Response:
        self.asked(seen.query, "name", "search", "states", "per_page", "page")
        found = [e for e in self.environments.values() if e["name"] == seen.query.get("name", e["name"])]
        return self.page(seen, found, "per_page")

    def _environment(self, seen: Seen) -> web.Response:
        body = self.check(seen.body, name=Field(required=True), external_url=Field(), tier=Field())
        made: dict[str, Any] = {"id": self.id(), "state": "available", "external_url": None, **body}
        self.environments[made["id"]] = made
        return web.json_response(made, status=201)

    def _environment_url(self, seen: Seen, number: str) -> web.Response:
        body = self.check(seen.body, external_url=Field(), tier=Field())
        self.environments[int(number)].update(body)
        return web.json_response(self.environments[int(number)])

    def _stop(self, seen: Seen, number: str) -> web.Response:
        if seen.body is not None:
            self.check(seen.body, force=Field(bool))
        self.environments[int(number)]["state"] = "stopped"
        return web.json_response(self.environments[int(number)])

    def _deployments(self, seen: Seen) -> web.Response:
        known = ("order_by", "sort", "environment", "status", "updated_after", "per_page", "page")
        self.asked(seen.query, *known)
        found = [
            one
            for one in reversed(self.deployments.values())
            if one["environment"] == seen.query.get("environment", one["environment"])
        ]
        return self.page(seen, found, "per_page")

    def _deploy(self, seen: Seen) -> web.Response:
        body = self.check(
            seen.body,
            environment=Field(required=True),
            sha=Field(required=True),
            ref=Field(required=True),
            tag=Field(bool, required=True),
            status=Field(required=True, allowed=("running", "success", "failed", "canceled")),
        )
        made: dict[str, Any] = {"id": self.id(), **body, "states": [body["status"]]}
        self.deployments[made["id"]] = made
        return web.json_response(made, status=201)

    def _deployed(self, seen: Seen, number: str) -> web.Response:
        body = self.check(
            seen.body,
            status=Field(required=True, allowed=("running", "success", "failed", "canceled")),
        )
        one = self.deployments[int(number)]
        if one["status"] == body["status"]:
            raise Refused(400, f"Cannot transition status via :run from :{body['status']}")
        one["status"] = body["status"]
        one["states"].append(body["status"])
        return web.json_response(one)

    def pull(self, number: int, head: str, base: str = "main") -> None:
        """Open a merge request."""
        self.pulls.append({"id": self.id(), "iid": number, "sha": head, "target_branch": base})

    def _pulls(self, seen: Seen) -> web.Response:
        self.asked(seen.query, "state", "target_branch", "order_by", "sort", "per_page", "page")
        if seen.query.get("state") not in ("opened", "closed", "locked", "merged"):
            raise Refused(400, "state does not have a valid value")
        wanted = seen.query.get("target_branch")
        return self.page(seen, [p for p in self.pulls if wanted in (None, p["target_branch"])], "per_page")

    def remark(self, number: int, body: str, author: int = SOMEBODY, *, system: bool = False) -> int:
        """Have somebody write a note."""
        made: dict[str, Any] = {
            "id": self.id(),
            "mr": number,
            "body": body,
            "system": system,
            "author": {"id": author},
        }
        self.comments[made["id"]] = made
        return int(made["id"])

    def _comments(self, seen: Seen, number: str) -> web.Response:
        self.asked(seen.query, "sort", "order_by", "per_page", "page")
        return self.page(seen, [c for c in self.comments.values() if c["mr"] == int(number)], "per_page")

    def _write(self, seen: Seen, number: str) -> web.Response:
        body = self.check(
            seen.body,
            body=Field(required=True, longest=_LONGEST_NOTE),
            created_at=Field(),
            internal=Field(bool),
        )
        return web.json_response(self.comments[self.remark(int(number), body["body"], US)], status=201)

    def _rewrite(self, seen: Seen, number: str, comment: str) -> web.Response:
        there: dict[str, Any] | None = self.comments.get(int(comment))
        if there is None or there["mr"] != int(number):
            raise Refused(404, "404 Not found")
        body = self.check(seen.body, body=Field(required=True, longest=_LONGEST_NOTE))
        there["body"] = body["body"]
        return web.json_response(there)
