"""What a commit or tag of git says, read as strictly as it has to be before a signature of it counts.

The forms are those of git's own documentation (gitformat-signature(5), git-mktag(1)). git itself is lenient
in places: a commit may carry several signatures, of which it looks at one. What is signed here is read in
exactly one way, or not at all.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from otto.model.errors import TerminalError
from otto.model.signature import GitObject, Signed
from otto.model.text import one_line

MOST_BYTES = 1024 * 1024
"""Bytes of a commit or tag; those of people's have some hundred."""

_ID = re.compile(rb"[0-9a-f]{40}")
_PERSON = re.compile(rb"(.*) (-?\d{1,12}) [+-]\d{4}", re.DOTALL)
_MARKER = re.compile(rb"^-----BEGIN [A-Z ]+-----$", re.MULTILINE)
_SIGNATURE = b"gpgsig"
# A repository that converts between SHA-1 and SHA-256 has a signature over each form of an object.
_OTHER_SIGNATURE = b"gpgsig-sha256"
_TAG = (b"object", b"type", b"tag", b"tagger")
_LONGEST_NAME = 200

_Header = tuple[bytes, bytes]


def read(found: GitObject) -> Signed:
    """What an object says.

    Raises:
        TerminalError: it is neither a commit nor a tag, too big, or says something in more than one way.
    """
    if len(found.data) > MOST_BYTES:
        raise _odd(found, f"is bigger than {MOST_BYTES} bytes")
    if found.kind == "commit":
        return _commit(found)
    if found.kind == "tag":
        return _tag(found)
    raise _odd(found, f"is a {found.kind}, which nobody can sign")


def _commit(found: GitObject) -> Signed:
    headers, _ = _parts(found)
    names = [name for name, _ in headers]
    parents = names.count(b"parent")
    if names[: parents + 3] != [b"tree", *[b"parent"] * parents, b"author", b"committer"]:
        raise _odd(found, "does not begin as a commit does")
    rest = names[parents + 3 :]
    if {b"tree", b"parent", b"author", b"committer"} & set(rest):
        raise _odd(found, "says twice what a commit says once")
    if _OTHER_SIGNATURE in rest or rest.count(_SIGNATURE) > 1:
        raise _odd(found, "has more than one signature")
    values = dict(headers)
    committer, at = _person(found, values[b"committer"])
    payload, signature = _without_signature(found.data)
    return Signed(
        found.id,
        "commit",
        _id(found, values[b"tree"]),
        "tree",
        "",
        _person(found, values[b"author"])[0],
        committer,
        at,
        payload,
        _signature(found, signature),
    )


def _tag(found: GitObject) -> Signed:
    headers, body = _parts(found)
    if tuple(name for name, _ in headers) != _TAG:
        raise _odd(found, "does not begin as a tag does")
    values = dict(headers)
    tagger, at = _person(found, values[b"tagger"])
    start = len(found.data) - len(body)
    markers = [match.start() for match in _MARKER.finditer(found.data, start)]
    if len(markers) > 1:
        raise _odd(found, "has more than one signature")
    end = markers[0] if markers else len(found.data)
    return Signed(
        found.id,
        "tag",
        _id(found, values[b"object"]),
        values[b"type"].decode(errors="replace"),
        values[b"tag"].decode(errors="backslashreplace"),
        "",
        tagger,
        at,
        found.data[:end],
        _signature(found, found.data[end:]),
    )


def _parts(found: GitObject) -> tuple[Sequence[_Header], bytes]:
    """The headers, lines that go on joined, and what comes after the empty line."""
    head, _, body = found.data.partition(b"\n\n")
    if b"\0" in head or b"\r" in head:
        raise _odd(found, "holds characters that have no place in its head")
    headers: list[_Header] = []
    for line in head.removesuffix(b"\n").split(b"\n"):
        if line.startswith(b" ") and headers:
            name, value = headers[-1]
            headers[-1] = (name, value + b"\n" + line[1:])
        else:
            name, _, value = line.partition(b" ")
            headers.append((name, value))
    return headers, body


def _without_signature(data: bytes) -> tuple[bytes, bytes]:
    """A commit as it was before it was signed, and the signature."""
    head, gap, body = data.partition(b"\n\n")
    kept: list[bytes] = []
    signature: list[bytes] = []
    inside = False
    for line in head.split(b"\n"):
        inside = line.startswith(_SIGNATURE + b" ") or (inside and line.startswith(b" "))
        (signature if inside else kept).append(line)
    text = b"\n".join(line.partition(b" ")[2] for line in signature)
    return b"\n".join(kept) + gap + body, text


def _signature(found: GitObject, data: bytes) -> str:
    """A signature as text: one block of armour, and nothing before or after it."""
    if not data:
        return ""
    try:
        text = data.decode("ascii").rstrip("\n")
    except UnicodeDecodeError:
        raise _odd(found, "has a signature that is not ASCII") from None
    lines = text.split("\n")
    marks = [line for line in lines if line.startswith("-----")]
    begins, ends = f"{marks[0] if marks else ''}", lines[-1]
    if len(marks) != 2 or lines[0] != begins or ends != begins.replace("BEGIN", "END", 1):  # noqa: PLR2004  (begin, end)
        raise _odd(found, "has a signature that is not one block")
    return text + "\n"


def _person(found: GitObject, value: bytes) -> tuple[str, datetime]:
    match = _PERSON.fullmatch(value)
    if match is None:
        raise _odd(found, "does not say who made it, and when")
    try:
        at = datetime.fromtimestamp(int(match.group(2)), UTC)
    except (ValueError, OverflowError, OSError):
        raise _odd(found, "says it was made at no time there is") from None
    return one_line(match.group(1).decode(errors="replace"), _LONGEST_NAME), at


def _id(found: GitObject, value: bytes) -> str:
    if not _ID.fullmatch(value):
        raise _odd(found, "does not say what it is of")
    return value.decode()


def _odd(found: GitObject, what: str) -> TerminalError:
    mend = "make it anew with git itself, sign it and push again"
    return TerminalError(f"{found.kind} {found.id[:12]} {what}", mend=mend)
