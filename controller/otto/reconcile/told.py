"""Small values that the controller leaves in the store, read back. What cannot be read was not told."""

import json
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

from otto.model.errors import OttoError
from otto.model.host import LiveHost
from otto.model.problem import Problem
from otto.model.reading import read

SOURCE = "source"
ORPHANS = "orphans"
POLICY = "policy.problem"
PROBLEMS = "problems"

T = TypeVar("T")


class Values(Protocol):
    """A part of the port `Store`."""

    async def value(self, key: str) -> str | None:
        """A small value by key."""


async def source(store: Values) -> Mapping[str, Any]:
    """The state of the repository of specs; empty before it was read for the first time."""
    known = _data(await store.value(SOURCE))
    return known if isinstance(known, dict) else {}


async def orphans(store: Values) -> tuple[LiveHost, ...]:
    """Hosts under our labels that neither a spec nor a state owns, as last seen."""
    return readable(LiveHost, _data(await store.value(ORPHANS)))


async def problems(store: Values) -> tuple[Problem, ...]:
    """Problems of spec files that belong to no site that is known."""
    return readable(Problem, _data(await store.value(PROBLEMS)))


async def policy_problem(store: Values) -> str:
    """What is wrong with the file of the fleet's policy, as a controller last read it; "" for nothing."""
    return await store.value(POLICY) or ""


def _data(text: str | None) -> Any:  # noqa: ANN401  (JSON is what it is until a type reads it)
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def readable(kind: type[T], data: object) -> tuple[T, ...]:
    """Those of the items of a list that are of a kind; perhaps another version of OttO wrote them."""
    found: list[T] = []
    for item in data if isinstance(data, list) else ():
        try:
            found.append(read(kind, item))
        except (OttoError, ValueError):
            continue
    return tuple(found)
