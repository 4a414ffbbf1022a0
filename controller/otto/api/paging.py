"""Lists by pages: sorted by a key, from behind a cursor on, never cut without saying so.

    @router.get("/site")
    async def sites(page: Paged, …):
        found = await store.…(after=page.after(Key), limit=page.limit + 1)
        return page.answer(request, response, found, key=lambda item: [item.name])

A cursor names the key of the last item that was given out: what is inserted or removed in the meantime
shifts nothing. It is opaque: base64url of the list's name and the key.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response

from otto.api.problems import Kind, ProblemError

T = TypeVar("T")

DEFAULT = 100
MOST = 1000
"""Items of one page."""

Key = tuple[str | int, ...]
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """What a caller wants to see of a list.

    Attributes:
        limit: items at most.
        cursor: where the page before ended, "" for the first.
        path: of the list; a cursor counts only there.
    """

    limit: int
    cursor: str
    path: str

    @property
    def probe(self) -> int:
        """How many items to look for: one more than is shown tells whether there are more."""
        return self.limit + 1

    def after(self, *kinds: type[str] | type[int]) -> Key | None:
        """The key behind which the page begins, None for the first page.

        Args:
            kinds: types of the key's parts.

        Raises:
            ProblemError: the cursor is none that this list gave out.
        """
        if not self.cursor:
            return None
        path, *key = _decoded(self.cursor)
        if path != self.path or [type(part) for part in key] != list(kinds):
            raise _bad()
        return tuple(part for part in key if isinstance(part, str | int))

    @property
    def bad(self) -> ProblemError:
        """What to raise for a cursor whose key makes no sense."""
        return _bad()

    def behind(self, key: Key) -> str:
        """The cursor of the page that begins behind a key."""
        return _encoded([self.path, *key])

    def cut(self, found: Sequence[T], key: Callable[[T], Key]) -> tuple[Sequence[T], str | None]:
        """The items to show, and the cursor of the next page, None behind the last.

        Args:
            found: what was found from `after` on, up to `probe` of them.
            key: what a list is sorted by.
        """
        if len(found) <= self.limit:
            return found, None
        shown = found[: self.limit]
        return shown, self.behind(key(shown[-1]))

    def link(self, request: Request, response: Response, following: str | None) -> None:
        """Add the header `Link` that leads to the next page (RFC 8288)."""
        if following is None:
            return
        kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
        query = urlencode([*kept, ("cursor", following)])
        response.headers["link"] = f'<{request.url.path}?{query}>; rel="next"'


async def page_of(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Items of one page at most.")] = DEFAULT,
    cursor: Annotated[
        str, Query(max_length=_LONGEST, description="`next` of the page before, as it is.")
    ] = "",
) -> Page:
    """The page that a request asks for."""
    return Page(limit, cursor, request.url.path)


Paged = Annotated[Page, Depends(page_of)]
"""The parameter of a route that gives out a list: `page: Paged`."""


def _encoded(parts: Sequence[str | int]) -> str:
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> list[object]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _bad() from error
    if not isinstance(found, list) or not found:
        raise _bad()
    return found


def _bad() -> ProblemError:
    return ProblemError(Kind.MALFORMED, "the cursor is none that this list gave out")
