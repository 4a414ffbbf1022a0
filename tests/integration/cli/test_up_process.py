"""`otto up` as a process of its own, over the real store and a real repository without sites."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pygit2
import pytest
from tests.integration.git.serving import certificate

OTTO = [sys.executable, "-c", "from otto.cli.main import main; main()"]
LIMIT = 60


@pytest.fixture
def environ(tmp_path: Path) -> Mapping[str, str]:
    repository = pygit2.init_repository(str(tmp_path / "specs"), initial_head="main")
    who = pygit2.Signature("Test", "test@example.com", 1_700_000_000, 0)
    tree = repository.TreeBuilder()
    tree.insert("README", repository.create_blob(b"no site yet"), pygit2.enums.FileMode.BLOB)
    repository.create_commit("refs/heads/main", who, who, "Begin", tree.write(), [])
    return dict(os.environ) | {
        "OTTO_HOME": str(tmp_path / "home"),
        "OTTO_API_PORT": "0",
        "OTTO_SOURCE_URL": f"file://{tmp_path / 'specs'}",
        "COLUMNS": "200",
    }


def otto(environ: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*OTTO, *words], env=environ, capture_output=True, text=True, timeout=LIMIT, check=False
    )


@contextmanager
def running(environ: Mapping[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([*OTTO, "up", *words], env=environ, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line_with(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout
    for line in process.stdout:
        if words in line:
            return line
    raise AssertionError(f"it ended without saying {words!r}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_cleanly(environ: Mapping[str, str], number: signal.Signals) -> None:
    home = Path(environ["OTTO_HOME"])
    with running(environ, "--plain") as process:
        line_with(process, "no site has a spec")
        assert (home / "control.sock").stat().st_mode & 0o777 == 0o600
        assert json.loads(otto(environ, "status", "--json").stdout)["controller"]["pid"] == process.pid
        process.send_signal(number)
        rest, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, errors
    assert "OttO has stopped." in rest
    assert "stopping: " in rest + errors
    assert not (home / "control.sock").exists()
    assert "controller.stopped" in otto(environ, "logs").stdout


def test_a_second_one_over_the_same_home_is_refused(environ: Mapping[str, str]) -> None:
    with running(environ, "--plain") as process:
        line_with(process, "no site has a spec")
        second = otto(environ, "up", "--until-ready")
        assert second.returncode == 1
        assert (
            f"a controller already runs over {environ['OTTO_HOME']} (process {process.pid})" in second.stderr
        )
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT)


def test_a_killed_controller_leaves_nothing_in_the_way(environ: Mapping[str, str]) -> None:
    with running(environ, "--plain") as process:
        line_with(process, "no site has a spec")
        process.kill()
        process.communicate(timeout=LIMIT)
    assert json.loads(otto(environ, "status", "--json").stdout)["controller"]["running"] is False
    done = otto(environ, "up", "--until-ready")
    assert done.returncode == 1
    assert "no site has a spec on branch main" in done.stdout


def test_health_over_http(environ: Mapping[str, str]) -> None:
    with running(environ, "--plain") as process:
        line_with(process, "no site has a spec")
        url = f"http://127.0.0.1:{_port(process.pid)}"
        for path in ("/healthz", "/readyz", "/metrics"):
            with urllib.request.urlopen(url + path, timeout=LIMIT) as answer:  # noqa: S310  (loopback)
                assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT)


def _port(pid: int) -> int:
    """The TCP port a process listens on."""
    mine = {str(item.readlink()) for item in Path(f"/proc/{pid}/fd").iterdir() if item.is_symlink()}
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and f"socket:[{fields[9]}]" in mine:
            return int(fields[1].rpartition(":")[2], 16)
    raise AssertionError("it listens nowhere")


def test_nothing_is_written_where_nothing_ran(environ: Mapping[str, str]) -> None:
    done = otto(environ, "status")
    assert done.returncode == 0
    assert "no sites over" in done.stdout
    assert not Path(environ["OTTO_HOME"]).exists()


def test_tokens_let_another_machine_in_for_as_long_as_they_hold(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    public, key = certificate(tmp_path)
    settings = {
        "OTTO_API_ANONYMOUS": "never",
        "OTTO_API_CERTIFICATE": str(public),
        "OTTO_API_KEY": str(key),
        "OTTO_NOTIFY_URLS": "env:WAYS",
        "WAYS": "json://127.0.0.1:1/hook",
    }
    with running(dict(environ) | settings, "--plain") as process:
        line_with(process, "no site has a spec")
        kept = tmp_path / "token"
        made = otto(environ, "token", "create", "ci", "--scope", "operate", "--to", str(kept), "--json")
        assert made.returncode == 0, made.stderr
        far = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path / "nobody"),
            "OTTO_HOME": str(tmp_path / "none"),
            "OTTO_SERVER": f"https://127.0.0.1:{_port(process.pid)}",
            "OTTO_REMOTE_CA": str(public),
            "OTTO_TOKEN": kept.read_text().strip(),
        }
        seen = otto(far, "status", "--json")
        assert seen.returncode == 0, seen.stderr
        assert seen.stdout == otto(environ, "status", "--json").stdout
        assert json.loads(otto(far, "audit", "--json").stdout)["records"][0]["what"] == "token-create"
        tried = otto(far, "notify", "--test", "--json")
        assert json.loads(tried.stdout)["ways"][0]["sent"] is False
        assert "this needs the scope admin" in otto(far, "token", "list").stderr
        without = otto(far | {"OTTO_TOKEN": ""}, "status")
        assert (without.returncode, "a token is needed" in without.stderr) == (1, True)
        assert otto(environ, "token", "revoke", "ci").returncode == 0
        refused = otto(far, "status")
        assert (refused.returncode, "was revoked" in refused.stderr) == (1, True)
        assert not (tmp_path / "none").exists()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT)
    written = b"".join(path.read_bytes() for path in Path(environ["OTTO_HOME"]).rglob("*") if path.is_file())
    assert far["OTTO_TOKEN"].encode() not in written
