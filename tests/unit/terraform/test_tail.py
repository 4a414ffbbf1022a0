"""Following a file while it grows."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otto.adapters.terraform.tail import LONGEST_LINE, Tail

reused_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@reused_folder
@given(st.lists(st.binary(max_size=20) | st.just(b"\n")))
def test_however_the_pieces_come_the_lines_are_the_same(tmp_path: Path, pieces: list[bytes]) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"")
    found: list[bytes] = []
    with Tail(path) as tail, path.open("ab", buffering=0) as file:
        for piece in pieces:
            file.write(piece)
            found += tail.lines()
        found += tail.remainder()
    whole = b"".join(pieces).split(b"\n")
    assert found == (whole if whole[-1] else whole[:-1])


def test_a_line_without_end_costs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n" + b"x" * (3 * LONGEST_LINE) + b"\nlast\nrest")
    with Tail(path) as tail:
        assert tail.lines() == [b"first", b"last"]
        assert tail.remainder() == [b"rest"]


def test_a_long_line_that_comes_in_pieces_is_dropped_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * (LONGEST_LINE + 1))
    with Tail(path) as tail, path.open("ab", buffering=0) as file:
        assert tail.lines() == []
        file.write(b"still the same line\nnext\n")
        assert tail.lines() == [b"next"]
