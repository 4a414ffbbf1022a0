"""The port `Specs`: one file in, its sites and its problems out."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otto.adapters.specs import build, explain, semantics
from otto.adapters.specs.compose import documents
from otto.adapters.specs.decode import decode
from otto.adapters.specs.document import Document, Flaw, Place, Stop, Value, find
from otto.adapters.specs.domain import domain
from otto.adapters.specs.hostspec import host
from otto.adapters.specs.limits import SpecLimits
from otto.adapters.specs.policy import fleet_policy
from otto.adapters.specs.schema import API_VERSION, KINDS, kind
from otto.adapters.specs.text import choices, did_you_mean, quoted, safe
from otto.decide import hosts as machines
from otto.model.catalogue import SpecFile
from otto.model.declared import DeclaredHost
from otto.model.domain import DomainSpec, is_zone
from otto.model.policy import FleetPolicy
from otto.model.problem import Problem
from otto.model.spec import SiteSpec, Tombstone

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_ZONE = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})+")
# Names in a file that YAML cannot read: better a guess than a site that seems to have been removed.
_NAME_GUESS = re.compile(
    r"^metadata:[ \t]*(?:#.*)?\n(?:[ \t].*\n|\n){0,50}?[ \t]+name:[ \t]*[\"']?([a-z0-9_][a-z0-9._-]{0,252})",
    re.MULTILINE,
)
_HOST_GUESS = re.compile(r"^kind:[ \t]*[\"']?Host\b", re.MULTILINE)
_MARK = re.compile(r"^---", re.MULTILINE)

# The kinds of documents that a repository holds; a fleet's policy is its operator's and never lies in one.
IN_REPOSITORY = ("Site", "Domain", "Host", "Tombstone")
_BUILD: Mapping[str, Callable[[Mapping[str, Any], str, Place], object]] = {
    "Site": lambda document, path, at: build.site(document, path, at.line),
    "Domain": domain,
    "Host": lambda document, path, at: host(document, path, at.line),
    "Tombstone": lambda document, path, at: build.tombstone(document, path, at.line),
    "FleetPolicy": lambda document, _path, _at: fleet_policy(document),
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a file says.

    Attributes:
        values: what its good documents stand for, in order: `SiteSpec`, `DomainSpec`, `Tombstone`,
            `FleetPolicy`.
        problems: what is wrong with it, in order of place.
        names: names of the sites and zones it mentions.
    """

    values: tuple[object, ...] = ()
    problems: tuple[Problem, ...] = ()
    names: tuple[str, ...] = ()


class YamlSpecs:
    """Reads specs written in YAML.

    Args:
        limits: how much a file may hold.
        kinds: the kinds of documents that may stand there.
    """

    def __init__(self, limits: SpecLimits | None = None, kinds: Sequence[str] = IN_REPOSITORY) -> None:
        self._limits = limits or SpecLimits()
        self._kinds = kinds

    def parse(self, path: str, data: bytes) -> SpecFile:
        """Parse and validate one file.

        Every problem is found at once, up to the limit; never raises for what the file says.
        """
        parsed = parse_file(path, data, self._limits, self._kinds)
        sites = tuple(value for value in parsed.values if isinstance(value, SiteSpec))
        tombstones = tuple(value for value in parsed.values if isinstance(value, Tombstone))
        domains = tuple(value for value in parsed.values if isinstance(value, DomainSpec))
        hosts = tuple(value for value in parsed.values if isinstance(value, DeclaredHost))
        return SpecFile(path, sites, parsed.problems, parsed.names, tombstones, domains, hosts)


def parse_fleet_policy(path: str, data: bytes) -> tuple[FleetPolicy | None, tuple[Problem, ...]]:
    """The policy of a fleet that a file holds, and what is wrong with the file.

    An empty file is the default policy. With problems, or with more than one policy, there is none.
    """
    parsed = parse_file(path, data, SpecLimits(), ("FleetPolicy",))
    policies = [value for value in parsed.values if isinstance(value, FleetPolicy)]
    if parsed.problems:
        return None, parsed.problems
    if len(policies) > 1:
        message, mend = "a fleet has one policy", "put everything into one document"
        return None, (Problem(safe(path, 200), 0, 0, "", message, mend=mend),)
    return policies[0] if policies else FleetPolicy(), ()


def parse_file(path: str, data: bytes, limits: SpecLimits, kinds: Sequence[str]) -> Parsed:
    """What a file says; never raises for it.

    Args:
        path: where it lies, as problems name it.
        data: its bytes.
        limits: how much it may hold.
        kinds: the kinds of documents that may stand there.
    """
    reading = _Reading(safe(path, 200), path, kinds)
    try:
        for document in _documents(data, limits):
            reading.take(document, limits.problems + 1)
    except Stop as stop:
        reading.blame(stop.flaw)
        reading.guess_names(data)
    return reading.result(limits.problems)


def _documents(data: bytes, limits: SpecLimits) -> Iterator[Document]:
    if len(data) > limits.size:
        message = f"this file is too big: {len(data)} bytes"
        raise Stop(Flaw(0, 0, message, allowed=f"at most {limits.size} bytes", mend="split it"))
    return documents(decode(data), limits)


class _Reading:
    """What is known so far of one file."""

    def __init__(self, shown_path: str, path: str, kinds: Sequence[str]) -> None:
        self._file = shown_path
        self._path = path
        self._kinds = kinds
        self._values: list[object] = []
        self._names: dict[str, None] = {}
        self._problems: list[Problem] = []

    def take(self, document: Document, most: int) -> None:
        """Judge one document; looking for problems ends after `most`."""
        if document.value is None and not document.flaws:
            return
        name = _name(document.value)
        if name:
            self._names[name] = None
        found = [*document.flaws, *_flaws(document, most, self._kinds)]
        for flaw in found:
            self.blame(flaw, name)
        if not found and isinstance(document.value, dict):
            known = kind(str(document.value["kind"]))
            value = known.filled(document.value)
            self._values.append(_BUILD[known.name](value, self._path, document.place))

    def blame(self, flaw: Flaw, site: str = "") -> None:
        """Keep a problem."""
        self._problems.append(problem(self._file, flaw, site))

    def guess_names(self, data: bytes) -> None:
        """Look for names of sites and zones in text that could not be read."""
        text = data[: 1024 * 1024].decode("utf-8", errors="replace")
        for document in _MARK.split(text):
            own = machines.key if _HOST_GUESS.search(document) else str
            for match in _NAME_GUESS.finditer(document):
                name = match.group(1).rstrip(".")
                if _is_name(name):
                    self._names[own(name)] = None

    def result(self, most: int) -> Parsed:
        """All of it, problems in order of place."""
        problems = sorted(dict.fromkeys(self._problems))
        if len(problems) > most:
            problems = [*problems[:most], Problem(self._file, 0, 0, "", "there are more problems, not shown")]
        return Parsed(tuple(self._values), tuple(problems), tuple(self._names))


def _flaws(document: Document, most: int, kinds: Sequence[str]) -> Sequence[Flaw]:
    header = list(_header(document.value, document.place, kinds))
    if header:
        return header
    value = document.value
    known = kind(str(value["kind"])) if isinstance(value, dict) else None
    found = explain.flaws(known, document, most) if known else []
    if document.flaws:
        return found
    # Rules that join fields are only asked where the fields are right.
    return [*found, *semantics.beside(document, found)] if found else semantics.flaws(document)


def _header(value: Value, place: Place, kinds: Sequence[str]) -> Iterator[Flaw]:
    """What is wrong with `apiVersion` and `kind`, which say how to read the rest."""
    if not isinstance(value, dict):
        message = "a document has to be a mapping that begins with apiVersion and kind"
        yield Flaw(place.line, place.column, message, found=explain.kind_of(value))
        return
    for name, allowed in (("apiVersion", [API_VERSION]), ("kind", kinds)):
        if name not in value:
            yield from _missing(name, value, allowed, place)
        elif isinstance(known := value[name], str) and known in KINDS and known not in allowed:
            yield _misplaced(known, allowed, find(place, (name,)))
        elif value[name] not in allowed:
            yield _not_known(name, value[name], allowed, find(place, (name,)))


def _missing(name: str, value: dict[str, Value], allowed: Sequence[str], place: Place) -> Iterator[Flaw]:
    meant = next((key for key in value if did_you_mean(key, [name])), None)
    near = find(place, (meant,)).key if meant is not None else None
    line, column = near or (place.line, place.column)
    mend = f'did you mean "{name}" by {quoted(meant)}?' if meant is not None else ""
    yield Flaw(line, column, f'missing field "{name}"', allowed=choices(allowed), mend=mend, path=(name,))


def _not_known(name: str, value: Value, allowed: Sequence[str], at: Place) -> Flaw:
    meant = did_you_mean(value, allowed) if isinstance(value, str) else ""
    return Flaw(
        at.line,
        at.column,
        f"this {name} is not known",
        found=explain.shown(value, ()),
        allowed=choices(allowed),
        mend=f'did you mean "{meant}"?' if meant else "",
        path=(name,),
    )


def _misplaced(name: str, allowed: Sequence[str], at: Place) -> Flaw:
    own = name == "FleetPolicy"
    mend = "it is the operator's and lies beside the controller: setting policy.file" if own else ""
    message = f"a {name} does not belong here"
    return Flaw(at.line, at.column, message, allowed=choices(allowed), mend=mend, path=("kind",))


def _is_name(text: str) -> bool:
    """Whether that may name a site or a zone."""
    return bool((_ZONE if is_zone(text) else _NAME).fullmatch(text))


def _name(value: Value) -> str:
    """Name of the site or zone that a document is about, "" when it does not say."""
    if not isinstance(value, dict):
        return ""
    part, key = ("spec", "site") if value.get("kind") == "Tombstone" else ("metadata", "name")
    holder = value.get(part)
    name = holder.get(key) if isinstance(holder, dict) else None
    expected = _ZONE if value.get("kind") == "Domain" else _NAME
    if not isinstance(name, str) or not expected.fullmatch(name):
        return ""
    return machines.key(name) if value.get("kind") == "Host" else name


def problem(file: str, flaw: Flaw, site: str = "") -> Problem:
    """A flaw as a problem of a file.

    Args:
        file: the file, fit to print.
        flaw: what is wrong.
        site: the site that it is about, "" when that is not known.
    """
    return Problem(
        file=file,
        line=flaw.line,
        column=flaw.column,
        pointer=_pointer(flaw.path),
        message=flaw.message,
        found=flaw.found,
        allowed=flaw.allowed,
        mend=flaw.mend,
        site=site,
    )


def _pointer(path: tuple[str | int, ...]) -> str:
    """RFC 6901, with each part made fit to print."""
    return "".join("/" + safe(str(step)).replace("~", "~0").replace("/", "~1") for step in path)
