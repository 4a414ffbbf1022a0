"""A file is parsed and validated once in its life."""

from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256

from otto.model.catalogue import SpecFile
from otto.ports import Specs


class CachedSpecs:
    """Remembers what files said, by path and content; the least lately asked for is forgotten.

    Args:
        inner: what parses.
        size: verdicts kept at most.
    """

    def __init__(self, inner: Specs, size: int = 20_000) -> None:
        self._inner = inner
        self._size = size
        self._kept: OrderedDict[tuple[str, str], SpecFile] = OrderedDict()

    def parse(self, path: str, data: bytes) -> SpecFile:
        """As the port says; bytes seen before under this path are not parsed again."""
        return self.parse_blob(path, sha256(data).hexdigest(), lambda _: data)

    def parse_blob(self, path: str, blob: str, read: Callable[[str], bytes]) -> SpecFile:
        """The verdict on a blob, which is read only when it is not known yet.

        Args:
            path: where the blob stands.
            blob: its id, which names its content for good.
            read: gives the bytes of a blob, as `Source.read` does.
        """
        key = (path, blob)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._inner.parse(path, read(blob))
            if len(self._kept) > self._size:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return kept

    def __len__(self) -> int:
        return len(self._kept)
