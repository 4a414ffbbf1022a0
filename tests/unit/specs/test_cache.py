"""A file is parsed once."""

from otto.adapters.specs import CachedSpecs, YamlSpecs
from otto.model.catalogue import SpecFile

from .writing import spec


class Counting:
    """Parses, and counts how often."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def parse(self, path: str, data: bytes) -> SpecFile:
        self.asked.append(path)
        return YamlSpecs().parse(path, data)


def test_the_same_bytes_are_parsed_once_and_are_the_same_object() -> None:
    counting = Counting()
    cached = CachedSpecs(counting)
    assert cached.parse("a", spec()) is cached.parse("a", spec())
    assert counting.asked == ["a"]


def test_another_path_is_another_verdict() -> None:
    cached = CachedSpecs(Counting())
    assert [cached.parse(path, spec()).sites[0].file for path in ("a", "b")] == ["a", "b"]


def test_a_known_blob_is_not_even_read() -> None:
    cached = CachedSpecs(Counting())
    reads: list[str] = []

    def read(blob: str) -> bytes:
        reads.append(blob)
        return spec()

    assert cached.parse_blob("a", "1" * 40, read) is cached.parse_blob("a", "1" * 40, read)
    assert reads == ["1" * 40]


def test_it_stays_as_big_as_it_may_be() -> None:
    counting = Counting()
    cached = CachedSpecs(counting, size=2)
    for path in ("a", "b", "a", "c", "a", "b"):
        cached.parse(path, spec())
    assert len(cached) == 2
    assert counting.asked == ["a", "b", "c", "b"]
