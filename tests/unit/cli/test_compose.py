"""The home is its owner's alone from the first moment, however it was made."""

import stat
from pathlib import Path

import pytest

from otto.cli.compose import open_kit, open_store_only, seed_if_empty
from otto.config import NotifySettings, Settings
from otto.model.errors import UsageError


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home somebody has made before us, for everybody to read."""
    path = tmp_path / "home"
    path.mkdir()
    (path / "cache").mkdir()
    for folder in (path, path / "cache"):
        folder.chmod(0o755)
    return path


async def test_a_home_that_was_open_is_closed(home: Path) -> None:
    async with open_kit(Settings(home=home)):
        assert [_mode(home / name) for name in ("", "cache", "lab", "sites")] == [0o700] * 4
        assert _mode(home / "otto.db") == 0o600


async def test_looking_and_seeding_close_it_too(home: Path) -> None:
    async with open_store_only(Settings(home=home)):
        assert _mode(home) == 0o700
    home.chmod(0o750)
    assert seed_if_empty(Settings(home=home))
    assert _mode(home) == 0o700


def test_a_folder_of_everybodys_is_no_home(home: Path) -> None:
    home.chmod(0o1777)
    with pytest.raises(UsageError, match="shared by everybody") as caught:
        seed_if_empty(Settings(home=home))
    assert "OTTO_HOME" in caught.value.mend
    assert _mode(home) == 0o1777
    assert list(home.iterdir()) == [home / "cache"]


def test_a_folder_of_somebody_elses_is_no_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: home.stat().st_uid + 1)
    with pytest.raises(UsageError, match="belongs to somebody else"):
        seed_if_empty(Settings(home=home))
    assert _mode(home) == 0o755
    home.chmod(0o700)
    assert seed_if_empty(Settings(home=home))


def test_a_folder_that_cannot_be_closed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, _mode: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(UsageError, match="closed to others: Operation not permitted"):
        seed_if_empty(Settings(home=home))


async def test_ways_to_tell_people_that_others_may_read_keep_otto_from_starting(home: Path) -> None:
    ways = home / "ways"
    ways.write_text("json://127.0.0.1:9/s3cr3tt0ken99\n", encoding="utf-8")
    ways.chmod(0o640)
    settings = Settings(home=home, notify=NotifySettings(urls=f"file:{ways}"))
    with pytest.raises(UsageError, match="others may read") as caught:
        async with open_kit(settings):
            pass
    assert caught.value.mend == f"chmod 600 {ways}"
    ways.chmod(0o600)
    async with open_kit(settings) as kit:
        assert b'otto_notifications_total{result="sent"} 0.0' in kit.metrics.render()[0]


async def test_a_kind_of_notice_that_is_not_known_keeps_otto_from_starting(home: Path) -> None:
    with pytest.raises(UsageError, match=r"notify\.events"):
        async with open_kit(Settings(home=home, notify=NotifySettings(events="frezee"))):
            pass
