"""Documents of one commit, found by kind and name, good ones and bad ones."""

from collections.abc import Iterator
from dataclasses import dataclass

from otto.decide import writing
from otto.decide.catalogue import unreadable
from otto.model.canonical import digest
from otto.model.document import Document, Kind, Piece
from otto.model.errors import UsageError
from otto.ports import Source
from otto.ports.specbook import Editor
from otto.reconcile.fleet import Fleet

TOMBSTONE = "Tombstone"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands.

    Attributes:
        path: its file.
        piece: the document.
    """

    path: str
    piece: Piece

    def __str__(self) -> str:
        return f"{self.path}:{self.piece.line}"


class Shelf:
    """Finds documents.

    Args:
        source: the repository.
        fleet: knows which file names what.
        editor: reads files document by document.
    """

    def __init__(self, source: Source, fleet: Fleet, editor: Editor) -> None:
        self._source = source
        self._fleet = fleet
        self._editor = editor

    def find(self, commit: str, kind: Kind, name: str) -> Place | None:
        """Where a document of a commit stands; None when there is none.

        Raises:
            UsageError: it stands twice, or in a file that cannot be read.
        """
        found = list(self.places(commit, kind.value, name)) if commit else []
        if len(found) > 1:
            where = ", ".join(map(str, found[:3]))
            mend = "take all but one of them out by a commit"
            raise UsageError(f"{kind.value} {name} stands in more than one place: {where}", mend=mend)
        return found[0] if found else None

    def places(self, commit: str, kind: str, name: str) -> Iterator[Place]:
        """All places of a commit at which a document of that kind and name stands.

        Raises:
            UsageError: a file that mentions the name cannot be read.
        """
        listed = writing.problem_key(Kind(kind), name) if kind in set(Kind) else name
        for path, file in self._fleet.files(commit).items():
            if listed in file.names:
                for piece in self._editor.pieces(path, self.read(commit, path)):
                    if piece.kind == kind and piece.name == name:
                        yield Place(path, piece)

    def read(self, commit: str, path: str) -> bytes:
        """Bytes of a spec file.

        Raises:
            UsageError: it is a link, or too big.
        """
        entry = self._source.entries(commit)[path]
        bad = unreadable(entry)
        if bad is not None:
            raise UsageError(str(bad.problems[0]), mend="mend that file by a commit of your own")
        return self._source.read(entry.blob)

    def document(self, commit: str, kind: Kind, place: Place) -> Document:
        """What stands at a place."""
        piece = place.piece
        return Document(kind, piece.name, piece.data, etag(piece), place.path, piece.line, commit)


def etag(piece: Piece) -> str:
    """Strong hash of what a document says, whatever file, comments and order it has."""
    return digest([piece.data, piece.flawed])
