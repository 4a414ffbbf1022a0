"""Names of zones in paths."""

from typing import Annotated

from fastapi import Path
from starlette.convertors import Convertor, register_url_convertor

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})+"
PATTERN = rf"^{_NAME}$"
LONGEST = 253


class _ZoneConvertor(Convertor[str]):
    regex = _NAME

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("zone", _ZoneConvertor())

Zone = Annotated[
    str,
    Path(
        description="Name of a zone, in its ASCII form, without a last dot.",
        examples=["example.org"],
        pattern=PATTERN,
        max_length=LONGEST,
    ),
]
