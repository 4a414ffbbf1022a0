"""The folder of the provider's socket: it does not stay, however a provider ends."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from otto.lab.provider import serve as serving
from otto.lab.provider.certificate import certificate
from otto.lab.provider.folder import running, socket_folder, sweep
from otto.lab.provider.lab import LabProvider

NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)
# The folder of a provider that waits until it is killed.
HOLD = """
import sys, time
from pathlib import Path
from otto.lab.provider.folder import socket_folder
with socket_folder(Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose path leaves room for a socket's, wherever the suite's own folders are."""
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="otto-") as folder:
        yield Path(folder)


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        folder = Path(child.stdout.readline().strip())
        assert f"-{child.pid}-" in folder.name
        assert sweep(tmp_path) == 0, "it is in use"
        child.send_signal(signal.SIGKILL)
    return folder


def test_what_a_killed_provider_left_is_removed_by_the_next(killed: Path, tmp_path: Path) -> None:
    assert killed.is_dir()
    with socket_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert list(tmp_path.iterdir()) == [folder]
    assert not folder.exists()


def test_nothing_else_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = tmp_path / "otto-lab-provider-7-abcdefgh"
    for name in ("otto-lab-provider-abcdefgh", f"{ours.name}.kept", "otto-lab-provider-07-abcdefgh"):
        (tmp_path / name).mkdir()
    (tmp_path / "otto-lab-provider-8-abcdefgh").touch()
    (tmp_path / "otto-lab-provider-9-abcdefgh").symlink_to(tmp_path)
    ours.mkdir()
    before = set(tmp_path.iterdir())
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert sweep(tmp_path, lambda _: False) == 0, "somebody else's"
    monkeypatch.undo()
    assert sweep(tmp_path, lambda _: True) == 0, "in use"
    assert sweep(tmp_path, lambda _: False) == 1
    assert before - set(tmp_path.iterdir()) == {ours}
    assert sweep(tmp_path / "nowhere") == 0


def test_which_processes_run() -> None:
    assert running(os.getpid())
    assert running(1)
    assert not running(9_999_999_999)


def test_the_folder_goes_before_anything_is_waited_for(
    short: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    there_at_the_end = []
    made = grpc.server

    def watched(*arguments: object) -> object:
        server = made(*arguments)
        stop = server.stop

        def watched_stop(grace: float) -> object:
            there_at_the_end.append(folder.exists())
            return stop(grace)

        server.stop = watched_stop
        return server

    monkeypatch.setattr(grpc, "server", watched)
    done = threading.Event()
    done.set()
    with socket_folder(short) as folder:
        serving.serve(LabProvider(), folder, certificate(short / "c.json", NOW), done, lambda: 1)
    assert there_at_the_end == [False]
    assert capsys.readouterr().out.startswith(f"1|6|unix|{folder}/socket|grpc|")
