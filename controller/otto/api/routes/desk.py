"""Questions of the command line, as they are: `POST /desk/WORD` with the question's values, and its answer's.

Programs are better served by the stores. This is what `otto --server` speaks: the values that its tables and
`--json` are made of, whole, of the very protocol that the header names.
"""

import asyncio
import json
from typing import Any

from fastapi import APIRouter, Request, Response, Security

from otto.api import problems
from otto.api.access import needs
from otto.api.house import ServedHouse
from otto.api.inside import Within
from otto.api.problems import Kind, ProblemError
from otto.api.shapes import shape_of
from otto.desk.greeting import PROTOCOL
from otto.desk.question import Question
from otto.desk.questions import QUESTIONS
from otto.model.caller import Caller
from otto.model.canonical import to_data
from otto.model.errors import OttoError, TerminalError
from otto.model.reading import read

HEADER = "x-otto-protocol"

router = APIRouter(tags=["desk"])

_LARGEST = 256 * 1024
_LONGEST = 16 * 1024  # characters of a tool's own words


def _add(kind: type[Question[Any]]) -> None:
    async def answered(
        request: Request,
        inside: Within,
        caller: Caller = Security(needs(kind.scope)),  # noqa: B008  (FastAPI's way)
    ) -> Response:
        try:
            found = await _question(kind, await _body(request)).answer(ServedHouse(inside, caller))
        except OttoError as error:
            raise _refusal(error) from error
        # Ten thousand sites take a while to write out: others are answered meanwhile.
        text = await asyncio.to_thread(_written, found)
        return Response(text, media_type="application/json", headers={HEADER: str(PROTOCOL)})

    name = kind.word.replace("-", "_")
    answer = {"type": "object", "properties": {"answer": shape_of(kind.answers())}, "required": ["answer"]}
    router.add_api_route(
        f"/desk/{kind.word}",
        answered,
        methods=["POST"],
        summary=(kind.__doc__ or "").strip().splitlines()[0],
        name=f"desk_{name}",
        response_class=Response,
        openapi_extra={
            "requestBody": {"content": {"application/json": {"schema": shape_of(kind)}}, "required": True}
        },
        responses={200: {"description": "The answer.", "content": {"application/json": {"schema": answer}}}},
    )


def _written(found: object) -> str:
    """The answer as JSON, objects in their order: what is printed of it is the same everywhere."""
    return json.dumps({"answer": to_data(found)}, separators=(",", ":"))


def _refusal(error: OttoError) -> ProblemError:
    """What an error is to whoever asked: all of it, as on the controller's own machine."""
    refusal = problems.of(error)
    refusal.headers[HEADER] = str(PROTOCOL)
    if error.detail:
        refusal.extra["output"] = error.detail[:_LONGEST]
    return refusal


async def _body(request: Request) -> object:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > _LARGEST:
            raise ProblemError(Kind.TOO_LARGE, f"a question has at most {_LARGEST} bytes")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ProblemError(Kind.UNSUPPORTED, "a question is application/json")
    try:
        return json.loads(found, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ProblemError(Kind.MALFORMED, "the body is no JSON") from error


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


def _question(kind: type[Question[Any]], data: object) -> Question[Any]:
    """The question that a body holds.

    Raises:
        ProblemError: it holds none, or more: what an older controller does not know must not get lost.
    """
    known = kind.__dataclass_fields__  # type: ignore[attr-defined]
    unknown = sorted(set(data) - set(known)) if isinstance(data, dict) else []
    if unknown:
        raise ProblemError(Kind.INVALID, f"{kind.word} has no {unknown[0][:60]!r}")
    try:
        return read(kind, data)
    except TerminalError as error:
        raise ProblemError(
            Kind.INVALID, "the question does not fit", errors=[{"message": error.message}]
        ) from error


for _kind in QUESTIONS.values():
    _add(_kind)
