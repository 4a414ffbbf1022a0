"""Python packages of an environment, as installers note them down beside them (PEP 376, PEP 566)."""

import base64
import binascii
import csv
import re
from dataclasses import dataclass

from otto.model.image import Package

SOURCE = "pypi"
"""What such a package says of where it comes from."""
RECORD = "RECORD"
# Below /usr/lib/python3 they are Debian's.
_NOTE = re.compile(rf"((?!usr/lib/).*/site-packages)/[^/]+\.dist-info/(METADATA|{RECORD})")
_SHA256 = "sha256="


@dataclass(frozen=True, slots=True)
class Note:
    """A file that says something of a package: which it is, or which files it brought."""

    folder: str
    kind: str


def note(path: str) -> Note | None:
    """What a file is, None when it is nothing of the kind."""
    found = _NOTE.fullmatch(path)
    return Note(found[1], found[2]) if found else None


def package(metadata: str) -> Package | None:
    """The package that a METADATA tells of."""
    lines = metadata.partition("\n\n")[0].splitlines()
    fields = dict(line.split(": ", 1) for line in lines if ": " in line and line[0] not in " \t")
    if not fields.get("Name"):
        return None
    return Package(fields["Name"], fields.get("Version", ""), source=SOURCE)


def files(folder: str, record: str) -> dict[str, str]:
    """Files that a RECORD lists -> their SHA-256 in hexadecimal."""
    rows = (row for row in csv.reader(record.splitlines()) if len(row) > 1)
    return {f"{folder}/{row[0]}": _hex(row[1]) for row in rows if row[1].startswith(_SHA256)}


def _hex(told: str) -> str:
    text = told.removeprefix(_SHA256)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()
    except (binascii.Error, ValueError):
        return ""
