"""Values of records: what a person writes, checked, and as they stand in a zone file (RFC 1035, 5.1)."""

import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

from otto.model.domain import RecordType

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_HOST_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,4}")
_TAG = re.compile(r"[a-z0-9]{1,15}")
_LONGEST_NAME = 253
_LONGEST_STRING = 255  # RFC 1035, 3.3: a character string
_WORD = 65_535
_ENCODED = "write it as whoever reads it decodes it, in base64 or xn--…"
_OCTET = 255


class ValueFlaw(Exception):  # noqa: N818  (not an error of the program)
    """A value that is none of its type.

    Attributes:
        message: what is wrong.
        allowed: what may stand there.
        mend: how to put it right.
    """

    def __init__(self, message: str, *, allowed: str = "", mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.allowed = allowed
        self.mend = mend


def normal(kind: RecordType, text: str, zone: str) -> str:
    """A value as it stands in a zone file, names absolute.

    Args:
        kind: the record's type.
        text: what a person wrote.
        zone: the zone; a single label is a name in it.

    Raises:
        ValueFlaw: it is no value of that type.
    """
    return _READERS[kind](text, zone)


def _address(text: str, _: str) -> str:
    try:
        return str(IPv4Address(text))
    except AddressValueError:
        message, allowed = "this is no IPv4 address", "four numbers, as 192.0.2.10"
        raise ValueFlaw(message, allowed=allowed) from None


def _address6(text: str, _: str) -> str:
    try:
        address = IPv6Address(text)
    except AddressValueError:
        raise ValueFlaw("this is no IPv6 address", allowed="as 2001:db8::10") from None
    if address.scope_id:
        raise ValueFlaw("an address of a record has no zone of its own", mend="leave out % and what follows")
    return str(address)


def _any_name(text: str, zone: str) -> str:
    return _name(text, zone, _LABEL)


def _host(text: str, zone: str) -> str:
    return _name(text, zone, _HOST_LABEL)


def _name(text: str, zone: str, label: re.Pattern[str]) -> str:
    """A name in full with its last dot. One with a dot inside says by a last dot that it is whole."""
    if text == "@":
        return f"{zone}."
    name = text.removesuffix(".")
    whole = text.endswith(".")
    if _is_address(name):
        mend = "name the host it is of, or hold the address itself in an A or AAAA record"
        raise ValueFlaw("this is an address, and no host name", mend=mend)
    if not name or not all(map(label.fullmatch, name.split("."))):
        message = "this is no host name"
        raise ValueFlaw(message, allowed="as mail.example.org. or mail, in lower case and ASCII (xn--…)")
    if not whole and "." in name:
        message = "it is not clear whether this name ends here"
        inside = f'write "{name}." if it does, or "{name}.{zone}." if it is in this zone'
        raise ValueFlaw(message, mend=inside)
    full = name if whole else f"{name}.{zone}"
    if len(full) > _LONGEST_NAME:
        raise ValueFlaw("this name is too long", allowed=f"at most {_LONGEST_NAME} characters in all")
    return f"{full}."


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _mx(text: str, zone: str) -> str:
    parts = text.split()
    if len(parts) != 2:  # noqa: PLR2004
        raise ValueFlaw("this is no MX record", allowed="a preference and a host name, as 10 mail")
    preference = _number(parts[0], _WORD, "preference")
    # RFC 7505: the root says that no mail is taken.
    return f"{preference} {'.' if parts[1] == '.' else _host(parts[1], zone)}"


def _srv(text: str, zone: str) -> str:
    parts = text.split()
    if len(parts) != 4:  # noqa: PLR2004
        allowed = "priority, weight, port and a host name, as 10 5 5060 sip"
        raise ValueFlaw("this is no SRV record", allowed=allowed)
    names = ("priority", "weight", "port")
    numbers = [_number(part, _WORD, name) for part, name in zip(parts, names, strict=False)]
    # RFC 2782: the root says that the service is not there.
    return " ".join([*map(str, numbers), "." if parts[3] == "." else _host(parts[3], zone)])


def _caa(text: str, _: str) -> str:
    parts = text.split(None, 2)
    if len(parts) != 3:  # noqa: PLR2004
        allowed = 'flags, a tag and a value, as 0 issue "letsencrypt.org"'
        raise ValueFlaw("this is no CAA record", allowed=allowed)
    flags = _number(parts[0], _OCTET, "flags")
    if not _TAG.fullmatch(parts[1]):
        raise ValueFlaw(f"the tag {parts[1][:20]!r} is none", allowed="issue, issuewild, iodef, …")
    strings = _strings(parts[2]) if parts[2].startswith('"') else [parts[2].strip().encode()]
    if len(strings) != 1:
        raise ValueFlaw("a CAA record has one value", allowed='as 0 issue "letsencrypt.org"')
    return f"{flags} {parts[1]} {_quoted(strings[0])}"


def _txt(text: str, _: str) -> str:
    """Plain text, cut into strings of 255 bytes; or strings in quotation marks, as in a zone file."""
    if text.startswith('"'):
        strings = _strings(text)
        if any(len(string) > _LONGEST_STRING for string in strings):
            allowed = f"at most {_LONGEST_STRING} bytes in each pair of quotation marks"
            mend = "write it without quotation marks of its own: it is split by itself"
            raise ValueFlaw("one of these strings is too long", allowed=allowed, mend=mend)
    else:
        data = text.encode()
        strings = [data[at : at + _LONGEST_STRING] for at in range(0, len(data), _LONGEST_STRING)] or [b""]
    if any(not " " <= chr(byte) <= "~" for string in strings for byte in string):
        # DNS could hold it; octoDNS and the providers behind it cannot.
        raise ValueFlaw("this holds characters that are not printable ASCII", mend=_ENCODED)
    return " ".join(map(_quoted, strings))


def _strings(text: str) -> list[bytes]:
    """The strings in quotation marks that a text consists of."""
    found: list[bytes] = []
    rest = text.strip()
    while rest:
        match = re.match(r'"((?:[^"\\]|\\[0-9]{3}|\\[^0-9])*)"(?:\s+|$)', rest)
        if match is None:
            mend = 'write \\" for one that is meant, or the text without any'
            raise ValueFlaw("the quotation marks do not match", mend=mend)
        found.append(_unescaped(match.group(1)))
        rest = rest[match.end() :]
    return found


def _unescaped(text: str) -> bytes:
    def plain(match: re.Match[str]) -> str:
        code = match.group(1)
        if not code.isdigit():
            return code
        if int(code) > _OCTET:
            raise ValueFlaw(f"\\{code} is no byte", allowed="\\000 to \\255")
        return chr(int(code))

    # What is escaped by number is a byte, whatever the rest is written in.
    parts = re.split(r"(\\[0-9]{3}|\\.)", text)
    return b"".join(
        plain(escape).encode("latin-1" if escape.group(1).isdigit() else "utf-8")
        if (escape := re.fullmatch(r"\\([0-9]{3}|.)", part, re.DOTALL))
        else part.encode()
        for part in parts
    )


def _quoted(data: bytes) -> str:
    """A character string as zone files have it."""
    return '"' + "".join(map(_escaped, data)) + '"'


def _escaped(byte: int) -> str:
    character = chr(byte)
    if character in '"\\':
        return f"\\{character}"
    return character if " " <= character <= "~" else f"\\{byte:03d}"


def _number(text: str, most: int, what: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > most:
        raise ValueFlaw(f"the {what} is no number of its kind", allowed=f"0 to {most}")
    return int(text)


_READERS: Mapping[RecordType, Callable[[str, str], str]] = {
    RecordType.A: _address,
    RecordType.AAAA: _address6,
    RecordType.ALIAS: _any_name,
    RecordType.CAA: _caa,
    RecordType.CNAME: _any_name,
    RecordType.MX: _mx,
    RecordType.NS: _host,
    RecordType.SRV: _srv,
    RecordType.TXT: _txt,
}
