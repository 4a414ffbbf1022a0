"""What the schema finds, said to people: what, where, what was found, what is allowed, how to mend it."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice

import idna

from otto.adapters.specs.document import Document, Flaw, Place, Value, find
from otto.adapters.specs.scalar import Odd
from otto.adapters.specs.schema import Finding, Kind
from otto.adapters.specs.text import choices, did_you_mean, quoted, safe
from otto.model.duration import seconds_of
from otto.model.errors import UsageError

Path = tuple[str | int, ...]

_TYPES = {
    "object": "fields (a mapping)",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_LONGEST_DOMAIN = 253  # RFC 1035, 2.3.4, as text
# Values under these names may be secrets of somebody's: they are not shown.
_PRIVATE = ("header", "secret", "token", "password", "passwd", "credential", "key")


def flaws(kind: Kind, document: Document, most: int) -> list[Flaw]:
    """What a kind's schema finds wrong with a document; looking ends after `most` flaws."""
    found: dict[Flaw, None] = {}
    for finding in kind.findings(document.value):
        explain = _EXPLAIN.get(finding.keyword, _other)
        new = explain(finding, find(document.place, finding.path), document.place)
        found |= dict.fromkeys(islice(new, most))
        if len(found) >= most:
            break
    suggested = {(flaw.path[:-1], flaw.allowed) for flaw in found if flaw.message.startswith("unknown field")}
    return [flaw for flaw in found if not _answered(flaw, suggested)]


def _answered(flaw: Flaw, suggested: set[tuple[Path, str]]) -> bool:
    """Whether a missing field is there, only misspelt: one problem, not two."""
    return flaw.message.startswith("missing field") and (flaw.path[:-1], str(flaw.path[-1])) in suggested


def kind_of(value: Value) -> str:
    """What a value is, for people."""
    if isinstance(value, Odd):
        return f"{safe(value.text)}, which YAML may read as {value.reading}"
    names: Mapping[type, str] = {dict: "fields (a mapping)", list: "a list", type(None): "nothing"}
    if type(value) in names:
        return names[type(value)]
    if isinstance(value, bool):
        return f"the truth value {str(value).lower()}"
    return f"the number {value}" if isinstance(value, int | float) else f"the text {quoted(str(value))}"


def shown(value: Value, path: Path) -> str:
    """A value as it may be shown: nothing that could be a secret."""
    if any(word in str(step).lower() for step in path for word in _PRIVATE):
        return "a value that is not shown here"
    return kind_of(value) if not isinstance(value, str) else quoted(value)


def _type(finding: Finding, at: Place, _: Place) -> Iterator[Flaw]:
    value = finding.value
    names = [finding.wanted] if isinstance(finding.wanted, str) else list(finding.wanted)
    wanted, allowed, mend = names[0], "", ""
    if len(names) > 1:
        allowed = finding.schema.get("patternErrorMessage", "")
    if finding.schema.get("format") == "date-time" and isinstance(value, Odd):
        mend = "write it in full, with its time zone, as 2026-12-24T18:00:00Z"
    elif names == ["string"] and isinstance(value, Odd | bool | int | float):
        mend = "put it in quotation marks"
    elif wanted == "boolean" and isinstance(value, Odd | str):
        mend = "write true or false"
    elif wanted in ("integer", "number") and isinstance(value, Odd | str) and not allowed:
        mend = _in_seconds(finding) or "write it in decimal digits, without quotation marks"
    elif wanted == "array" and isinstance(value, str | int | float):
        mend = "write it in brackets, or behind a hyphen on a line of its own: it may be more than one"
    message = f"this has to be {' or '.join(_TYPES.get(name, name) for name in names)}"
    found = shown(value, finding.path)
    yield _flaw(at, finding.path, message, found=found, allowed=allowed, mend=mend)


def _in_seconds(finding: Finding) -> str:
    """For a length of time where a number of seconds is meant, how to write it."""
    if not str(finding.schema.get("description", "")).startswith("Seconds"):
        return ""
    try:
        return f"write it in seconds: {seconds_of(str(finding.value)):.0f}"
    except UsageError:
        return ""


def _unknown(finding: Finding, _: Place, top: Place) -> Iterator[Flaw]:
    known = list(finding.schema.get("properties", {}))
    missing = [name for name in known if name not in finding.value]
    for key in finding.value:
        if key not in known:
            path = (*finding.path, key)
            meant = did_you_mean(key, missing)
            mend = f'did you mean "{meant}"?' if meant else "remove it"
            allowed = meant or choices(known)
            yield _flaw(
                _key(find(top, path)), path, f"unknown field {quoted(key)}", allowed=allowed, mend=mend
            )


def _required(finding: Finding, at: Place, _: Place) -> Iterator[Flaw]:
    for name in finding.wanted:
        if name not in finding.value:
            about = finding.schema.get("properties", {}).get(name, {}).get("description", "")
            message = f'missing field "{name}"'
            yield _flaw(_key(at), (*finding.path, name), message, mend=about.split(". ")[0].rstrip("."))


def _dependent(finding: Finding, at: Place, _: Place) -> Iterator[Flaw]:
    for name, needed in finding.wanted.items():
        for other in needed:
            if name in finding.value and other not in finding.value:
                message = f'missing field "{other}", which goes with "{name}"'
                yield _flaw(_key(at), (*finding.path, other), message)


def _choice(finding: Finding, at: Place, _: Place) -> Iterator[Flaw]:
    if not isinstance(finding.value, str):
        return  # the type is wrong, and that is said already
    wanted = finding.wanted
    allowed = [str(value) for value in (wanted if isinstance(wanted, list) else [wanted])]
    meant = did_you_mean(finding.value, allowed)
    mend = f'did you mean "{meant}"?' if meant else ""
    found = shown(finding.value, finding.path)
    message = "this value is not known here"
    yield _flaw(at, finding.path, message, found=found, allowed=choices(allowed), mend=mend)


def _pattern(finding: Finding, at: Place, _: Place) -> Iterator[Flaw]:
    value, path = finding.value, finding.path
    allowed = finding.schema.get("patternErrorMessage", "")
    if finding.is_name:
        message = "this name is not allowed"
        yield _flaw(_key(at), path, message, found=quoted(value), allowed=allowed)
        return
    message = "this is not written as it has to be"
    mend = _rewritten(value, whole=not _is_record(path)) if _is_host_name(finding) else ""
    yield _flaw(at, path, message, found=shown(value, path), allowed=allowed, mend=mend)


def _is_record(path: Path) -> bool:
    return path[:2] == ("spec", "records") and path[-1] == "name"


def _is_host_name(finding: Finding) -> bool:
    path = finding.path
    return finding.schema.get("format") == "hostname" or path[:2] == ("spec", "domains") or _is_record(path)


def _rewritten(name: str, *, whole: bool) -> str:
    """For a host name that only needs rewriting, how to write it: as A-labels (RFC 5890), in lower case."""
    labels = name[:_LONGEST_DOMAIN].strip().rstrip(".").lower().split(".")
    try:
        labels = [_a_label(label) for label in labels]
    except UnicodeError:
        return ""
    ascii_form = ".".join(labels)
    fits = all(label.replace("-", "").replace("_", "").isalnum() for label in labels if label != "*")
    fits = fits and ascii_form != name and (len(labels) > 1 or not whole)
    return f"write it as {safe(ascii_form, _LONGEST_DOMAIN)}" if fits else ""


def _a_label(label: str) -> str:
    """A label in ASCII (UTS 46)."""
    if label.isascii():
        return label
    return idna.encode(label, uts46=True).decode("ascii")


def _unique(finding: Finding, _: Place, top: Place) -> Iterator[Flaw]:
    seen: list[object] = []
    for number, value in enumerate(finding.value):
        if value in seen:
            path = (*finding.path, number)
            message = "this stands in the list twice"
            yield _flaw(find(top, path), path, message, found=shown(value, path), mend="keep one of them")
        seen.append(value)


def _bound(finding: Finding, at: Place, _: Place) -> Iterator[Flaw]:
    low, high = finding.schema.get("minimum", ""), finding.schema.get("maximum", "")
    message = f"this number is too {'small' if finding.keyword == 'minimum' else 'big'}"
    yield _flaw(at, finding.path, message, found=safe(str(finding.value)), allowed=f"{low} to {high}")


def _size(finding: Finding, at: Place, _: Place) -> Iterator[Flaw]:
    unit = {"maxLength": "characters", "maxItems": "entries"}.get(finding.keyword, "fields")
    message, allowed = f"this is too long: {len(finding.value)} {unit}", f"at most {finding.wanted} {unit}"
    yield _flaw(_key(at) if finding.is_name else at, finding.path, message, allowed=allowed)


def _empty(finding: Finding, at: Place, _: Place) -> Iterator[Flaw]:
    names = choices(list(finding.schema.get("properties", {})))
    yield _flaw(_key(at), finding.path, "this may not be empty", allowed=names)


def _other(finding: Finding, at: Place, _: Place) -> Iterator[Flaw]:
    yield _flaw(at, finding.path, f"the schema's rule `{finding.keyword}` is not met")


def _key(place: Place) -> Place:
    """Where the key of a value stands; the value itself if it has none."""
    return Place(*place.key) if place.key else place


def _flaw(at: Place, path: Path, message: str, **more: str) -> Flaw:
    return Flaw(at.line, at.column, message, path=path, **more)


_EXPLAIN: Mapping[str, Callable[[Finding, Place, Place], Iterator[Flaw]]] = {
    "type": _type,
    "additionalProperties": _unknown,
    "required": _required,
    "dependentRequired": _dependent,
    "enum": _choice,
    "const": _choice,
    "pattern": _pattern,
    "uniqueItems": _unique,
    "minimum": _bound,
    "maximum": _bound,
    "minProperties": _empty,
    "maxProperties": _size,
    "maxLength": _size,
    "maxItems": _size,
}
