"""Which items of a list are meant: `?label=env=prod&label=team=web&phase=Ready`."""

from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import Query
from pydantic import Field

from otto.model.caller import Caller

LabelQuery = Annotated[
    list[Annotated[str, Field(pattern=r"^[^=]+=[^\x00]*$", max_length=200)]] | None,
    Query(
        alias="label",
        description="Only sites with this label, as NAME=VALUE; given several times: with all of them.",
        examples=[["env=prod"]],
        max_length=50,
    ),
]


SiteQuery = Annotated[
    str | None, Query(alias="site", description="Only of this site.", max_length=253, examples=["hello"])
]


def labels_of(given: Sequence[str] | None) -> Mapping[str, str]:
    """Labels out of a query.

    Raises:
        _NothingError: nothing has all of them.
    """
    found: dict[str, str] = {}
    for text in given or ():
        name, _, value = text.partition("=")
        if found.get(name, value) != value:
            raise _NothingError
        found[name] = value
    return found


def narrowed(caller: Caller, given: Sequence[str] | None) -> Mapping[str, str] | None:
    """The labels that a list is narrowed to: those asked for, and those the caller is limited to.

    Returns:
        None where nothing can have all of them.
    """
    try:
        asked = labels_of(given)
    except _NothingError:
        return None
    if any(asked.get(name, value) != value for name, value in caller.labels.items()):
        return None
    return {**asked, **caller.labels}


class _NothingError(Exception):
    """Two values of one label are asked for: nothing has both."""
