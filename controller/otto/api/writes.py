"""What all routes that write have in common: how a write is asked for, and what comes of it."""

import contextlib
import http
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import Depends, Header, Query, Request, Response

from otto.api import answers, etags, problems, requestid
from otto.api.access import Writer
from otto.api.answers import Responses
from otto.api.etags import quoted
from otto.api.inside import Inside, Within
from otto.api.problems import Kind, ProblemError
from otto.api.schemas import ref
from otto.decide import withheld
from otto.decide.documents import plan_document
from otto.decide.plandata import verdict_data
from otto.decide.preview import SitePreview
from otto.model.caller import Caller
from otto.model.document import Document, Written
from otto.model.document import Kind as Kinds
from otto.model.errors import TerminalError, UsageError
from otto.model.problem import Problem
from otto.model.writing import InvalidError, NotAllowedError, NotThereError, Order, Precondition, TakenError
from otto.reconcile.stores.stores import Asked, Foreseen, Stores

_SECONDS = 150.0  # for a write: fetching from a remote, and pushing to it, with others before it
_PLAN = 180.0
_WAIT = 60.0
_LONGEST_WAIT = 600.0
_SHOWN = 50  # problems of one refusal
_PATHS = {Kinds.SITE: "/site", Kinds.HOST: "/inv", Kinds.DOMAIN: "/dom"}


class Until(StrEnum):
    """What an answer may wait for."""

    READY = "ready"


@dataclass(frozen=True, slots=True)
class Wish:
    """How a write is asked for.

    Attributes:
        request: the request.
        inside: the house.
        caller: who asks.
        dry_run: whether only the plan is wanted.
        wait: seconds to wait until it is so, None for not at all.
        reason: why, in the caller's words.
        match: the header `If-Match`.
    """

    request: Request
    inside: Inside
    caller: Caller
    dry_run: bool
    wait: float | None
    reason: str
    match: str | None

    def asked(self, *, needed: bool) -> Asked:
        """The same for the stores; `needed` says whether `If-Match` has to be there."""
        precondition = _precondition(self.match, needed=needed)
        if needed and self.match is None:
            precondition(None)
        return Asked(self.caller, self.reason, requestid.current(), precondition)

    @property
    def stores(self) -> Stores:
        """The stores.

        Raises:
            ProblemError: CONFLICT: this controller cannot write.
        """
        return stores_of(self.inside)


def stores_of(inside: Inside) -> Stores:
    """The stores; of the controller's event loop.

    Raises:
        ProblemError: CONFLICT: this controller has none.
    """
    if inside.controller.stores is None:
        raise ProblemError(Kind.CONFLICT, "this controller cannot write to its repository")
    return inside.controller.stores


@dataclass(frozen=True, slots=True)
class _How:
    dry_run: bool
    wait: float | None


def _how(
    dry_run: Annotated[
        bool, Query(description="Tell what it would do, and do nothing of it: no commit is made.")
    ] = False,
    wait: Annotated[
        Until | None, Query(description="Answer when what was written is so; 202 when that takes too long.")
    ] = None,
    seconds: Annotated[
        float, Query(alias="timeout", ge=0, le=_LONGEST_WAIT, description="Seconds to wait at most.")
    ] = _WAIT,
) -> _How:
    return _How(dry_run, seconds if wait else None)


@dataclass(frozen=True, slots=True)
class _Why:
    reason: str
    match: str | None


def _why(
    reason: Annotated[
        str,
        Header(
            alias="X-Reason",
            max_length=2000,
            description="Why, for the commit and the audit record; percent-encoded beyond ASCII.",
        ),
    ] = "",
    match: Annotated[
        str | None, Header(alias="If-Match", description="The `ETag` of the version that is meant.")
    ] = None,
) -> _Why:
    return _Why(_words(reason), match)


def _wish(
    request: Request,
    inside: Within,
    caller: Writer,
    how: Annotated[_How, Depends(_how)],
    why: Annotated[_Why, Depends(_why)],
) -> Wish:
    return Wish(request, inside, caller, how.dry_run, how.wait, why.reason, why.match)


Wanted = Annotated[Wish, Depends(_wish)]
"""The parameter of a route that writes: who asks (who needs the scope `write`), and how."""


def _words(header: str) -> str:
    """A header's text: as it is sent it holds bytes, which are UTF-8 if they are anything."""
    try:
        text = header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        text = header
    return unquote(text, errors="replace")


def _precondition(given: str | None, *, needed: bool) -> Precondition:
    def look(present: str | None) -> None:
        if needed or given is not None:
            etags.require_match(given, quoted(present) if present else None, needed=needed)

    return look


async def carry_out(wish: Wish, order: Order) -> Response:
    """Carry out a write, or tell what it would do; the answer."""
    try:
        return await (_foreseen(wish, order) if wish.dry_run else _written(wish, order))
    except UsageError as error:
        raise refused(error) from error
    except TerminalError as error:
        # What is demanded of commits, or the remote, will not have it: a matter of how things are.
        raise ProblemError(Kind.CONFLICT, error.message, mend=error.mend) from error


async def _written(wish: Wish, order: Order) -> Response:
    stores, bridge = wish.stores, wish.inside.bridge
    with _counted(wish.inside, order) as came:
        written = await bridge.run(stores.write(order), _SECONDS)
        came.append("committed" if written.changed else "unchanged")
    ready = None
    if wish.wait is not None:
        ready = await bridge.run(stores.ready(order, written, wish.wait), wish.wait + _SECONDS)
    return _answer(order, written, ready)


@contextlib.contextmanager
def _counted(inside: Inside, order: Order) -> Iterator[list[str]]:
    """Count a write by what becomes of it, which the block says where it goes well."""
    began, came = time.monotonic(), list[str]()
    try:
        yield came
    except ProblemError as error:
        came.append("refused" if error.kind.status < http.HTTPStatus.INTERNAL_SERVER_ERROR else "failed")
        raise
    except TerminalError:
        came.append("refused")
        raise
    finally:
        result = came[0] if came else "failed"
        inside.kit.metrics.written(order.kind.value, result, time.monotonic() - began)


def _answer(order: Order, written: Written, ready: bool | None) -> Response:
    made = order.verb == "create" and written.changed
    status = http.HTTPStatus.CREATED if made else http.HTTPStatus.OK
    headers = {"location": f"{_PATHS[order.kind]}/{order.name}"} if made else {}
    if ready is False:
        status = http.HTTPStatus.ACCEPTED
    if written.document is not None:
        headers["etag"] = quoted(written.document.etag)
    return Response(answers.encoded(written_data(order, written, ready)), status, headers, answers.JSON)


def written_data(order: Order, written: Written, ready: bool | None) -> dict[str, Any]:
    """What is told of a write."""
    document, path = written.document, f"{_PATHS[order.kind]}/{order.name}"
    links = {"self": path, "events": f"/events?site={order.name}"}
    if order.kind is Kinds.SITE:
        links |= {name: f"{path}/{name}" for name in ("status", "why", "history")}
    return {
        "kind": order.kind.value,
        "name": order.name,
        "commit": written.commit,
        "changed": written.changed,
        "digest": written.digest,
        "file": document.file if document else "",
        "line": document.line if document else 0,
        "document": withheld.shown(document.data) if document else None,
        "ready": ready,
        "notes": list(written.notes),
        "links": links,
    }


async def _foreseen(wish: Wish, order: Order) -> Response:
    found = await wish.inside.look(lambda: wish.stores.dry_run(order), _PLAN)
    return Response(answers.encoded(foreseen_data(found)), media_type=answers.JSON)


def foreseen_data(found: Foreseen) -> dict[str, Any]:
    """What is told of a write that was not carried out."""
    return {
        "dry_run": True,
        "changed": found.changed,
        "lines": list(found.lines),
        "touched": [_preview(item) for item in found.previews],
        "more": found.more,
        "notes": list(found.notes),
    }


def _preview(item: SitePreview) -> dict[str, Any]:
    return {
        "name": item.site,
        "plan": plan_document(item.plan) if item.plan else None,
        "verdict": verdict_data(item.verdict) if item.verdict else None,
        "trouble": item.trouble,
    }


async def fetched(request: Request, inside: Inside, kind: Kinds, name: str, caller: Caller) -> Response:
    """The answer to who asks for a document."""
    return document(request, await found(inside, kind, name, caller))


async def found(inside: Inside, kind: Kinds, name: str, caller: Caller) -> Document:
    """A document as it stands in the newest commit.

    Raises:
        ProblemError: NOT_FOUND: there is none that the caller sees; CONFLICT: it cannot be told which it is.
    """
    stores = stores_of(inside)

    async def look() -> Document:
        return stores.get(kind, name, caller)

    try:
        return await inside.bridge.run(look())
    except UsageError as error:
        raise refused(error) from error


def document(request: Request, found: Document) -> Response:
    """A document itself: what may be sent back with PUT. Its tag names what it says, and nothing else."""
    tag = quoted(found.etag)
    headers = {"etag": tag, "cache-control": "private, no-cache", "x-otto-commit": found.commit}
    if etags.unchanged(request.headers.get("if-none-match"), tag):
        return Response(status_code=http.HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(answers.encoded(withheld.shown(found.data)), http.HTTPStatus.OK, headers, answers.JSON)


def refused(error: UsageError) -> ProblemError:
    """What a refusal of the stores is to a caller."""
    match error:
        case NotThereError():
            return ProblemError(Kind.NOT_FOUND, error.message)
        case NotAllowedError():
            return ProblemError(Kind.FORBIDDEN, error.message, mend=error.mend)
        case InvalidError():
            errors = list(map(_problem, error.problems[:_SHOWN]))
            return ProblemError(Kind.INVALID, error.message, mend=error.mend, errors=errors)
        case TakenError():
            return ProblemError(Kind.CONFLICT, error.message, mend=error.mend)
    return problems.of(error)


def _problem(found: Problem) -> dict[str, Any]:
    more = {"file": found.file, "found": found.found, "allowed": found.allowed, "mend": found.mend}
    place = {"line": found.line, "column": found.column} if found.line else {}
    return {
        "at": found.pointer,
        "message": found.message,
        **{name: text for name, text in more.items() if text},
        **place,
    }


def told(*statuses: int, more: Iterable[Kind] = ()) -> Responses:
    """What the description says of a route that writes."""
    base = answers.one("Written", "What came of it; with `dry_run`, what would", *_REFUSALS, *more)
    base.pop(http.HTTPStatus.NOT_MODIFIED, None)
    base[http.HTTPStatus.OK]["content"][answers.JSON]["schema"] = {"oneOf": [ref("Written"), ref("Foreseen")]}
    told_all = {http.HTTPStatus.CREATED: "It is new", http.HTTPStatus.ACCEPTED: "Committed, and not so yet"}
    for status in (http.HTTPStatus.ACCEPTED, *map(http.HTTPStatus, statuses)):
        found = answers.one("Written", told_all[status], status=status)
        base[int(status)] = found[int(status)]
    return base


_REFUSALS = (
    Kind.NOT_FOUND,
    Kind.CONFLICT,
    Kind.PRECONDITION_FAILED,
    Kind.PRECONDITION_REQUIRED,
    Kind.UNSUPPORTED,
)
