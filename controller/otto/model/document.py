"""Documents of the spec repository, as the stores give them out and take them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Data = Mapping[str, Any]
"""A document as plain data: mappings, lists, text, numbers, booleans, None."""


class Kind(StrEnum):
    """Kinds of documents that can be written through the API."""

    SITE = "Site"
    DOMAIN = "Domain"
    HOST = "Host"


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it stands in a commit.

    Attributes:
        kind: what it describes.
        name: whose it is.
        data: what it says, as plain data; no defaults filled in.
        etag: strong hash of that content, whatever file, comments and order it has.
        file: where it stands.
        line: the line it begins on.
        commit: in which it was read.
    """

    kind: Kind
    name: str
    data: Data
    etag: str
    file: str
    line: int
    commit: str


@dataclass(frozen=True, slots=True)
class Piece:
    """One document of a file, whether it is a good one or not.

    Attributes:
        index: its place among the documents of the file, from 0.
        kind: what it says it is, "" when it does not.
        name: of what it describes; of a tombstone, its site; "" when it does not say.
        data: what it says, as plain data.
        line: the line it begins on.
        flawed: whether something is wrong with the YAML itself, so that `data` is not all of it.
    """

    index: int
    kind: str
    name: str
    data: Data
    line: int
    flawed: bool = False


@dataclass(frozen=True, slots=True)
class Commission:
    """A change of files to be made one commit.

    Attributes:
        author: who wants it: the name, as it is to stand in the commit.
        email: the address that stands beside it.
        message: first line and the rest.
        base: commit that the files were read in.
        files: path -> new bytes, None for a file that goes.
    """

    author: str
    email: str
    message: str
    base: str
    files: Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a write.

    Attributes:
        commit: in which it stands now.
        document: as it stands there; None when it is gone.
        changed: whether a commit was made for it: what said the same already makes none.
        digest: of the wish that came of it, "" where nothing comes of it.
    """

    commit: str
    document: Document | None
    changed: bool
    digest: str = ""
    notes: tuple[str, ...] = field(default=())
