"""What a start tag refers to: the attributes of HTML and SVG that hold addresses."""

import re
from collections.abc import Iterator, Mapping

from otto.decide.content import stylesheet
from otto.model.inspection import Link

LONGEST = 4000
_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "a": ("href", "xlink:href"),
    "area": ("href",),
    "audio": ("src",),
    "button": ("formaction",),
    "embed": ("src",),
    "form": ("action",),
    "frame": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src", "srcset"),
    "input": ("src", "formaction"),
    "link": ("href", "imagesrcset"),
    "object": ("data",),
    "script": ("src", "href", "xlink:href"),
    "source": ("src", "srcset"),
    "track": ("src",),
    "use": ("href", "xlink:href"),
    "video": ("src", "poster"),
}
_SETS = frozenset({"srcset", "imagesrcset"})
# Only a server is named by these, not a file.
_SERVERS = frozenset({"preconnect", "dns-prefetch"})
_REFRESH = re.compile(r"\s*\d[\d.]*\s*[;,]?\s*url\s*=\s*[\"']?([^\"']*)", re.IGNORECASE)
_SPACES = " \t\n\f\r"


def references(name: str, attributes: Mapping[str, str], line: int) -> Iterator[Link]:
    """Every reference of one start tag.

    Args:
        name: of the element, in lower case.
        attributes: name -> value, character references read already.
        line: where it stands.
    """
    if name == "link" and _SERVERS.intersection(attributes.get("rel", "").lower().split()):
        return
    for attribute in _ATTRIBUTES.get(name, ()):
        value = attributes.get(attribute)
        if value is None or len(value) > LONGEST:
            continue
        targets = candidates(value) if attribute in _SETS else [value]
        yield from (Link(line, f"{name} {attribute}", target) for target in targets)
    if name == "meta" and attributes.get("http-equiv", "").lower() == "refresh":
        found = _REFRESH.match(attributes.get("content", "")[:LONGEST])
        if found:
            yield Link(line, "meta refresh", found[1])
    if "style" in attributes and len(attributes["style"]) <= LONGEST:
        yield from stylesheet.links(attributes["style"], line)


def candidates(text: str) -> Iterator[str]:
    """Addresses of a `srcset` (HTML standard, "parse a srcset attribute"); their sizes are not judged."""
    rest = text
    while rest := rest.lstrip(_SPACES + ","):
        size = next((place for place, character in enumerate(rest) if character in _SPACES), len(rest))
        address, rest = rest[:size], rest[size:]
        if address.endswith(","):
            yield address.rstrip(",")
            continue
        yield address
        rest = _after_descriptors(rest)


def _after_descriptors(text: str) -> str:
    """What follows the comma that ends a candidate; commas in brackets do not."""
    depth = 0
    for place, character in enumerate(text):
        depth += (character == "(") - (character == ")" and depth > 0)
        if character == "," and not depth:
            return text[place + 1 :]
    return ""
