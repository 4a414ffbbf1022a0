"""Who asks, and what they may: the parameters of routes.

    @router.get("/site")
    async def sites(caller: Reader, inside: Within) -> …

`Admission` has asked the gate before any route is looked for; a route says which scope it needs by the type
of its parameter. What a caller does not see does not exist for them: answer with `unseen`, a 404.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated

import structlog
from fastapi import Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from otto.api import problems
from otto.api.gate import Gate, is_local
from otto.api.inside import inside_of
from otto.api.problems import Kind, ProblemError
from otto.api.rates import Rates
from otto.model.caller import Caller, Scope

_KEY = "otto.caller"
_SCOPE = "otto_scope"  # attribute of a dependency: the scope that it demands


class Admission:
    """Middleware that asks the gate before anything else happens, and counts requests.

    Args:
        app: the application.
        gate: tells who asks.
        public: whether a path is open to everybody.
        addresses: counts requests by address, but for this machine's own.
        callers: counts requests by caller, but for who is on this machine and needs no token.
    """

    def __init__(
        self, app: ASGIApp, gate: Gate, public: Callable[[str], bool], addresses: Rates, callers: Rates
    ) -> None:
        self._app = app
        self._gate = gate
        self._public = public
        self._addresses = addresses
        self._callers = callers

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Answer one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._admit(scope)
        except ProblemError as error:
            await problems.answer(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Connection) -> None:
        request = Request(scope)
        if not is_local(request):
            await self._count(self._addresses, self._gate.sender(request), None, request)
        if self._public(scope["path"]):
            return
        caller = await self._gate.admit(request)
        if caller.token:
            await self._count(self._callers, caller.token, caller, request)
        scope[_KEY] = caller
        structlog.contextvars.bind_contextvars(caller=caller.name)

    async def _count(self, rates: Rates, who: str, caller: Caller | None, request: Request) -> None:
        try:
            rates.take(who)
        except ProblemError as error:
            await self._gate.refused(caller, request, error)
            raise


async def refused(request: Request, error: ProblemError) -> None:
    """Have it on record that somebody who was let in may not do what they asked for.

    What is not there is a refusal to who is limited to some sites: alike whether or not others see it, or
    the time that the record takes would tell. Whatever is wrong with a change that is asked for is one, too.
    """
    caller: Caller | None = request.scope.get(_KEY)
    plain = error.kind in (Kind.FORBIDDEN, Kind.TOO_MANY, Kind.TOO_LARGE)
    change = (demanded_by(request.scope.get("route")) or Scope.READ) is not Scope.READ
    nothing = error.kind is Kind.NOT_FOUND
    hidden = (nothing or error.unseen) and caller is not None and caller.labels
    if caller is not None and (plain or hidden or (change and not nothing)):
        await inside_of(request).gate.refused(caller, request, error)


def caller_of(request: Request) -> Caller:
    """Who was let in.

    Raises:
        ProblemError: nobody was: the path is public.
    """
    found: Caller | None = request.scope.get(_KEY)
    if found is None:
        raise ProblemError(Kind.UNAUTHENTICATED, "nobody was let in")
    return found


def needs(scope: Scope) -> Callable[[Request], Caller]:
    """A dependency that gives the caller, if they may do what needs that scope."""

    async def admitted(request: Request) -> Caller:
        caller = caller_of(request)
        if not caller.may(scope):
            detail = f"this needs the scope {scope.word}, and the token has {caller.scope.word}"
            raise ProblemError(Kind.FORBIDDEN, detail)
        return caller

    setattr(admitted, _SCOPE, scope)
    return admitted  # type: ignore[return-value]  # FastAPI awaits it


def demanded_by(route: object) -> Scope | None:
    """The scope that a route needs, which is told by what it depends on; None for one that needs none."""
    if not isinstance(route, APIRoute):
        return None
    found = [scope for scope in _demanded(route.dependant) if isinstance(scope, Scope)]
    return max(found, default=None)


def _demanded(dependant: Dependant) -> Iterator[object]:
    yield getattr(dependant.call, _SCOPE, None)
    for inner in dependant.dependencies:
        yield from _demanded(inner)


Reader = Annotated[Caller, Security(needs(Scope.READ))]
Operator = Annotated[Caller, Security(needs(Scope.OPERATE))]
Writer = Annotated[Caller, Security(needs(Scope.WRITE))]
Admin = Annotated[Caller, Security(needs(Scope.ADMIN))]


def require_seen(caller: Caller, labels: Mapping[str, str] | None, what: str) -> None:
    """Do as if something were not there for who does not see it.

    Args:
        caller: who asks.
        labels: of the thing, None when there is no such thing.
        what: how it is called, in the words of the answer: `a site 'hello'`.

    Raises:
        ProblemError: NOT_FOUND, the very same for what is not there and for what is not theirs.
    """
    if labels is None or not caller.sees(labels):
        raise unseen(what)


def unseen(what: str) -> ProblemError:
    """There is no such thing, as far as the caller is concerned."""
    return ProblemError(Kind.NOT_FOUND, f"there is no {what}")
