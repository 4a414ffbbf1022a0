"""Real hosts for tests: systemd and sshd in containers of the lab's base image, on a bridge of their own."""

import contextlib
import io
import os
import subprocess
import tarfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from otto import resources
from otto.adapters.identity import identity
from otto.lab.names import OWNER
from otto.model.host import Host
from otto.model.spec import Role

LAB = resources.path("infra", "lab")
PODMAN = os.environ | {"CONTAINERS_CONF": str(LAB / "containers.conf")}
SITE = "shop"


def podman(*arguments: str, data: bytes | None = None, seconds: float = 60) -> str:
    """Run podman; its output."""
    done = subprocess.run(
        ["podman", *arguments], input=data, capture_output=True, env=PODMAN, timeout=seconds, check=False
    )
    assert done.returncode == 0, f"podman {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


@dataclass
class Fleet:
    """Hosts of one test run, two web servers and a balancer unless a test adds some."""

    name: str
    image: str
    folder: Path
    subnet: str = ""
    hosts: dict[str, Host] = field(default_factory=dict)
    serving: str = ""

    @property
    def web(self) -> tuple[Host, ...]:
        return tuple(host for host in self.hosts.values() if host.role is Role.WEB)

    @property
    def balancers(self) -> tuple[Host, ...]:
        return tuple(host for host in self.hosts.values() if host.role is Role.BALANCER)

    @property
    def all(self) -> tuple[Host, ...]:
        return tuple(self.hosts.values())

    @property
    def gateway(self) -> str:
        return f"{self.subnet}.1"

    @property
    def key(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def label(self) -> tuple[str, str]:
        """As a home marks what it makes, so that CI finds what a run left that was cut off."""
        return "--label", f"{OWNER}={identity(self.folder).owner}"

    def container(self, host: str) -> str:
        return f"{self.name}-{host}"

    def start(self) -> None:
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True, timeout=20
        )
        for third in range(240, 256):
            self.subnet = f"10.203.{third}"
            with contextlib.suppress(AssertionError):
                podman("network", "create", *self.label, "--subnet", f"{self.subnet}.0/24", self.name)
                return
        pytest.fail("no free subnet for the test's hosts")

    def add(self, host: str, role: Role, last: int, *options: str) -> Host:
        container, address = self.container(host), f"{self.subnet}.{last}"
        place = ("--network", self.name, "--ip", address, "--hostname", host, *options)
        podman(
            "create", "--name", container, *self.label, *place, "--systemd=always", self.image, "/sbin/init"
        )
        public = self.key.with_suffix(".pub").read_bytes()
        podman(
            "cp",
            "--archive=false",
            "-",
            f"{container}:/home/otto/.ssh",
            data=packed({"authorized_keys": public}, uid=1000),
        )
        podman("start", container)
        made = Host(
            f"{SITE}-{host}", role, container, address, address, 22, "otto", 80, self._host_key(address)
        )
        self.hosts[host] = made
        return made

    def _host_key(self, address: str) -> str:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            said = subprocess.run(
                ["ssh-keyscan", "-T", "2", "-t", "ed25519", address],
                capture_output=True, text=True, timeout=10, check=False,
            ).stdout  # fmt: skip
            for line in said.splitlines():
                if line.startswith(f"{address} "):
                    return line.partition(" ")[2]
            time.sleep(0.1)
        pytest.fail(f"no sshd answers at {address}")

    def ssh(self, host: Host, command: str, *, seconds: float = 20, check: bool = True) -> str:
        """Run a shell command as root on a host."""
        known = self.folder / "known_hosts"
        known.write_text("".join(f"{h.address} {h.host_key}\n" for h in self.all))
        done = subprocess.run(
            [
                "ssh", "-F", "none", "-i", str(self.key), "-o", f"UserKnownHostsFile={known}",
                "-o", "IdentitiesOnly=yes", f"otto@{host.address}", f"sudo sh -c {_quoted(command)}",
            ],
            capture_output=True, timeout=seconds, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def stop(self) -> None:
        for host in list(self.hosts):
            self.remove(host)
        with contextlib.suppress(AssertionError):
            podman("network", "rm", "--force", self.name)

    def remove(self, host: str) -> None:
        self.hosts.pop(host)
        with contextlib.suppress(AssertionError):
            podman("rm", "--force", "--volumes", "--time", "0", self.container(host))


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"


def packed(files: Mapping[str, bytes], *, uid: int = 0, mode: int = 0o600) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode, member.uid, member.gid = len(data), mode, uid, uid
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()
