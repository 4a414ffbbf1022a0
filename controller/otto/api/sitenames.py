"""Names of sites in paths.

What is no name of a site matches no route, and is not found. So `/site/walk/…` is nobody's here: it is kept
free for the walker, and no site is called so (`schemas/site.json`).
"""

from typing import Annotated

from fastapi import Depends, Path
from starlette.convertors import Convertor, register_url_convertor

from otto.api.access import Reader, require_seen
from otto.api.inside import Within
from otto.model.register import Listed

LONGEST = 40
_NAME = rf"(?!walk(?:/|$))[a-z](?:[a-z0-9-]{{0,{LONGEST - 2}}}[a-z0-9])?"
PATTERN = rf"^[a-z]([a-z0-9-]{{0,{LONGEST - 2}}}[a-z0-9])?$"


class _SiteConvertor(Convertor[str]):
    regex = _NAME

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("site", _SiteConvertor())

Name = Annotated[
    str, Path(description="Name of a site.", examples=["hello"], pattern=PATTERN, max_length=LONGEST)
]


async def _seen(site: Name, caller: Reader, inside: Within) -> Listed:
    found = await inside.store.register.listed(site)
    require_seen(caller, found.labels if found else None, f"site {site!r}")
    if found is None:
        raise LookupError(site)  # never: that was refused above
    return found


Seen = Annotated[Listed, Depends(_seen)]
"""The parameter of a route below `/site/{site:site}`: a site that is there, and that the caller sees."""
