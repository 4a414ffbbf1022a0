"""What a schema cannot say of one document: rules that join fields, or take an address apart."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

from otto.adapters.specs import domainrules, rules
from otto.adapters.specs.build import normal
from otto.adapters.specs.document import Document, Flaw, Place
from otto.adapters.specs.hostspec import host_flaws
from otto.adapters.specs.rules import flaw as _flaw
from otto.adapters.specs.text import did_you_mean, quoted

_LAB_SIZES = ("small", "medium", "large")
_Path = tuple[str | int, ...]


def flaws(document: Document) -> list[Flaw]:
    """What is wrong with a document that its schema accepts."""
    value: Any = document.value
    if value["kind"] == "Domain":
        return list(domainrules.flaws(value, document.place))
    if value["kind"] == "Host":
        return list(host_flaws(value, document.place))
    return list(_RULES[value["kind"]](value["spec"], document.place))


def beside(document: Document, found: Sequence[Flaw]) -> list[Flaw]:
    """What else is wrong with a document, where that can be told beside what its schema finds."""
    value: Any = document.value
    if value["kind"] != "Domain":
        return []
    return list(domainrules.beside(value, document.place, [flaw.path for flaw in found]))


def _site(spec: Mapping[str, Any], place: Place) -> Iterator[Flaw]:
    yield from _sizes(spec, place)
    yield from _domains(spec, place)
    yield from _content(spec["content"], place)
    yield from rules.site_policy(spec.get("policy", {}), place, ("spec", "policy"))
    yield from rules.site_rollout(spec.get("rollout", {}), place, ("spec", "rollout"))


def _tombstone(spec: Mapping[str, Any], place: Place) -> Iterator[Flaw]:
    if "at" in spec:
        yield from rules.time(spec["at"], place, ("spec", "at"))


def _sizes(spec: Mapping[str, Any], place: Place) -> Iterator[Flaw]:
    if spec.get("provider", "lab") != "lab":
        return
    for role in ("web", "balancer"):
        size = spec.get(role, {}).get("size", "small")
        if size not in _LAB_SIZES:
            meant = did_you_mean(size, _LAB_SIZES)
            yield _flaw(
                place,
                ("spec", role, "size"),
                "the lab has no such size",
                found=quoted(size),
                allowed=", ".join(_LAB_SIZES),
                mend=f'did you mean "{meant}"?' if meant else "",
            )


def _domains(spec: Mapping[str, Any], place: Place) -> Iterator[Flaw]:
    for number, domain in enumerate(spec.get("domains", ())):
        if "xn--" in domain and not _decodes(domain):
            yield _flaw(
                place,
                ("spec", "domains", number),
                "this is not the ASCII form (RFC 3492) of any international name",
                found=quoted(domain),
            )


def _decodes(domain: str) -> bool:
    try:
        domain.encode("ascii").decode("idna")
    except UnicodeError:
        return False
    return True


def _content(content: Mapping[str, str], place: Place) -> Iterator[Flaw]:
    base: _Path = ("spec", "content")
    if not content.keys() & {"path", "git"}:
        yield _flaw(place, base, "this does not say where the content is", mend='add "path" or "git"')
    if "path" in content:
        yield from _folder(content["path"], place, outside="git" not in content)
    if "git" in content:
        for message, mend in _address(content["git"]):
            yield _flaw(place, (*base, "git"), message, found=quoted(content["git"]), mend=mend)


def _folder(path: str, place: Place, *, outside: bool) -> Iterator[Flaw]:
    parts = path.split("/")
    at: _Path = ("spec", "content", "path")
    if ".." in parts:
        yield _flaw(
            place,
            at,
            "this path leaves the repository",
            found=quoted(path),
            mend='write it from the top of the repository, without ".."',
        )
    elif not normal(path) and outside:
        yield _flaw(
            place,
            at,
            "the whole repository cannot be a site's content",
            found=quoted(path),
            mend="name a folder inside it",
        )
    elif ".git" in (part.lower() for part in parts):
        yield _flaw(place, at, "no content lies in .git", found=quoted(path))


def _address(text: str) -> Iterator[tuple[str, str]]:
    try:
        address = urlsplit(text)
        port_fits = address.port is None or address.port > 0
    except ValueError:
        yield "this is no address", "write it as https://HOST/PATH"
        return
    elsewhere = "give credentials to the controller (settings, by host), never in a spec"
    if address.password is not None or (address.username and address.scheme == "https"):
        yield "credentials do not belong into an address", elsewhere
    elif address.query or address.fragment or not port_fits:
        yield "an address of a repository has no query and no fragment", "leave them out"
    elif not _complete(address):
        yield "this address names no repository", "write it as https://HOST/PATH"


def _complete(address: SplitResult) -> bool:
    named = address.scheme == "file" or bool(address.hostname and not address.hostname.startswith("-"))
    return named and len(address.path) > 1 and ".." not in address.path.split("/")


_RULES: Mapping[str, Callable[[Mapping[str, Any], Place], Iterator[Flaw]]] = {
    "Site": _site,
    "Tombstone": _tombstone,
    "FleetPolicy": rules.fleet_policy,
}
