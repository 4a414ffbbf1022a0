"""The fact script, without a host."""

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
    "value",
    [
        {"b": None, "a": {"/etc/x": "0f", "y": 1}, "c": {}},
        {'quo"te': "back\\slash", "line\nend": "tab\t"},
        {"umlaut ü": "\ud800", "control": "\x7f\x00"},
        [True, 1.5, "a list"],
    ],
)
def test_what_it_prints_is_json(fact: Any, value: Any) -> None:
    assert json.loads(fact.dumped(value)) == value


def test_documents_are_kept_by_what_is_in_them(fact: Any, tmp_path: Path) -> None:
    path = tmp_path / "some.json"
    for text, value in (
        ('{"a": [1]}', {"a": [1]}),
        ('{"a": [2]}', {"a": [2]}),
        ("[", {}),
        ("[1]", {}),
        ("", {}),
    ):
        path.write_text(text)
        assert fact.document(str(path)) == value
        assert fact.document(str(path)) == value
    path.unlink()
    assert fact.document(str(path)) == {}


@pytest.mark.parametrize("said", ["Id=a.service\nActiveState=active\n", ""])
def test_systemd_is_heard_to_the_end(fact: Any, tmp_path: Path, said: str) -> None:
    fact.SYSTEMCTL = str(tmp_path / "systemctl")
    Path(fact.SYSTEMCTL).write_text(f"#!/bin/sh\nprintf '%s' '{said}'\n")
    Path(fact.SYSTEMCTL).chmod(0o755)
    found = fact.shown(fact.asked(["a"]))
    assert found.get("a.service", {}).get("ActiveState") == ("active" if said else None)


def test_a_systemd_that_does_not_answer_is_let_go(fact: Any, tmp_path: Path) -> None:
    fact.SYSTEMCTL, fact.SECONDS = str(tmp_path / "systemctl"), 2.2
    Path(fact.SYSTEMCTL).write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    Path(fact.SYSTEMCTL).chmod(0o755)
    assert fact.services({"a": []}, fact.asked(["a"])) == {"a": "unknown"}
    pid = tmp_path / "pid"
    assert not pid.exists() or not Path(f"/proc/{pid.read_text().strip()}").exists()
    fact.SYSTEMCTL = str(tmp_path / "nowhere")
    assert fact.services({"a": []}, fact.asked(["a"])) == {"a": "unknown"}


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
