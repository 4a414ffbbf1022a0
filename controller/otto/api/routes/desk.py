"""Questions of the command line, as they are: `POST /desk/WORD` with the question's values, and its answer's.

Programs are better served by the stores. This is what `otto --server` speaks: the values that its tables and
`--json` are made of, whole, of the very protocol that the header names.
"""

import asyncio
import inspect
import json
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response, Security

from otto.api import answers, problems
from otto.api.access import needs
from otto.api.documents import read_json
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

_EXAMPLES: Mapping[str, object] = {
    "site": "hello",
    "sites": ["hello"],
    "digest": "0a1b2c3d4e5f",
    "digests": ["sha256:" + "0a1b2c3d" * 8],
    "id": "20260101T000000-0a1b2c",
    "image": "nginx@stable",
    "items": ["hello-web-9"],
    "name": "ci",
    "names": ["nginx"],
    "providers": ["lab"],
    "reason": "as agreed",
    "scope_word": "read",
    "seconds": 3600.0,
    "spec": {"name": "example.org"},
    "token": "0123456789ab",
    "zone": "example.org",
}

_WHOLE = 10  # levels: what is asked is described to its end
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

    answer = {"type": "object", "properties": {"answer": shape_of(kind.answers())}, "required": ["answer"]}
    content = {"schema": shape_of(kind, _WHOLE) | {"additionalProperties": False}, "example": _example(kind)}
    router.add_api_route(
        f"/desk/{kind.word}",
        answered,
        methods=["POST"],
        name=f"desk_{kind.word.replace('-', '_')}",
        summary=(kind.__doc__ or "").strip().splitlines()[0],
        description=inspect.getdoc(kind),
        response_class=Response,
        openapi_extra={"requestBody": {"content": {"application/json": content}, "required": True}},
        responses=answers.inline(answer, "The answer", Kind.CONFLICT, Kind.UNSUPPORTED),
    )


def _example(kind: type[Question[Any]]) -> dict[str, object]:
    """A question that makes sense where there is a site `hello`."""
    fields = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return {name: value for name, value in _EXAMPLES.items() if name in fields}


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
    if len(await request.body()) > _LARGEST:
        raise ProblemError(Kind.TOO_LARGE, f"a question has at most {_LARGEST} bytes")
    return await read_json(request, "application/json")


def _question(kind: type[Question[Any]], data: object) -> Question[Any]:
    """The question that a body holds.

    Raises:
        ProblemError: it holds none, or more: what an older controller does not know must not get lost.
    """
    known = kind.__dataclass_fields__  # type: ignore[attr-defined]
    unknown = sorted(set(data) - set(known)) if isinstance(data, dict) else []
    if unknown:
        found = [{"at": f"body/{name}"[:200], "message": "there is no such value"} for name in unknown[:10]]
        raise ProblemError(Kind.INVALID, f"{kind.word} has no {unknown[0][:60]!r}", errors=found)
    try:
        return read(kind, data)
    except TerminalError as error:
        found = [{"at": "body", "message": error.message}]
        raise ProblemError(Kind.INVALID, "the question does not fit", errors=found) from error


for _kind in QUESTIONS.values():
    _add(_kind)
