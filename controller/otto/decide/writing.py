"""What of a write can be told without the repository: its commit's words, its file, what it would break."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from otto.decide import hosts
from otto.model.caller import Caller
from otto.model.canonical import canonical, to_data
from otto.model.catalogue import Catalogue
from otto.model.document import Data, Kind
from otto.model.problem import Problem
from otto.model.text import one_line
from otto.model.writing import Burial, InvalidError, NotAllowedError, Order

_FOLDERS = {Kind.SITE: "sites", Kind.DOMAIN: "domains", Kind.HOST: "hosts"}
_TOMBSTONES = "tombstones"
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9_])?")
_SUBJECT = 72
_REASON = 2000
_SHOWN = 4
_API_VERSION = "otto/v1"
_PRONOUN = {Kind.SITE: "site", Kind.DOMAIN: "domain", Kind.HOST: "host"}


def named(kind: Kind, name: str) -> str:
    """A document in words: `site acme`."""
    return f"{_PRONOUN[kind]} {one_line(name, 100)}"


def require_own_name(order: Order, data: Data) -> None:
    """See to it that a document is of the kind and name that it was sent to.

    Raises:
        InvalidError: it is not, or the name is none that a file could have.
    """
    problems = list(_header(order, data))
    if problems:
        raise InvalidError(f"the {named(order.kind, order.name)} cannot be written", tuple(problems))


def _header(order: Order, data: Data) -> Iterator[Problem]:
    wanted: tuple[tuple[str, object, str], ...] = (
        ("/apiVersion", data.get("apiVersion"), _API_VERSION),
        ("/kind", data.get("kind"), order.kind.value),
        ("/metadata/name", _at(data, "metadata", "name"), order.name),
    )
    for pointer, found, allowed in wanted:
        if found != allowed:
            shown = one_line(str(found), 60) if found is not None else "nothing"
            message = "this is not what the path of the request says"
            yield Problem("", 0, 0, pointer, message, found=shown, allowed=allowed, site=order.name)
    if not _NAME.fullmatch(order.name) or ".." in order.name:
        yield Problem("", 0, 0, "/metadata/name", "no document can have this name", site=order.name)


def _at(data: Any, *steps: str) -> Any:  # noqa: ANN401
    for step in steps:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data


def labels_of(data: Data) -> dict[str, str]:
    """The labels that a document says it has; what is no label is left out."""
    found = _at(data, "metadata", "labels")
    if not isinstance(found, Mapping):
        return {}
    return {key: value for key, value in found.items() if isinstance(key, str) and isinstance(value, str)}


def require_own_labels(caller: Caller, data: Data, what: str) -> None:
    """See to it that what somebody writes stays theirs to see.

    Raises:
        NotAllowedError: it would not be.
    """
    if not caller.sees(labels_of(data)):
        wanted = ", ".join(f"{key}={value}" for key, value in sorted(caller.labels.items()))
        mend = f"give it these labels: {wanted}"
        raise NotAllowedError(f"the {what} would not be yours any more", mend=mend)


def new_paths(folder: str, kind: Kind, name: str) -> Iterator[str]:
    """Where a new document is put: the first of these paths that nothing stands at."""
    yield from _paths(folder, _FOLDERS[kind], name)


def tombstone_paths(folder: str, site: str) -> Iterator[str]:
    """The same of a tombstone."""
    yield from _paths(folder, _TOMBSTONES, site)


def _paths(folder: str, below: str, name: str) -> Iterator[str]:
    top = "/".join(part for part in folder.split("/") if part not in ("", "."))
    base = f"{top}/{below}/{name}" if top else f"{below}/{name}"
    yield f"{base}.yaml"
    number = 2
    while True:
        yield f"{base}-{number}.yaml"
        number += 1


def tombstone(order: Order, burial: Burial) -> dict[str, Any]:
    """The tombstone that comes in place of a site's spec."""
    spec: dict[str, Any] = {"site": order.name, "reason": one_line(burial.reason, 500)}
    if order.caller.name:
        spec["by"] = one_line(order.caller.name, 200)
    if burial.at is not None:
        spec["at"] = to_data(burial.at)
    return {"apiVersion": _API_VERSION, "kind": "Tombstone", "spec": spec}


def message(order: Order, old: Data | None, new: Data | None) -> str:
    """The message of the commit: what, why, and by which request."""
    trailers = {
        "Otto-Via": "api",
        "Otto-Token": order.caller.token,
        "Otto-Request": order.request,
    }
    parts = [subject(order, old, new)]
    if why(order):
        # Its own paragraph: only the last one can be taken for trailers.
        parts.append(why(order))
    parts.append("\n".join(f"{name}: {one_line(value, 200)}" for name, value in trailers.items() if value))
    return "\n\n".join(parts) + "\n"


def why(order: Order) -> str:
    """Why it is done, in one line, as the caller says."""
    return one_line(order.reason, _REASON)


def problem_key(kind: Kind, name: str) -> str:
    """Whose problems those of a document are (`Problem.site`): machines have names of their own."""
    return hosts.key(name) if kind is Kind.HOST else name


def subject(order: Order, old: Data | None, new: Data | None) -> str:
    """What a write does, in a line: `Site acme: spec.web.count, spec.domains`."""
    what = f"{order.kind.value} {order.name}"
    if old is None:
        return _cut(f"{what}: new")
    if new is None:
        return _cut(f"{what}: taken down" if order.burial else f"{what}: removed")
    places = list(changed(old, new))
    shown = ", ".join(places[:_SHOWN]) + (", …" if len(places) > _SHOWN else "")
    return _cut(f"{what}: {shown}")


def changed(old: object, new: object, path: str = "") -> Iterator[str]:
    """The places at which two documents differ, as `spec.web.count`."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            if key not in old or key not in new:
                yield f"{path}{key}"
            else:
                yield from changed(old[key], new[key], f"{path}{key}.")
    elif canonical(old) != canonical(new):
        yield path.removesuffix(".")


def _cut(words: str) -> str:
    line = one_line(words, 500)
    return line if len(line) <= _SUBJECT else line[: _SUBJECT - 1] + "…"


def brought(before: Catalogue, after: Catalogue, name: str) -> tuple[Problem, ...]:
    """The problems that a commit brings, and all of the document that it is about.

    A problem that was there before may have moved to another line.

    Args:
        before: the catalogue of the commit that is built upon.
        after: that of the new one.
        name: of the document.
    """
    known = Counter(map(_identity, _all(before)))
    found = []
    for problem in sorted(set(_all(after))):
        identity = _identity(problem)
        if problem.site == name or not known[identity]:
            found.append(problem)
        known[identity] -= known[identity] > 0
    return tuple(found)


def _all(catalogue: Catalogue) -> Iterator[Problem]:
    yield from catalogue.loose
    for problems in (*catalogue.problems.values(), *catalogue.host_problems.values()):
        yield from problems


def _identity(problem: Problem) -> Problem:
    return replace(problem, line=0, column=0)


def shown_to(caller: Caller, problems: Iterable[Problem], own: str) -> tuple[Problem, ...]:
    """Problems as far as they are somebody's to see: who is limited hears nothing of others' documents."""
    if not caller.labels:
        return tuple(problems)
    return tuple(_blurred(problem, own) for problem in problems)


def _blurred(problem: Problem, own: str) -> Problem:
    if problem.site == own:
        # What is found out among all documents is told of at the beginning of one.
        return problem if problem.column > 1 else replace(problem, found="", mend="")
    return Problem("", 0, 0, "", "something that is not yours to see would be broken by it")
