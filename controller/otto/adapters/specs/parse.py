"""The port `Specs`: one file in, its sites and its problems out."""

import re
from collections.abc import Iterator, Sequence

from otto.adapters.specs import build, explain, semantics
from otto.adapters.specs.compose import documents
from otto.adapters.specs.decode import decode
from otto.adapters.specs.document import Document, Flaw, Place, Stop, Value, find
from otto.adapters.specs.limits import SpecLimits
from otto.adapters.specs.schema import API_VERSION, KINDS, kind
from otto.adapters.specs.text import choices, did_you_mean, quoted, safe
from otto.model.catalogue import SpecFile
from otto.model.problem import Problem
from otto.model.spec import SiteSpec

_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?")
# Names in a file that YAML cannot read: better a guess than a site that seems to have been removed.
_NAME_GUESS = re.compile(
    r"^metadata:[ \t]*(?:#.*)?\n(?:[ \t].*\n|\n){0,50}?[ \t]+name:[ \t]*[\"']?([a-z][a-z0-9-]{0,39})\b",
    re.MULTILINE,
)


class YamlSpecs:
    """Reads specs written in YAML.

    Args:
        limits: how much a file may hold.
    """

    def __init__(self, limits: SpecLimits | None = None) -> None:
        self._limits = limits or SpecLimits()

    def parse(self, path: str, data: bytes) -> SpecFile:
        """Parse and validate one file.

        Every problem is found at once, up to the limit; never raises for what the file says.
        """
        reading = _Reading(safe(path, 200), path)
        try:
            self._read(reading, data)
        except Stop as stop:
            reading.blame(stop.flaw)
            reading.guess_names(data)
        return reading.result(self._limits.problems)

    def _read(self, reading: "_Reading", data: bytes) -> None:
        if len(data) > self._limits.size:
            message = f"this file is too big: {len(data)} bytes"
            raise Stop(Flaw(0, 0, message, allowed=f"at most {self._limits.size} bytes", mend="split it"))
        for document in documents(decode(data), self._limits):
            reading.take(document, self._limits.problems + 1)


class _Reading:
    """What is known so far of one file."""

    def __init__(self, shown_path: str, path: str) -> None:
        self._file = shown_path
        self._path = path
        self._sites: list[SiteSpec] = []
        self._names: dict[str, None] = {}
        self._problems: list[Problem] = []

    def take(self, document: Document, most: int) -> None:
        """Judge one document; looking for problems ends after `most`."""
        if document.value is None and not document.flaws:
            return
        name = _name(document.value)
        if name:
            self._names[name] = None
        found = [*document.flaws, *_flaws(document, most)]
        for flaw in found:
            self.blame(flaw, name)
        if not found and isinstance(document.value, dict):
            value = kind(str(document.value["kind"])).filled(document.value)
            self._sites.append(build.site(value, self._path, document.place.line))

    def blame(self, flaw: Flaw, site: str = "") -> None:
        """Keep a problem."""
        self._problems.append(
            Problem(
                file=self._file,
                line=flaw.line,
                column=flaw.column,
                pointer=_pointer(flaw.path),
                message=flaw.message,
                found=flaw.found,
                allowed=flaw.allowed,
                mend=flaw.mend,
                site=site,
            )
        )

    def guess_names(self, data: bytes) -> None:
        """Look for names of sites in text that could not be read."""
        text = data[: 1024 * 1024].decode("utf-8", errors="replace")
        for match in _NAME_GUESS.finditer(text):
            self._names[match.group(1)] = None

    def result(self, most: int) -> SpecFile:
        """All of it, problems in order of place."""
        problems = sorted(dict.fromkeys(self._problems))
        if len(problems) > most:
            problems = [*problems[:most], Problem(self._file, 0, 0, "", "there are more problems, not shown")]
        return SpecFile(self._path, tuple(self._sites), tuple(problems), tuple(self._names))


def _flaws(document: Document, most: int) -> Sequence[Flaw]:
    header = list(_header(document.value, document.place))
    if header:
        return header
    value = document.value
    known = kind(str(value["kind"])) if isinstance(value, dict) else None
    found = explain.flaws(known, document, most) if known else []
    # Rules that join fields are only asked of documents whose fields are right.
    return found or (semantics.flaws(document) if not document.flaws else [])


def _header(value: Value, place: Place) -> Iterator[Flaw]:
    """What is wrong with `apiVersion` and `kind`, which say how to read the rest."""
    if not isinstance(value, dict):
        message = "a document has to be a mapping that begins with apiVersion and kind"
        yield Flaw(place.line, place.column, message, found=explain.kind_of(value))
        return
    for name, allowed in (("apiVersion", [API_VERSION]), ("kind", list(KINDS))):
        if name not in value:
            yield from _missing(name, value, allowed, place)
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


def _name(value: Value) -> str:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) and _NAME.fullmatch(name) else ""


def _pointer(path: tuple[str | int, ...]) -> str:
    """RFC 6901, with each part made fit to print."""
    return "".join("/" + safe(str(step)).replace("~", "~0").replace("/", "~1") for step in path)
