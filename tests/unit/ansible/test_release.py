"""Releases: laid whole, switched in one step, mended file by file, the same digest everywhere."""

import base64
import io
import os
import tarfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAME = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="/"), min_size=1, max_size=8
)
PATH = st.lists(NAME.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=3).map("/".join)


def fits(files: dict[str, bytes]) -> bool:
    folders = {path.rsplit("/", n)[0] for path in files for n in range(1, path.count("/") + 1)}
    return not folders & files.keys()


TREES = st.dictionaries(PATH, st.binary(max_size=64), min_size=1, max_size=8).filter(fits)


def tar(path: Path, files: dict[str, bytes], *extra: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        for member in extra:
            archive.addfile(member)
    return path


def wanted(revision: str, digest: str, archive: Path | None, **changes: Any) -> dict[str, Any]:
    standard = {"revision": revision, "digest": digest, "archive": archive, "look": False}
    return standard | {"keep": 3, "repair": False} | changes


def deploy(
    release: Any, action: Any, root: Path, revision: str, files: dict[str, bytes], **changes: Any
) -> dict[str, Any]:
    archive = tar(root.parent / f"{revision}.tar", files)
    releases = release.Releases(root)
    with releases.locked():
        done: dict[str, Any] = release.deploy(
            releases, wanted(revision, action.archive_digest(archive), archive, **changes)
        )
    return done


def served(root: Path) -> dict[str, bytes]:
    site = root / "current" / "site"
    return {str(path.relative_to(site)): path.read_bytes() for path in site.rglob("*") if path.is_file()}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(files=TREES)
def test_archive_tree_and_fact_agree_on_the_digest(
    files: dict[str, bytes], release: Any, action: Any, fact: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("otto")
    done = deploy(release, action, root / "srv", "r", files)
    fact.CURRENT, fact.CACHE = str(root / "srv" / "current"), str(root / "run")
    assert served(root / "srv") == files
    assert fact.content() == done["digest"]
    assert fact.content() == done["digest"], "and again, from what was kept"


def test_the_same_release_again_changes_nothing(release: Any, action: Any, tmp_path: Path) -> None:
    assert deploy(release, action, tmp_path / "srv", "r", {"a": b"1"})["changed"]
    assert not deploy(release, action, tmp_path / "srv", "r", {"a": b"1"})["changed"]
    assert deploy(release, action, tmp_path / "srv", "r", {"a": b"1"}, repair=True)["changed"]


def test_a_small_archive_comes_along_packed(release: Any, action: Any, tmp_path: Path) -> None:
    archive = tar(tmp_path / "a.tar", {"a": b"1"})
    packed = base64.b64encode(zlib.compress(archive.read_bytes(), 1)).decode()
    releases = release.Releases(tmp_path / "srv")
    with releases.locked():
        asked = wanted("r", action.archive_digest(archive), None, packed=packed)
        assert release.deploy(releases, asked)["changed"]
        assert served(tmp_path / "srv") == {"a": b"1"}
        with pytest.raises(release.RefusedError, match="no archive was given"):
            release.deploy(releases, asked | {"packed": None, "revision": "other"})


@pytest.mark.parametrize("revision", ["", "../x", ".x", "a b", "a" * 129])
def test_what_cannot_name_a_release_is_refused(release: Any, tmp_path: Path, revision: str) -> None:
    with pytest.raises(release.RefusedError, match="cannot name a release"):
        release.deploy(release.Releases(tmp_path / "srv"), wanted(revision, "0" * 64, None))


def test_looking_changes_nothing(release: Any, action: Any, tmp_path: Path) -> None:
    looked = deploy(release, action, tmp_path / "srv", "r", {"a": b"1"}, look=True)
    assert (looked["changed"], looked["present"], looked["current"]) == (True, False, False)
    assert not (tmp_path / "srv" / "current").exists()


def test_damage_of_every_kind_is_mended(release: Any, action: Any, tmp_path: Path) -> None:
    files = {"a": b"1", "d/b": b"2", "d/e/c": b"3", "f": b"4"}
    deploy(release, action, tmp_path / "srv", "r", files)
    site = tmp_path / "srv" / "current" / "site"
    (site / "a").write_bytes(b"defaced")
    (site / "f").unlink()
    (site / "f").mkdir()
    (site / "f" / "x").touch()
    release.remove(site / "d")
    (site / "d").symlink_to("/etc")
    (site / "extra").symlink_to("a")
    site.chmod(0o700)
    assert deploy(release, action, tmp_path / "srv", "r", files)["changed"]
    assert served(tmp_path / "srv") == files
    assert not (site / "extra").is_symlink()
    assert site.stat().st_mode & 0o777 == 0o755
    assert (Path("/etc") / "passwd").exists()


def test_old_releases_go_and_the_served_one_never(release: Any, action: Any, tmp_path: Path) -> None:
    root = tmp_path / "srv"
    for n, revision in enumerate("abcd"):
        deploy(release, action, root, revision, {"f": revision.encode()})
        os.utime(root / "releases" / revision / "revision", (n, n))
    back = deploy(release, action, root, "b", {"f": b"b"})
    assert sorted(path.name for path in (root / "releases").iterdir()) == ["b", "c", "d"]
    assert served(root) == {"f": b"b"}
    assert back["pruned"] == []
    with release.Releases(root).locked():
        assert set(release.Releases(root).prune(1)) == {"c", "d"}


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (member("../x"), "outside"),
        (member("a/../../x"), "outside"),
        (member("/x"), "outside"),
        (member("x", tarfile.SYMTYPE, "/etc"), "neither a file nor a folder"),
        (member("x", tarfile.LNKTYPE, "/etc/passwd"), "neither a file nor a folder"),
        (member("x", tarfile.CHRTYPE), "neither a file nor a folder"),
        (member("x", tarfile.FIFOTYPE), "neither a file nor a folder"),
    ],
)
def test_hostile_archives_are_refused_and_change_nothing(
    bad: tarfile.TarInfo, reason: str, release: Any, action: Any, tmp_path: Path
) -> None:
    root = tmp_path / "srv"
    deploy(release, action, root, "good", {"a": b"1"})
    archive = tar(tmp_path / "bad.tar", {"a": b"2"}, bad)
    releases = release.Releases(root)
    with pytest.raises(release.RefusedError, match=reason):
        release.deploy(releases, wanted("bad", action.archive_digest(archive), archive))
    assert served(root) == {"a": b"1"}
    deploy(release, action, root, "next", {"a": b"3"})
    assert sorted(path.name for path in (root / "releases").iterdir()) == ["good", "next"]


def test_an_archive_that_is_not_what_was_announced_is_refused(release: Any, tmp_path: Path) -> None:
    archive = tar(tmp_path / "a.tar", {"a": b"1"})
    releases = release.Releases(tmp_path / "srv")
    with releases.locked(), pytest.raises(release.RefusedError, match="was announced"):
        release.deploy(releases, wanted("r", "0" * 64, archive))
    assert not (tmp_path / "srv" / "current").is_symlink()


def test_a_full_disk_is_told_before_anything_is_written(
    release: Any, action: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "SPARE_BYTES", 1 << 60)
    with pytest.raises(release.RefusedError, match="bytes free"):
        deploy(release, action, tmp_path / "srv", "r", {"a": b"1"})


def test_servers_agree_on_time_stamps_and_other_bytes_have_others(
    release: Any, action: Any, tmp_path: Path
) -> None:
    stamps = []
    for name, data in (("one", b"a"), ("two", b"a"), ("three", b"b")):
        deploy(release, action, tmp_path / name, "r", {"f": data})
        stamps.append((tmp_path / name / "current" / "site" / "f").stat().st_mtime)
    assert stamps[0] == stamps[1] != stamps[2]
