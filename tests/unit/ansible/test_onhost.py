"""The fact script and the module that writes files, without a host."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from .conftest import ANSIBLE

SCRIPT = ANSIBLE / "roles/base/files/otto.fact"


def test_the_script_prints_one_object_anywhere() -> None:
    done = subprocess.run([sys.executable, "-IS", SCRIPT], capture_output=True, timeout=20, check=True)
    said = json.loads(done.stdout)
    assert said["schema"] == 1
    assert said["fact"]
    assert done.stderr == b""


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", '{"files": 7, "services": []}', '{"files": [1, null]}']
)
def test_no_list_of_managed_files_breaks_it(fact: Any, text: str) -> None:
    Path(fact.MANAGED).write_text(text)
    said = fact.facts()
    assert (said["files"], said["services"], said["configuration"]) == ({}, {}, None)


def test_missing_files_pipes_and_folders_are_null(fact: Any, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("x")
    paths = [str(tmp_path / name) for name in ("pipe", "file", "missing", ".")]
    Path(fact.MANAGED).write_text(json.dumps({"files": paths}))
    files = fact.facts()["files"]
    assert {Path(path).name for path, digest in files.items() if digest} == {"file"}
    assert len(files) == 4


@pytest.mark.parametrize(
    ("stamp", "nanoseconds"),
    [
        ("Thu 1970-01-01 00:00:00 UTC", 0),
        ("Mon 2026-11-23 17:52:31.000250 UTC", 1_795_456_351_000_250_000),
        ("Sun 2000-02-29 12:00:00.5 UTC", 951_825_600_500_000_000),
        ("", None),
        ("n/a", None),
    ],
)
def test_systemds_times_are_read(fact: Any, stamp: str, nanoseconds: int | None) -> None:
    assert fact.stamp_ns(stamp) == nanoseconds


def test_a_service_is_outdated_when_its_configuration_is_newer(fact: Any, tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("x")
    files = [str(tmp_path / "conf"), str(tmp_path / "missing")]
    old = {"ActiveState": "active", "StateChangeTimestamp": "Sun 2000-02-29 12:00:00 UTC"}
    new = {"ActiveState": "active", "StateChangeTimestamp": "Sun 2090-02-29 12:00:00 UTC"}
    assert fact.service(old, files) == "outdated"
    assert fact.service(old, []) == fact.service(new, files) == "active"
    assert fact.service({"ActiveState": "failed"}, files) == "failed"
    assert fact.service({}, files) == "unknown"


def test_unchanged_content_is_not_read_again_and_changed_content_is(
    fact: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "srv" / "current" / "site"
    site.mkdir(parents=True)
    for n in range(20):
        (site / str(n)).write_text("x")
    monkeypatch.setattr(fact, "RACY_NS", 0)
    time.sleep(0.02)  # clocks of file systems tick every few milliseconds
    first = fact.content()
    hashed: list[bytes] = []
    once = fact.entry_digest

    def counting(path: bytes, status: os.stat_result) -> Any:
        hashed.append(path)
        return once(path, status)

    monkeypatch.setattr(fact, "entry_digest", counting)
    assert (fact.content(), hashed) == (first, [])
    (site / "7").write_text("y")
    assert fact.content() != first
    assert [path.rsplit(b"/")[-1] for path in hashed] == [b"7"]


def test_a_cache_others_may_write_is_not_trusted(fact: Any, tmp_path: Path) -> None:
    fact.keep("content", ("a", "b", "c"))
    assert fact.cached("content") == ("a", "b", "c")
    Path(fact.CACHE).chmod(0o777)
    assert fact.cached("content") is None
    Path(fact.CACHE).chmod(0o700)
    (Path(fact.CACHE) / "content").write_bytes(b"\xff")
    assert fact.cached("content") is None


def test_backends_come_from_haproxys_statistics(fact: Any, tmp_path: Path) -> None:
    table = b"# pxname,svname,qcur,status,\nweb,s-web-1,0,UP,\nweb,s-web-2,0,DOWN 1/2,\n\n"

    def answer(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(100)
            connection.sendall(table)

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(fact.STATISTICS)
        listening.listen()
        thread = threading.Thread(target=answer, args=(listening,))
        thread.start()
        assert fact.backends() == {"s-web-1": "UP", "s-web-2": "DOWN 1/2"}
        thread.join(5)
    Path(fact.STATISTICS).unlink()
    assert fact.backends() == {}


class Module:
    """What `otto_files` needs of Ansible."""

    def run_command(self, command: list[str]) -> tuple[int, str, str]:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        return done.returncode, done.stdout, done.stderr


def wanted(files: Any, path: Path, content: str, **changes: Any) -> Any:
    given = {"path": str(path), "content": content, "mode": "0640", "group": "root", "validate": None}
    return files.Wanted(given | changes)


def test_files_are_written_whole_with_their_permissions(files: Any, tmp_path: Path) -> None:
    made = wanted(files, tmp_path / "a", "text é\n")
    assert not made.right()
    files.write(Module(), [made])
    assert (made.right(), (tmp_path / "a").stat().st_mode & 0o777) == (True, 0o640)
    (tmp_path / "a").chmod(0o600)
    assert not made.right()
    assert files.difference(made)["before"] == "text é\n"


def test_one_refused_file_leaves_all_as_they_were(files: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    first = wanted(files, tmp_path / "a", "new", validate="grep -q new %s")
    second = wanted(files, tmp_path / "b", "new", validate="sh -c 'echo no such word in %s >&2; exit 3'")
    with pytest.raises(files.RefusedError, match=f"{tmp_path}/b was left as it was: sh refuses") as caught:
        files.write(Module(), [first, second])
    assert f"no such word in {tmp_path}/b" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(files: Any, tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("keep")
    (tmp_path / "a").symlink_to(tmp_path / "victim")
    files.write(Module(), [wanted(files, tmp_path / "a", "new")])
    assert (tmp_path / "victim").read_text() == "keep"
    assert (tmp_path / "a").read_text() == "new"


def test_an_unknown_group_is_told(files: Any, tmp_path: Path) -> None:
    with pytest.raises(files.RefusedError, match="no group 'nobodies'"):
        wanted(files, tmp_path / "a", "x", group="nobodies")
