"""The doctor's checks, as tables over a machine made up of dictionaries."""

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from otto import resources
from otto.cli.doctor import Check, Machine, Outside, State, place, run_checks, table, tools
from otto.cli.doctor import engine as engine_checks
from otto.cli.main import app
from otto.config import ApiSettings, LabSettings, Settings
from otto.model.spec import Provider

HOME = Path("/srv/otto")
SETTINGS = Settings(home=HOME)
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
LOCK = "aiohttp==3.1 \\\n    --hash=sha256:00\ncolorama==0.4 ; sys_platform == 'win32' \\\n"
ALL_CAPABILITIES = "Name:\totto\nCapEff:\t000001ffffffffff\n"
NO_SYS_RESOURCE = "CapEff:\t000001fffeffffff\n"
ENGINE = "unix:///run/podman/podman.sock"
SIGNING = (
    "{apiVersion: otto/v1, kind: FleetPolicy,"
    " spec: {signatures: {require: commits, keys: [{file: signers}]}}}"
)
NETAVARK = "/usr/lib/podman/netavark"
AARDVARK = "/usr/lib/podman/aardvark-dns"
BASE_TAG = ("bash", str(resources.path("infra", "lab", "build-base")), "--tag")


@dataclass(frozen=True)
class PaperMachine:
    """A machine on which everything is well, unless a test says otherwise."""

    variables: Mapping[str, str] = field(default_factory=dict)
    programs: frozenset[str] = frozenset({"podman", "ssh", "ansible-playbook", "mmdebstrap"})
    outputs: Mapping[tuple[str, ...], str] = field(
        default_factory=lambda: {
            ("terraform", "version"): "Terraform v1.11.4\non linux_amd64\n",
            ("git", "--version"): "git version 2.39.5",
            ("podman", "--version"): "podman version 4.3.1\n",
            ("runc", "--version"): "runc version 1.1.5\nspec: 1.0\n",
            ("iptables", "-t", "nat", "-S"): "",
            ("ip", "-json", "route", "show", "table", "main"): '[{"dst":"default","dev":"eth0"}]',
            BASE_TAG: "localhost/otto-lab-base:1\n",
            ("podman", "image", "inspect", "--format", "ok", "localhost/otto-lab-base:1"): "ok\n",
        }
    )
    files: Mapping[str, str] = field(
        default_factory=lambda: {
            "/proc/self/status": ALL_CAPABILITIES,
            "/proc/meminfo": "MemTotal: 9000000 kB\nMemAvailable:  8388608 kB\n",
            "/proc/sys/fs/inotify/max_user_instances": "1024\n",
            "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
            str(resources.root() / "requirements.lock"): LOCK,
            NETAVARK: "",
            AARDVARK: "",
        }
    )
    modes: Mapping[str, int] = field(default_factory=dict)
    locked_up: bool = False
    space: int = 50 * place.GIB
    engines: tuple[str, str] = ("", "")
    images: frozenset[str] = frozenset()
    port_is_free: bool = True
    uid: int = 0
    hard: int = sys.maxsize
    version: tuple[int, int, int] = (3, 11, 7)
    distributions: Mapping[str, str] = field(
        default_factory=lambda: {"aiohttp": "3.1", "ansible-core": "2.19.1"}
    )
    asked: tuple[str, ...] = ()
    time: datetime = NOW

    def environ(self, name: str) -> str:
        return self.variables.get(name, "")

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def run(self, *command: str) -> str | None:
        return self.outputs.get(command)

    def read(self, path: Path) -> str | None:
        return self.files.get(str(path))

    def exists(self, path: Path) -> bool:
        return str(path) in self.files

    def children(self, path: Path) -> list[Path]:
        return sorted(Path(item) for item in self.modes if Path(item).parent == path)

    def mode(self, path: Path) -> int | None:
        return self.modes.get(str(path))

    def writable(self, _path: Path) -> bool:
        return not self.locked_up

    def free(self, _path: Path) -> int:
        return self.space

    def engine(self, _folder: Path, _setting: str) -> tuple[str, str]:
        return self.engines

    def image(self, _url: str, reference: str) -> bool:
        return reference in self.images

    def port_free(self, _address: str, _port: int) -> bool:
        return self.port_is_free

    def user(self) -> int:
        return self.uid

    def hard_limit(self, _name: str) -> int:
        return self.hard

    def python(self) -> tuple[int, int, int]:
        return self.version

    def installed(self) -> Mapping[str, str]:
        return self.distributions

    def requirements(self) -> list[str]:
        return list(self.asked)

    def now(self) -> datetime:
        return self.time

    def installed_at(self) -> datetime:
        return NOW - timedelta(days=1)


WELL = PaperMachine()


def without(*commands: str) -> Mapping[tuple[str, ...], str]:
    return {command: text for command, text in WELL.outputs.items() if command[0] not in commands}


def routed(*routes: Mapping[str, str]) -> PaperMachine:
    command = ("ip", "-json", "route", "show", "table", "main")
    return dataclasses.replace(WELL, outputs={**WELL.outputs, command: json.dumps(routes)})


def changed(**changes: object) -> PaperMachine:
    return dataclasses.replace(WELL, **changes)  # type: ignore[arg-type]


def signing(without: str = "") -> PaperMachine:
    """A machine whose policy demands signatures, without a program or a file."""
    files = {str(HOME / "policy.yaml"): SIGNING, str(HOME / "signers"): "ada"}
    programs = WELL.programs | {"ssh-keygen", "gpgv"}
    return changed(
        files={name: text for name, text in files.items() if name != without}, programs=programs - {without}
    )


def test_everything_is_well_on_a_well_machine() -> None:
    checks = run_checks(WELL, SETTINGS)
    assert [check for check in checks if check.state is not State.OK] == []
    assert len({check.name for check in checks}) == len(checks) > 20


def test_the_lab_is_not_looked_at_where_it_may_not_be_touched() -> None:
    names = {
        check.name for check in run_checks(WELL, dataclasses.replace(SETTINGS, providers=(Provider.AWS,)))
    }
    assert "Container engine" not in names
    assert "Terraform" in names


# check, machine, state, what "found" says, what the mend says
CASES: list[tuple[Callable[[Outside, Settings], Check], PaperMachine, State, str, str]] = [
    (tools.python, changed(version=(3, 10, 1)), State.FAIL, "3.10.1", "newer Python"),
    (tools.packages, changed(distributions={}), State.FAIL, "aiohttp missing (locked: 3.1)", "setup venv"),
    (tools.packages, changed(distributions={"aiohttp": "2"}), State.FAIL, "aiohttp 2 (locked: 3.1)", "venv"),
    (tools.packages, WELL, State.OK, "1, all as locked", ""),
    (tools.packages, changed(files={}, asked=("aiohttp>=3", 'x; extra == "dev"')), State.OK, "1", ""),
    (tools.packages, changed(files={}, asked=("Py_YAML>=6",)), State.FAIL, "py-yaml missing", "reinstall"),
    (tools.terraform, changed(outputs=without("terraform")), State.FAIL, "missing", "on the PATH"),
    (
        tools.terraform,
        changed(outputs=without("terraform"), programs=frozenset({"tofu"})),
        State.FAIL,
        "missing",
        "OTTO_TERRAFORM_BINARY=tofu",
    ),
    (
        tools.terraform,
        changed(outputs={("terraform", "version"): "Terraform v1.8.9\n"}),
        State.FAIL,
        "Terraform 1.8.9",
        "Terraform 1.9.0 or OpenTofu 1.7.0, or newer",
    ),
    (
        tools.terraform,
        changed(outputs={("terraform", "version"): "OpenTofu v1.8.9\n"}),
        State.OK,
        "OpenTofu 1.8.9",
        "",
    ),
    (tools.ansible, changed(programs=frozenset()), State.FAIL, "no ansible-playbook", "setup venv"),
    (
        tools.git,
        changed(outputs={("git", "--version"): "git version 2.9.5"}),
        State.FAIL,
        "2.9.5",
        "install git",
    ),
    (tools.signatures, PaperMachine(), State.OK, "none are demanded", ""),
    (tools.signatures, signing(), State.OK, "commits are checked", ""),
    (tools.signatures, signing(without="gpgv"), State.FAIL, "gpgv missing", "apt-get install gpgv"),
    (tools.signatures, signing(without=str(HOME / "signers")), State.FAIL, "signers missing", "put /srv"),
    (tools.ssh, changed(programs=frozenset()), State.FAIL, "missing", "openssh-client"),
    (tools.mmdebstrap, changed(programs=frozenset()), State.FAIL, "missing", "mmdebstrap"),
    (place.home, changed(locked_up=True), State.FAIL, str(HOME), "OTTO_HOME"),
    (place.secrets, changed(modes={f"{HOME}/sites/a": 0o755}), State.FAIL, "mode 755", f"{HOME}/sites/a"),
    (place.secrets, changed(modes={f"{HOME}/keys/id_ed25519": 0o640}), State.FAIL, "640", "chmod go="),
    (place.secrets, changed(modes={f"{HOME}": 0o755}), State.FAIL, "mode 755", f"chmod go= {HOME}"),
    (place.secrets, changed(modes={f"{HOME}/otto.db": 0o644}), State.FAIL, "644", f"{HOME}/otto.db"),
    (place.secrets, changed(modes={f"{HOME}/control.sock": 0o600}), State.OK, "closed", ""),
    (place.disk, changed(space=3 * place.GIB), State.WARN, "3.0 GiB", "make room"),
    (place.disk, changed(space=place.GIB), State.FAIL, "1.0 GiB", "make room"),
    (
        place.memory,
        changed(files={"/proc/meminfo": "MemAvailable: 1048576 kB"}),
        State.WARN,
        "1.0 GiB",
        "end",
    ),
    (place.memory, changed(files={"/proc/meminfo": "MemAvailable: 1024 kB"}), State.FAIL, "0.0 GiB", "end"),
    (place.memory, changed(files={}), State.OK, "cannot be told", ""),
    (place.port, changed(port_is_free=False), State.FAIL, "another process", "OTTO_API_PORT"),
    (place.clock, changed(time=NOW - timedelta(days=9)), State.FAIL, "before OttO's own files", "set-ntp"),
    (
        place.clock,
        changed(outputs={("timedatectl", "show", "--property=NTPSynchronized", "--value"): "no\n"}),
        State.WARN,
        "not synchronized",
        "set-ntp",
    ),
    (engine_checks.engine, changed(outputs={}), State.FAIL, "none", "apt-get install podman"),
    (
        engine_checks.engine,
        changed(engines=("unix:///run/docker.sock", "")),
        State.OK,
        "unix:///run/docker.sock",
        "",
    ),
    (
        engine_checks.engine,
        changed(engines=("", "no engine answers at x")),
        State.FAIL,
        "answers at x",
        "start it",
    ),
    (engine_checks.runtime, changed(outputs={}), State.FAIL, "missing", "runc"),
    (engine_checks.runtime, changed(outputs={}, programs=frozenset()), State.OK, "not needed", ""),
    (engine_checks.network, changed(files={NETAVARK: ""}), State.FAIL, "missing", "aardvark-dns"),
    (engine_checks.base_image, changed(outputs={}), State.WARN, "not built", "build-base"),
    (engine_checks.base_image, changed(engines=(ENGINE, "")), State.WARN, "not built", "build-base"),
    (
        engine_checks.base_image,
        changed(engines=(ENGINE, ""), images=frozenset({"localhost/otto-lab-base:1"})),
        State.OK,
        "otto-lab-base:1",
        "",
    ),
    (engine_checks.cgroups, changed(files={}), State.FAIL, "no controllers", "cpu memory pids"),
    (
        engine_checks.cgroups,
        changed(files=dict.fromkeys([f"/sys/fs/cgroup/{name}" for name in ("cpu", "memory", "pids")], "")),
        State.OK,
        "v1: cpu memory pids",
        "",
    ),
    (
        engine_checks.cgroups,
        changed(files={"/sys/fs/cgroup/cgroup.controllers": "cpu pids"}),
        State.FAIL,
        "v2: cpu pids",
        "memory",
    ),
    (engine_checks.inotify, changed(files={}), State.WARN, "0", "max_user_instances=1024"),
    (
        engine_checks.limits,
        changed(hard=1024, files={"/proc/self/status": NO_SYS_RESOURCE}),
        State.FAIL,
        "1024 files",
        "ulimit",
    ),
    (engine_checks.limits, changed(hard=1024), State.OK, "1024 files", ""),
    (engine_checks.privileges, changed(uid=1000), State.WARN, "not root", "OTTO_LAB_PUBLISH=true"),
    (engine_checks.privileges, changed(files={}), State.WARN, "CAP_NET_ADMIN", "OTTO_LAB_PUBLISH"),
    (engine_checks.firewall, changed(uid=1000), State.OK, "not root", ""),
    (engine_checks.firewall, changed(outputs={}), State.FAIL, "no NAT table", "iptables"),
    (engine_checks.routes, changed(outputs={}), State.OK, "free", ""),
    (
        engine_checks.routes,
        routed({"dst": "10.203.4.0/24", "dev": "tun0"}),
        State.FAIL,
        "tun0",
        "OTTO_LAB_POOL",
    ),
    (engine_checks.routes, routed({"dst": "10.0.0.0/8", "dev": "tun0"}), State.OK, "free", ""),
    (
        engine_checks.routes,
        routed({"dst": "10.203.4.0/24", "dev": "podman1"}),
        State.WARN,
        "unreach",
        "lab up",
    ),
    (
        engine_checks.routes,
        routed({"dst": "10.203.4.0/24", "dev": "podman1"}, {"type": "unreachable", "dst": "10.203.0.0/16"}),
        State.OK,
        "its route is there",
        "",
    ),
]


@pytest.mark.parametrize(
    ("check", "machine", "state", "found", "mend"),
    CASES,
    ids=[f"{case[0].__name__}-{index}" for index, case in enumerate(CASES)],
)
def test_check(
    check: Callable[[Outside, Settings], Check], machine: PaperMachine, state: State, found: str, mend: str
) -> None:
    result = check(machine, SETTINGS)
    assert result.state is state, result
    assert found in result.found
    assert mend in result.mend
    assert bool(result.mend) == (state is not State.OK)


@pytest.mark.parametrize(
    ("holder", "state", "found"),
    [
        ('LISTEN 0 5 127.0.0.1:7070 users:(("otto",pid=12,fd=3))', State.OK, "controller"),
        ('LISTEN 0 5 127.0.0.1:7070 users:(("nginx",pid=12,fd=3))', State.FAIL, "process 12 (nginx)"),
        ("", State.OK, "controller"),
    ],
)
def test_port_held_while_our_control_socket_is_there(holder: str, state: State, found: str) -> None:
    command = ("ss", "-Hltnp", "sport = :7070")
    machine = changed(port_is_free=False, files={f"{HOME}/control.sock": ""}, outputs={command: holder})
    check = place.port(machine, SETTINGS)
    assert check.state is state
    assert found in check.found


def test_a_long_home_leaves_no_room_for_socket_paths() -> None:
    check = place.sockets(WELL, dataclasses.replace(SETTINGS, home=Path("/" + "x" * 120)))
    assert check.state is State.FAIL


def test_published_ports_make_up_for_missing_privileges() -> None:
    settings = dataclasses.replace(SETTINGS, lab=LabSettings(publish=True))
    assert engine_checks.privileges(changed(uid=1000), settings).state is State.OK


def test_table_shows_the_mend_only_below_what_is_not_well() -> None:
    console = Console(record=True, width=120)
    console.print(
        table([Check("A", State.OK, "[x]", "n", ""), Check("B", State.FAIL, "f", "n", "do [this]")])
    )
    text = console.export_text()
    assert "[x]" in text
    assert "do [this]" in text
    assert text.count("mend") == 1


@pytest.mark.parametrize("json_wanted", [True, False])
def test_command_on_the_real_machine_whatever_its_state(tmp_path: Path, *, json_wanted: bool) -> None:
    words = ["--home", str(tmp_path), "doctor", *(["--json"] if json_wanted else [])]
    result = CliRunner().invoke(app, words, env={"CLOWD_PROVIDERS": "aws"})
    if json_wanted:
        found = json.loads(result.stdout)
        assert result.exit_code == (0 if found["ok"] else 1)
        assert {"name", "state", "found", "needed", "mend"} == set(found["checks"][0])
    else:
        assert "14 checks" in result.stdout


class TestMachine:
    """The real machine, where its answers can be known."""

    def test_commands(self, tmp_path: Path) -> None:
        machine = Machine()
        assert machine.run("true") == ""
        assert machine.run("false") is None
        assert machine.run("no-such-program-of-otto") is None
        assert machine.read(tmp_path / "nothing") is None
        assert machine.mode(tmp_path / "nothing") is None
        assert machine.children(tmp_path / "nothing") == []
        assert machine.free(tmp_path / "not" / "yet") > 0
        assert machine.writable(tmp_path / "not" / "yet")
        url, complaint = machine.engine(tmp_path, str(tmp_path / "nothing.sock"))
        assert (url, "nothing.sock" in complaint) == ("", True)

    def test_port(self, unused_tcp_port: int) -> None:
        import socket  # noqa: PLC0415

        machine = Machine()
        with socket.create_server(("127.0.0.1", unused_tcp_port)):
            assert not machine.port_free("127.0.0.1", unused_tcp_port)
        assert machine.port_free("127.0.0.1", unused_tcp_port)

    def test_our_own_distribution(self) -> None:
        machine = Machine()
        assert "otto-controller" in machine.installed()
        assert any(item.startswith("aiohttp") for item in machine.requirements())
        assert machine.installed_at() < machine.now()
        assert machine.hard_limit("nofile") > 0


def test_settings_of_the_port_are_used() -> None:
    settings = dataclasses.replace(SETTINGS, api=ApiSettings(address="::1", port=9))
    assert "::1:9" in place.port(WELL, settings).needed
