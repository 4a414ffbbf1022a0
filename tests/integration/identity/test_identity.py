"""The identity of a home, with the real ssh-keygen."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otto.adapters.identity import identity
from otto.model.errors import TerminalError


def test_a_home_keeps_the_identity_it_got_at_first(tmp_path: Path) -> None:
    assert identity(tmp_path / "home") == identity(tmp_path / "home")


def test_two_homes_are_different(tmp_path: Path) -> None:
    one, other = identity(tmp_path / "one"), identity(tmp_path / "other")
    assert one.owner != other.owner
    assert one.public_key != other.public_key


def test_the_private_key_is_the_owners_alone(tmp_path: Path) -> None:
    key = identity(tmp_path / "home").key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700


def test_the_public_key_is_a_line_for_authorized_keys(tmp_path: Path) -> None:
    assert identity(tmp_path).public_key.startswith("ssh-ed25519 AAAA")


def test_many_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: identity(tmp_path / "home"), range(8)))
    assert len(found) == 1
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"owner", "keys"}


def test_a_damaged_mark_is_refused_and_not_replaced(tmp_path: Path) -> None:
    identity(tmp_path)
    (tmp_path / "owner").write_text("oops")
    with pytest.raises(TerminalError, match="eight hex digits"):
        identity(tmp_path)
    assert (tmp_path / "owner").read_text() == "oops"
