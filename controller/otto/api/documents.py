"""Bodies that are documents: JSON, read so that every reader understands the same."""

import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, NoReturn

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from otto.api.problems import Kind, ProblemError
from otto.api.schemas import Schema, ref

_JSON = "application/json"
_MERGE_PATCH = "application/merge-patch+json"
_DEEPEST = 32
_DIGITS = 400  # of a number; a file of specs takes 18


async def _document(request: Request) -> dict[str, Any]:
    return _object(await read_json(request, _JSON))


async def _patch(request: Request) -> dict[str, Any]:
    return _object(await read_json(request, _JSON, _MERGE_PATCH))


async def _anything(request: Request) -> Any:  # noqa: ANN401  (JSON)
    """The body, None when there is none."""
    return await read_json(request, _JSON) if await request.body() else None


DocumentBody = Annotated[dict[str, Any], Depends(_document)]
"""The parameter of a route that takes a document."""

PatchBody = Annotated[dict[str, Any], Depends(_patch)]
"""The same for a JSON merge patch (RFC 7396)."""

OptionalBody = Annotated[Any, Depends(_anything)]
"""The same for any JSON, or no body."""


def described(schema: Schema, *, patch: bool = False, needed: bool = True) -> dict[str, Any]:
    """What the description says of such a body: FastAPI's `openapi_extra`."""
    types = (_MERGE_PATCH, _JSON) if patch else (_JSON,)
    return {"requestBody": {"required": needed, "content": {name: {"schema": schema} for name in types}}}


def of_kind(name: str) -> Schema:
    """The schema of a document of a kind."""
    return ref(name)


ANY_PATCH: Schema = {
    "type": "object",
    "description": "A JSON merge patch (RFC 7396): null takes a member out, lists are replaced whole.",
}


class StrictRoute(APIRoute):
    """A route whose body FastAPI reads into a model, once it was found to be JSON as documents are."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """See FastAPI."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            if self.body_field is not None and await request.body():
                await read_json(request, _JSON)
            return await handle(request)

        return handled


async def read_json(request: Request, *types: str) -> Any:  # noqa: ANN401
    """The body, as JSON that every reader understands the same.

    Args:
        request: with the body.
        types: media types that it may be of.

    Raises:
        ProblemError: UNSUPPORTED, or MALFORMED.
    """
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in types:
        detail = f"the body is to be {' or '.join(types)}"
        raise ProblemError(Kind.UNSUPPORTED, detail)
    try:
        text = (await request.body()).decode("utf-8")
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse, parse_int=_integer)
        # Half of a surrogate pair is no character, and nothing that could be stored.
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except ProblemError:
        raise
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else "it is not JSON in UTF-8"
        raise ProblemError(Kind.MALFORMED, f"the body cannot be read: {why}") from error
    if _depth(found) > _DEEPEST:
        raise ProblemError(Kind.MALFORMED, f"the body is nested more than {_DEEPEST} deep")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ProblemError(Kind.MALFORMED, "a name stands twice in one object of the body")
    return found


def _refuse(name: str) -> NoReturn:
    raise ProblemError(Kind.MALFORMED, f"{name} is no JSON")


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS:
        raise ProblemError(Kind.MALFORMED, "a number of the body is too long")
    return int(digits)


def _object(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ProblemError(Kind.MALFORMED, "the body is to be a JSON object")
    return found


def _depth(value: object) -> int:
    """How deep values lie inside each other, counted as far as matters."""
    level, deep = [value], 0
    while level and deep <= _DEEPEST:
        deep += 1
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, Mapping) else one)
        ]
    return deep
