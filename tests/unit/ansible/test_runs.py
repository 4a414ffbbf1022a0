"""The pieces around a run: its folder, its deadlines, its variables, the digests of roles."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path, PurePath

import pytest

from otto import resources
from otto.adapters.ansible import processes
from otto.adapters.ansible.asking import Asked
from otto.adapters.ansible.command import wrapped
from otto.adapters.ansible.processes import MARK, kill_strays
from otto.adapters.ansible.rolefiles import role_digests
from otto.adapters.ansible.variables import parts, variables
from otto.adapters.ansible.workspace import sweep, workspace
from otto.model.configuration import ConfigurationRequest
from otto.model.errors import TerminalError, TransientError
from otto.model.host import Host
from otto.model.plan import StepKind
from otto.model.spec import Algorithm, Role
from otto.testing import FakeClock

ANSIBLE = resources.path("infra", "ansible")


def host(name: str, role: Role, last: int) -> Host:
    return Host(name, role, name, "127.0.0.1", f"10.0.0.{last}", 40000 + last, "otto", 41000 + last, "")


WEB = (host("s-web-2", Role.WEB, 12), host("s-web-1", Role.WEB, 11))
BALANCER = host("s-balancer-1", Role.BALANCER, 2)


def test_a_run_has_a_private_folder_that_goes_with_it(tmp_path: Path) -> None:
    with workspace(tmp_path / "runs", {"secret": "x"}) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "secret").stat().st_mode & 0o777 == 0o600
        assert sweep(tmp_path / "runs") == 0, "it is in use"
    assert not folder.exists()


def test_folders_of_killed_runs_are_swept_with_their_processes(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    abandoned = runs / "run-old"
    abandoned.mkdir(parents=True)
    (abandoned / "secret").touch()
    (runs / "new-old").mkdir()
    (runs / "other").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env={MARK: str(abandoned)}
    ) as left:
        assert sweep(runs) == 1
        assert left.wait(10) == -9
    assert [path.name for path in runs.iterdir()] == ["other"]
    assert sweep(tmp_path / "nowhere") == 0
    assert kill_strays(tmp_path) == 0


FORKING = """
import os, time
end = time.monotonic() + 20
while time.monotonic() < end:
    if os.fork() == 0:
        os.execvp("sh", ["sh", "-c", "sleep 0.02; sleep 20 & exec sleep 20"])
    time.sleep(0.005)
"""


def living(folder: Path) -> list[bytes]:
    """What still runs for a run's folder: command lines."""
    mark, found = f"{MARK}={folder}".encode(), []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes())
        except OSError:
            continue
    return found


def test_nothing_that_forks_meanwhile_gets_away(tmp_path: Path) -> None:
    for folder in (tmp_path / "one", tmp_path / "two"):
        with subprocess.Popen([sys.executable, "-c", FORKING], env=os.environ | {MARK: str(folder)}) as began:
            while len(living(folder)) < 10:
                assert began.poll() is None
            assert kill_strays(folder) >= 10
            assert living(folder) == []
            assert began.wait(10) == -9


LEAVING = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print("ready", flush=True)
signal.sigwait([signal.SIGUSR1])
if os.fork() == 0:
    os.execvp("sleep", ["sleep", "20"])
"""


def test_what_a_process_started_that_ended_while_we_looked_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = processes._pids
    with subprocess.Popen(
        [sys.executable, "-c", LEAVING], env=os.environ | {MARK: str(tmp_path)}, stdout=subprocess.PIPE
    ) as began:
        assert began.stdout is not None
        assert began.stdout.readline() == b"ready\n"

        def first() -> list[int]:
            """The number of what is about to end is seen; not the one of what it starts before that."""
            monkeypatch.setattr(processes, "_pids", later)
            began.send_signal(signal.SIGUSR1)
            os.waitid(os.P_PID, began.pid, os.WEXITED | os.WNOWAIT)
            return [began.pid]

        monkeypatch.setattr(processes, "_pids", first)
        assert kill_strays(tmp_path) == 1
        assert living(tmp_path) == []


def test_what_does_not_go_in_time_is_told(tmp_path: Path) -> None:
    with (
        subprocess.Popen(["sleep", "20"], env=os.environ | {MARK: str(tmp_path)}) as left,
        pytest.raises(TransientError, match=f"do not end 0 s after they were killed: {left.pid}"),
    ):
        kill_strays(tmp_path, seconds=0)
    assert left.wait(10) == -9


OWNER = """
import os, shutil, signal, sys
from pathlib import Path
from otto.adapters.ansible.workspace import workspace

calls = 0

def count(event, _):
    global calls
    calls += event.startswith(("os.", "open", "fcntl.", "shutil.", "tempfile."))
    if calls == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
with workspace(Path(sys.argv[1]), {"one": "1", "two": "2"}):
    pass
sys.exit(3)
"""


def test_killed_at_any_moment_a_run_leaves_what_the_next_sweep_removes(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    for moment in range(1, 100):
        status = subprocess.run(
            [sys.executable, "-c", OWNER, str(runs), str(moment)], timeout=60, check=False
        ).returncode
        sweep(runs)
        assert list(runs.iterdir()) == []
        if status == 3:
            break
        assert status == -9
    assert 8 < moment < 99


def test_what_is_no_run_of_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run-link").symlink_to(tmp_path)
    (tmp_path / "run-file").touch()
    assert sweep(tmp_path) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run-file", "run-link"]


def test_without_ansible_the_mend_is_a_command_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TerminalError) as caught:
        wrapped(["ansible-playbook", "site.yml"])
    assert caught.value.mend == "make run (or infra/setup/setup run) installs it"
    root = ANSIBLE.parent.parent
    assert (root / "infra/setup/setup").is_file()
    assert "\nrun:" in (root / "Makefile").read_text()


def test_a_hosts_time_begins_when_ansible_turns_to_it() -> None:
    clock = FakeClock()
    asked = Asked(["a", "b", "c"], clock, 8, forks=1)
    assert asked.patience() == 20 + 24
    asked.started("a")
    asked.started("stranger")
    assert asked.patience() == 8
    clock._passed += 8
    assert asked.late() == ["a"]
    assert not asked.answered("a"), "too late"
    assert asked.answered("b")
    assert not asked.answered("b")
    assert asked.rest() == ["c"]
    assert not asked


def test_web_servers_get_domains_and_whom_to_trust() -> None:
    request = ConfigurationRequest(
        "s", StepKind.CONFIGURE, WEB, WEB, (BALANCER,), ("a.example",),
        controllers=("10.0.0.1", "10.0.0.1"), digests={"s-web-1": "d1"},
    )  # fmt: skip
    assert variables(request)["s-web-1"] == {
        "otto_site": "s",
        "otto_host": "s-web-1",
        "otto_roles": ["base", "nginx", "seal"],
        "otto_domains": ["a.example"],
        "otto_balancers": ["10.0.0.2"],
        "otto_controllers": ["10.0.0.1"],
        "otto_config_digest": "d1",
    }


def test_balancers_get_their_servers_in_order_at_the_port_they_serve_on() -> None:
    request = ConfigurationRequest(
        "s", StepKind.CONFIGURE, (BALANCER,), WEB, (BALANCER,), algorithm=Algorithm.LEASTCONN
    )
    got = variables(request)["s-balancer-1"]
    assert got["otto_algorithm"] == "leastconn"
    assert got["otto_backends"] == [
        {"name": "s-web-1", "address": "10.0.0.11", "port": 80},
        {"name": "s-web-2", "address": "10.0.0.12", "port": 80},
    ]


def test_a_deployment_brings_content_and_nothing_else() -> None:
    request = ConfigurationRequest(
        "s",
        StepKind.DEPLOY,
        WEB,
        domains=("a.example",),
        revision="r",
        archive=PurePath("/c.tar"),
        repair=True,
    )
    assert variables(request)["s-web-2"] == {
        "otto_site": "s",
        "otto_host": "s-web-2",
        "otto_roles": ["content"],
        "otto_revision": "r",
        "otto_content_archive": "/c.tar",
        "otto_content_repair": True,
    }


@pytest.mark.parametrize(
    ("server", "roles", "expected"),
    [
        (WEB[0], None, ("base", "nginx", "seal")),
        (BALANCER, None, ("base", "haproxy", "seal")),
        (WEB[0], ("nginx",), ("nginx",)),
        (BALANCER, ("base",), ("base",)),
        (BALANCER, ("haproxy", "base"), ("base", "haproxy", "seal")),
        (WEB[0], (), ()),
    ],
)
def test_a_host_gets_the_roles_asked_for_and_is_sealed_after_all_of_them(
    server: Host, roles: tuple[str, ...] | None, expected: tuple[str, ...]
) -> None:
    asked = {} if roles is None else {server.name: roles}
    request = ConfigurationRequest("s", StepKind.CONFIGURE, (*WEB, BALANCER), roles=asked)
    assert parts(request, server) == expected
    both = replace(request, archive=PurePath("/c.tar"), revision="r")
    assert parts(both, server) == (*expected, *(("content",) if server.role is Role.WEB else ()))
    content = {name: "otto_revision" in own for name, own in variables(both).items()}
    assert content == {"s-web-1": True, "s-web-2": True, "s-balancer-1": False}


@pytest.mark.parametrize("role", ["haproxy", "content", "seal", "", "x"])
def test_a_role_that_a_host_does_not_have_is_refused(role: str) -> None:
    request = ConfigurationRequest("s", StepKind.CONFIGURE, WEB, roles={"s-web-1": ("base", role)})
    with pytest.raises(TerminalError, match=f"host s-web-1 has no role '{role}', only base and nginx"):
        variables(request)


def test_what_the_play_cannot_do_is_refused() -> None:
    for kind, reason in ((StepKind.VERIFY, "no step 'verify'"), (StepKind.DEPLOY, "no archive")):
        with pytest.raises(TerminalError, match=reason):
            parts(ConfigurationRequest("s", kind, WEB), WEB[0])


def test_roles_are_named_by_what_they_hold(tmp_path: Path) -> None:
    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    for name in ("roles/base/tasks/main.yml", "roles/nginx/tasks/main.yml", "plugins/m.py", "site.yml"):
        write(name, name)
    before = role_digests(tmp_path)
    write("roles/nginx/__pycache__/x.pyc", "x")
    assert role_digests(tmp_path) == before
    write("plugins/m.py", "changed")
    shared = role_digests(tmp_path)
    assert (shared["base"] != before["base"], shared["nginx"] == before["nginx"]) == (True, True)
    (tmp_path / "roles/nginx/tasks/main.yml").chmod(0o755)
    assert role_digests(tmp_path)["nginx"] != before["nginx"]


@pytest.mark.parametrize("role", ["base", "nginx", "haproxy", "content"])
def test_every_role_has_a_digest(role: str) -> None:
    assert len(role_digests(ANSIBLE)[role]) == 64
