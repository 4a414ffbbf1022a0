"""Webhooks: what forges deliver is checked here, and handed on; nothing waits for what comes of it."""

import asyncio
import http
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from otto.api import answers
from otto.api.problems import Kind, problem
from otto.api.seen import Seen
from otto.decide import webhooks
from otto.model.delivery import Delivery, DeliveryKind, Sender
from otto.model.errors import UsageError

log = structlog.get_logger("otto.webhook")

PATHS = frozenset(f"/hooks/{sender.value}" for sender in Sender)
"""Where deliveries may be posted to; nothing else may be posted."""

_AT_ONCE = 64  # bodies read at once, of whoever it may be; the others wait for their turn
_TELL = 60.0  # seconds between two words on refused deliveries of one sender
_FORM = "application/x-www-form-urlencoded"
_FORMS = frozenset({Sender.GITHUB, Sender.GITEA})  # who sends such; curl calls JSON that, too


class Desk(Protocol):
    """Handed in by whoever runs the controller; called from the API's thread, and answers at once."""

    def followed(self) -> Mapping[str, frozenset[str]] | None:
        """Normalised address -> refs that something follows there; None while the controller starts."""

    def take(self, delivery: Delivery) -> bool:
        """Take in a delivery; whether somebody is there to act on it."""

    def refused(self, sender: str, count: int, why: str, client: str) -> bool:
        """Have the audit record say that deliveries were refused."""


class Counted(Protocol):
    """Counts deliveries."""

    def delivered(self, sender: str, result: str, seconds: float) -> None:
        """Count one by what became of it."""


@dataclass(frozen=True, slots=True)
class HookOptions:
    """How deliveries are checked.

    Attributes:
        secrets: those that are valid; none means that webhooks are off.
        longest: most bytes of a body.
        window: seconds by which the time in a generic delivery may be off.
        seen: file that remembers deliveries over restarts, None for none.
    """

    secrets: tuple[bytes, ...] = field(default=(), repr=False)
    longest: int = 1 << 20
    window: float = 300.0
    seen: Path | None = None


class RefusedError(Exception):
    """A delivery is not taken: how that is counted, and what is answered."""

    def __init__(self, result: str, status: http.HTTPStatus, detail: str) -> None:
        super().__init__(detail)
        self.result = result
        self.status = status
        self.detail = detail


class Hooks:
    """Checks deliveries and hands them on.

    Args:
        desk: takes them.
        options: how they are checked.
        counted: counts them.
        now: the time of day, in UTC.
        monotonic: seconds that never go back.
    """

    def __init__(
        self,
        desk: Desk,
        options: HookOptions,
        counted: Counted,
        now: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._desk = desk
        self._options = options
        self._counted = counted
        self._now = now
        self._monotonic = monotonic
        self._seen = Seen(now, options.seen)
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._told: dict[Sender, float] = {}
        self._untold: dict[Sender, int] = {}

    async def answer(self, sender: Sender, request: Request) -> Response:
        """Answer one delivery."""
        began = self._monotonic()
        try:
            result, answer = await self._take(sender, request)
        except RefusedError as refusal:
            result, answer = refusal.result, problem(refusal.status, refusal.detail)
            self._tell(sender, refusal, request)
        answer.headers["cache-control"] = "no-store"
        self._counted.delivered(sender.value, result, self._monotonic() - began)
        return answer

    async def _take(self, sender: Sender, request: Request) -> tuple[str, Response]:
        options = self._options
        if not options.secrets:
            raise RefusedError("off", http.HTTPStatus.NOT_FOUND, "webhooks are off: hooks.secret is not set")
        async with self._room:
            body = await self._body(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        if not webhooks.is_signed(
            sender, headers, body, options.secrets, now=self._now(), window=options.window
        ):
            # RFC 9110 wants a challenge; there is no scheme that a forge would understand.
            raise RefusedError(
                "unsigned", http.HTTPStatus.UNAUTHORIZED, "the delivery is not signed with our secret"
            )
        followed = self._desk.followed()
        if followed is None:
            raise RefusedError("starting", http.HTTPStatus.SERVICE_UNAVAILABLE, "the controller is starting")
        known = webhooks.identities(sender, headers, body)
        if self._seen.any(known):
            raise RefusedError("replayed", http.HTTPStatus.CONFLICT, "this delivery came before")
        delivery = self._read(sender, headers, body)
        if not self._wanted(delivery, followed):
            return "ignored", JSONResponse({"status": "ignored"})
        if not self._desk.take(delivery):
            raise RefusedError(
                "starting", http.HTTPStatus.SERVICE_UNAVAILABLE, "the controller is not at work"
            )
        self._seen.add(known)
        return "accepted", JSONResponse({"status": "queued"}, http.HTTPStatus.ACCEPTED)

    async def _body(self, request: Request) -> bytes:
        """The body, read no further than it may be long.

        Raises:
            RefusedError: it is longer.
        """
        longest = self._options.longest
        told = request.headers.get("content-length", "")
        too_long = RefusedError(
            "too-large", http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a delivery may have {longest} bytes"
        )
        if told.isascii() and told.isdigit() and int(told[:20]) > longest:
            raise too_long
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > longest:
                raise too_long
        return bytes(body)

    def _read(self, sender: Sender, headers: Mapping[str, str], body: bytes) -> Delivery:
        try:
            payload = _payload(headers, body) if sender in _FORMS else body
            return webhooks.read(sender, headers, payload)
        except UsageError as error:
            raise RefusedError("malformed", http.HTTPStatus.BAD_REQUEST, str(error)) from error

    def _wanted(self, delivery: Delivery, followed: Mapping[str, frozenset[str]]) -> bool:
        """Whether anything comes of it.

        Raises:
            RefusedError: nobody here knows the repository.
        """
        if delivery.kind in (DeliveryKind.PING, DeliveryKind.OTHER):
            return False
        refs = [followed[address] for address in delivery.repositories if address in followed]
        if not refs:
            detail = "no site, and not the spec repository, is at that address"
            raise RefusedError("unknown", http.HTTPStatus.NOT_FOUND, detail)
        return delivery.kind is DeliveryKind.PULL or any(delivery.ref in known for known in refs)

    def _tell(self, sender: Sender, refusal: RefusedError, request: Request) -> None:
        """Log a refusal; many of them now and then, with their number. Who has no secret is on record."""
        now, count = self._monotonic(), self._untold.get(sender, 0) + 1
        self._untold[sender] = count
        last = self._told.get(sender)
        if last is not None and now - last < _TELL:
            return
        self._told[sender], self._untold[sender] = now, 0
        client = request.client.host if request.client else ""
        log.warning(
            "webhook.refused",
            sender=sender.value,
            result=refusal.result,
            count=count,
            client=client,
            reason=refusal.detail,
        )
        if refusal.result in ("unsigned", "replayed"):
            self._desk.refused(sender.value, count, refusal.detail, client)


def install(app: FastAPI, hooks: Hooks) -> None:
    """Add the webhooks' routes to an application."""
    for sender in Sender:
        app.add_api_route(
            f"/hooks/{sender.value}",
            _endpoint(hooks, sender),
            methods=["POST"],
            status_code=http.HTTPStatus.ACCEPTED,
            summary=f"Take in a delivery, signed as {_NAMES[sender]}",
            name=f"hook_{sender.value}",
            tags=["webhooks"],
            responses=_RESPONSES,
            response_class=JSONResponse,
            openapi_extra={"requestBody": _BODY},
        )


_RESPONSES: answers.Responses = {
    http.HTTPStatus.ACCEPTED: {
        "description": "It is acted on, shortly",
        "content": {answers.JSON: {"schema": {"type": "object"}}},
    },
    http.HTTPStatus.OK: {
        "description": "Nothing comes of it",
        "content": {answers.JSON: {"schema": {"type": "object"}}},
    },
    **answers.problems(
        Kind.MALFORMED,
        Kind.UNAUTHENTICATED,
        Kind.NOT_FOUND,
        Kind.CONFLICT,
        Kind.TOO_LARGE,
        Kind.TOO_MANY,
        Kind.UNAVAILABLE,
    ),
}
_BODY = {
    "description": "The delivery, as whoever sends it describes it.",
    "content": {answers.JSON: {"schema": {"type": "object"}}},
    "required": True,
}
_NAMES = {
    Sender.GITHUB: "GitHub signs it (X-Hub-Signature-256)",
    Sender.GITLAB: "GitLab does (X-Gitlab-Token)",
    Sender.GITEA: "Gitea and Forgejo sign it (X-Gitea-Signature, X-Forgejo-Signature)",
    Sender.GENERIC: "anybody can (X-OttO-Timestamp, X-OttO-Signature)",
}


def _endpoint(hooks: Hooks, sender: Sender) -> Callable[[Request], "object"]:
    async def deliver(request: Request) -> Response:
        return await hooks.answer(sender, request)

    return deliver


def _payload(headers: Mapping[str, str], body: bytes) -> bytes:
    """The JSON of a delivery, out of a form if it is one: GitHub's and Gitea's other content type."""
    if not headers.get("content-type", "").lower().startswith(_FORM):
        return body
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=10)
    except ValueError as error:
        raise UsageError("the delivery is a form that cannot be read") from error
    return fields.get("payload", [""])[0].encode()
