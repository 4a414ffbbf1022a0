"""Events: everything that happens, as it happens (server-sent events, WHATWG HTML, section 9.2)."""

import asyncio
import json
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from otto.api.access import Reader, caller_of
from otto.api.answers import problems
from otto.api.audience import Audience
from otto.api.inside import Inside, Within
from otto.api.methods import is_head
from otto.api.problems import Kind, ProblemError
from otto.api.schemas import ref
from otto.api.selecting import LabelQuery, narrowed
from otto.api.stream import Happened, LostError
from otto.model.caller import Caller

router = APIRouter(tags=["events"])

MEDIA_TYPE = "text/event-stream"

# Seconds between two words where nothing happens: less than proxies wait.
_HEARTBEAT = 15.0
_RETRY = b"retry: 2000\n\n"
_REMEMBERED = 1000
_MOMENT = 1.0  # seconds for which labels of a site are believed

KINDS = ("status", "step", "progress", "gone", "log")
KindQuery = Annotated[
    list[Literal["status", "step", "progress", "gone", "log"]] | None,
    Query(alias="event", description="Only events of this kind, or of one of these.", max_length=10),
]
LastId = Annotated[
    str | None,
    Header(alias="Last-Event-ID", description="Id of the last event that was heard.", max_length=100),
]
SitesQuery = Annotated[
    list[str] | None,
    Query(alias="site", description="Only of this site, or of one of these.", max_length=200),
]


# As OpenAPI 3.2 has it: the schema of one event, with its fields.
_ONE = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "To be sent as `Last-Event-ID`."},
        "event": {"enum": [*KINDS, "reset"], "description": "What kind of event."},
        "data": {
            "type": "string",
            "description": "The event, in one line.",
            "contentMediaType": "application/json",
            "contentSchema": ref("Event"),
        },
    },
    "required": ["id", "event", "data"],
}


@router.get(
    "/events",
    name="stream_events",
    summary="What happens, as it happens",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events, described one by one; `reset` says that some were missed.",
            "content": {MEDIA_TYPE: {"schema": _ONE}},
        },
        **problems(
            Kind.MALFORMED,
            Kind.UNAUTHENTICATED,
            Kind.FORBIDDEN,
            Kind.INVALID,
            Kind.TOO_MANY,
            Kind.UNAVAILABLE,
        ),
    },
)
async def events(
    request: Request,
    caller: Reader,
    inside: Within,
    site: SitesQuery = None,
    label: LabelQuery = None,
    event: KindQuery = None,
    last: LastId = None,
) -> Response:
    """Every change of a status, step of a run and line of the log that the caller may see.

    It goes on until the caller hangs up, or their token does not count any more. To go on where it ended,
    send the id of the last event that was heard as `Last-Event-ID`, as browsers do by themselves.
    """
    headers = {"x-accel-buffering": "no"}
    if is_head(request):
        return Response(headers=headers, media_type=MEDIA_TYPE)
    wanted = _Wanted(inside, narrowed(caller, label), frozenset(site or ()), frozenset(event or ()))
    heard = _heard(request, inside, wanted, last)
    return _Heard(heard, inside.audience, caller, headers=headers, media_type=MEDIA_TYPE)


class _Heard(StreamingResponse):
    """A stream that takes a seat in the audience for as long as it is sent."""

    def __init__(
        self,
        heard: AsyncGenerator[bytes, None],
        audience: Audience,
        caller: Caller,
        *,
        headers: Mapping[str, str],
        media_type: str,
    ) -> None:
        super().__init__(heard, headers=headers, media_type=media_type)
        self._heard = heard
        self._audience = audience
        self._caller = caller

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with aclosing(self._heard):
            with self._audience.seat(self._caller.token or self._caller.address):
                await super().__call__(scope, receive, send)


async def _heard(
    request: Request, inside: Inside, wanted: "_Wanted", last: str | None
) -> AsyncGenerator[bytes, None]:
    stream = inside.stream
    number = stream.number_of(last) if last else None
    with stream.listening(number) as listener:
        yield _RETRY
        if last and number is None:
            yield _reset(inside, stream.id_of(listener.number))
        silent = _Silence()
        while not stream.closed:
            try:
                found = stream.take(listener)
            except LostError:
                return  # too slow: it comes back with its last id, and is told
            chosen = [_line(stream.id_of(one.number), one) for one in found if await wanted.fits(one)]
            # What is not for this listener is no reason to keep silent towards them.
            if not chosen and await silent.broken_by(listener.stirred if not found else None):
                chosen = [b": " + stream.id_of(listener.number).encode() + b"\n\n"]
            if not chosen:
                continue
            # Before every word: a token may have been taken back since, or its time be over.
            if not await _still_welcome(request, inside):
                return
            yield b"".join(chosen)
            silent = _Silence()


class _Silence:
    """How long nothing was said."""

    def __init__(self) -> None:
        self._until = time.monotonic() + _HEARTBEAT

    async def broken_by(self, stirred: asyncio.Event | None) -> bool:
        """Wait for something to happen; whether it is time for a word of no meaning meanwhile.

        Args:
            stirred: set when something happens; None when something has, and there may be more.
        """
        if stirred is None:
            return time.monotonic() >= self._until
        try:
            async with asyncio.timeout(self._until - time.monotonic()):
                await stirred.wait()
        except TimeoutError:
            return True
        return False


async def _still_welcome(request: Request, inside: Inside) -> bool:
    try:
        again = await inside.gate.admit(request)
    except ProblemError:
        return False
    before = caller_of(request)
    return (again.name, again.scope, again.labels) == (before.name, before.scope, before.labels)


def _line(identity: str, event: Happened) -> bytes:
    return f"id: {identity}\nevent: {event.kind}\ndata: ".encode() + event.data + b"\n\n"


def _reset(inside: Inside, identity: str) -> bytes:
    data = {
        "event": "reset",
        "at": inside.kit.clock.now().isoformat(),
        "reason": "what happened since that event is not kept any more: read anew what is of interest",
    }
    return f"id: {identity}\nevent: reset\ndata: {json.dumps(data)}\n\n".encode()


class _Wanted:
    """Which events one listener hears.

    Args:
        inside: tells the labels of sites.
        labels: that a site has to have; None where nothing can have them.
        sites: names; empty for any.
        kinds: of events; empty for any.
    """

    def __init__(
        self, inside: Inside, labels: Mapping[str, str] | None, sites: frozenset[str], kinds: frozenset[str]
    ) -> None:
        self._register = inside.store.register
        self._labels = labels
        self._sites = sites
        self._kinds = kinds
        self._known: OrderedDict[str, tuple[float, Mapping[str, str]]] = OrderedDict()

    async def fits(self, event: Happened) -> bool:
        """Whether an event is one of them."""
        if self._labels is None or (self._kinds and event.kind not in self._kinds):
            return False
        if self._sites and event.site not in self._sites:
            return False
        if not self._labels:
            return True
        # What concerns no site in particular may tell of any.
        return bool(event.site) and self._labels.items() <= (await self._of(event)).items()

    async def _of(self, event: Happened) -> Mapping[str, str]:
        """Labels of the event's site, those of a moment ago at most; of a site that is gone its last."""
        at, known = self._known.get(event.site, (-_MOMENT, {}))
        now = time.monotonic()
        if event.kind == "gone":
            self._known.pop(event.site, None)
            return known
        if event.labels is not None or now - at >= _MOMENT:
            listed = await self._register.listed(event.site)
            known = listed.labels if listed else {}
            self._known[event.site] = (now, known)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known
