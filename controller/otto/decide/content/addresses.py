"""Where an address leads from a file: to a path of the site itself, or elsewhere (URL Standard)."""

from dataclasses import dataclass
from functools import lru_cache

import ada_url

# A host of our own for a site without domains; `.invalid` is nobody's (RFC 2606).
_HOST = "site.invalid"
_REMEMBERED = 65_536


@dataclass(frozen=True, slots=True)
class Target:
    """Where an address leads to.

    Attributes:
        path: path on the site, `%XX` read; "" when it leads elsewhere.
        fragment: what stands after `#`, `%XX` read.
        bad: whether it is no address at all.
    """

    path: str = ""
    fragment: str = ""
    bad: bool = False


class Addresses:
    """The addresses of one site.

    Args:
        domains: names that the site answers for.
    """

    def __init__(self, domains: frozenset[str] = frozenset()) -> None:
        self._own = domains | {_HOST}
        self._lead = lru_cache(_REMEMBERED)(self._lead_from)

    def lead(self, file: str, base: str, address: str) -> Target:
        """Where an address of a file leads.

        Args:
            file: path of the file within the content.
            base: what the file says its links are relative to, "" when it says nothing.
            address: as it is written.
        """
        address = address.strip(" \t\n\r\f")
        if address.startswith("#") and not base:
            # Within the file itself, whatever address it was reached by.
            return Target(f"/{file}", _decoded(address[1:]))
        # Nearly all addresses depend on the folder alone, and many files of a folder share theirs.
        own = base or not address or address[0] == "?"
        return self._lead(file if own else file.rpartition("/")[0] + "/", base, address)

    def _lead_from(self, file: str, base: str, address: str) -> Target:
        here = f"http://{_HOST}/{_quoted(file.lstrip('/'))}"
        try:
            start = ada_url.URL(base, here).href if base else here
            url = ada_url.URL(address, start)
        except ValueError:
            return Target(bad=True)
        if url.protocol not in ("http:", "https:") or url.hostname not in self._own or url.port:
            return Target()
        return Target(_flat(_decoded(url.pathname)), _decoded(url.hash[1:]))


def _quoted(path: str) -> str:
    """A path as it stands in an address; the rest is the URL parser's."""
    for character, code in (("%", "%25"), ("?", "%3F"), ("#", "%23"), ("\\", "%5C")):
        path = path.replace(character, code)
    return path


def _decoded(text: str) -> str:
    """Text with its `%XX` read, as UTF-8."""
    if "%" not in text:
        return text
    first, *rest = text.encode("utf-8", "replace").split(b"%")
    return b"".join([first, *map(_octet, rest)]).decode("utf-8", "replace")


def _octet(part: bytes) -> bytes:
    digits = part[:2]
    if len(digits) == 2 and all(digit in b"0123456789abcdefABCDEF" for digit in digits):  # noqa: PLR2004
        return bytes([int(digits, 16)]) + part[2:]
    return b"%" + part


def _flat(path: str) -> str:
    """A path without dot segments: nginx reads `%2F` before it takes them out."""
    if "/." not in path:
        return path
    parts: list[str] = []
    for part in path.split("/")[1:]:
        if part == "..":
            del parts[-1:]
        elif part != ".":
            parts.append(part)
    return "/" + "/".join(parts) + ("/" if path.endswith(("/.", "/..")) and parts else "")
