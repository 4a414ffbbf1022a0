"""A lab of this run's own, and Terraform at work in it."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from otto import resources
from otto.adapters.identity import identity
from otto.lab import mirror, processes
from otto.lab.lab import Lab

LIMIT = 120


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("home")
    lab = Lab(home, identity(home).owner)
    try:
        lab.up()
        yield lab
    finally:
        lab.clean()
    assert not [*processes.matching(str(lab.home))], "the lab left processes behind"


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "id"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
    return path


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Done:
    """What a Terraform command said."""

    status: int
    said: str


class Site:
    """One site's module, run by Terraform itself."""

    def __init__(self, lab: Lab, folder: Path, name: str, key: Path) -> None:
        self.lab = lab
        self.name = name
        self.key = key
        self.folder = folder
        self.variables: dict[str, Any] = {}
        self.reset()
        self._write()

    def reset(self) -> None:
        """Want one small web server."""
        self.variables = {
            "site": self.name,
            "owner": self.lab.owner,
            "web": {"count": 1, "size": "small", "image": "base"},
            "balancer": {"count": 0, "size": "small", "image": "base"},
            "authorized_key": self.key.with_suffix(".pub").read_text().strip(),
            "settings": self.lab.module_settings(),
        }

    def remove(self) -> None:
        """Remove all that is alive of it, known to Terraform or not."""
        for resource in reversed(self.lab.resources(self.name)):
            self.lab.remove(resource)

    def _write(self) -> None:
        made = self.lab.mirror()
        (self.folder / "rc").write_text(mirror.terraformrc(made.path, direct=False))
        module = {"source": str(resources.path("infra", "terraform", "lab"))}
        root = {
            "terraform": {"required_providers": {"lab": made.required_provider}},
            "provider": {"lab": self.lab.provider_configuration()},
            "variable": {name: {} for name in self.variables},
            "module": {"site": module | {name: f"${{var.{name}}}" for name in self.variables}},
            "output": {name: {"value": f"${{module.site.{name}}}"} for name in ("hosts", "endpoints")},
        }
        (self.folder / "main.tf.json").write_text(json.dumps(root))
        assert self.terraform("init").status == 0

    def command(self, verb: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """The command line and the environment of a Terraform command."""
        (self.folder / "terraform.tfvars.json").write_text(json.dumps(self.variables))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "TF_CLI_CONFIG_FILE": str(self.folder / "rc"),
        }
        return ["terraform", verb, "-no-color", *arguments], environment

    def terraform(self, verb: str, *arguments: str) -> Done:
        command, environment = self.command(verb, *arguments)
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def apply(self, *arguments: str) -> str:
        done = self.terraform("apply", "-auto-approve", *arguments)
        assert done.status == 0, done.said
        return done.said

    def plan(self) -> dict[str, tuple[str, ...]]:
        """What a plan would do: the resource's key -> actions; what stays as it is left out."""
        done = self.terraform("plan", "-out=plan")
        assert done.status == 0, done.said
        changes = json.loads(self.terraform("show", "-json", "plan").said)["resource_changes"]
        return {
            str(item.get("index", item["name"])): tuple(item["change"]["actions"])
            for item in changes
            if item["change"]["actions"] not in (["no-op"], ["read"])
        }

    def host(self, number: int = 1, role: str = "web") -> dict[str, Any]:
        name = f"{self.name}-{role}-{number}"
        hosts = json.loads(self.terraform("output", "-json", "hosts").said)
        return next(host for host in hosts if host["name"] == name)

    def container(self, number: int = 1, role: str = "web") -> str:
        return f"otto-{self.lab.owner}-{self.name}-{role}-{number}"

    def ssh(self, host: dict[str, Any], *command: str) -> Done:
        """Run something on a host, whose key is the one that was reported."""
        known = self.folder / "known_hosts"
        known.write_text(f"[{host['address']}]:{host['ssh_port']} {host['host_key']}\n")
        if host["ssh_port"] == 22:
            known.write_text(f"{host['address']} {host['host_key']}\n")
        options = [
            "-F/dev/null",
            "-oBatchMode=yes",
            "-oStrictHostKeyChecking=yes",
            f"-oUserKnownHostsFile={known}",
            "-oConnectTimeout=10",
            "-oIdentitiesOnly=yes",
            f"-i{self.key}",
            f"-p{host['ssh_port']}",
        ]
        line = ["ssh", *options, f"{host['ssh_user']}@{host['address']}", *command]
        done = subprocess.run(line, capture_output=True, text=True, timeout=LIMIT, check=False)
        return Done(done.returncode, done.stdout.strip() or done.stderr.strip())


MakeSite = Callable[..., Site]


@pytest.fixture
def make_site(tmp_path_factory: pytest.TempPathFactory, key: Path) -> Iterator[MakeSite]:
    """Sites of one test's own."""
    made: list[Site] = []

    def make(lab: Lab, name: str) -> Site:
        made.append(Site(lab, tmp_path_factory.mktemp("site"), name, key))
        return made[-1]

    yield make
    for site in made:
        site.remove()


@pytest.fixture(scope="session")
def standing(lab: Lab, tmp_path_factory: pytest.TempPathFactory, key: Path) -> Iterator[Site]:
    site = Site(lab, tmp_path_factory.mktemp("site"), "shop", key)
    yield site
    site.remove()


@pytest.fixture
def site(standing: Site) -> Site:
    """A site that stands: one small web server, no balancer, whatever the test before did to it."""
    standing.reset()
    standing.apply()
    return standing


@pytest.fixture
def podman(lab: Lab) -> Callable[..., str]:
    """Whoever meddles with containers by hand."""
    if not lab.api().podman:
        pytest.fail("these tests meddle with Podman's own containers: unset DOCKER_HOST, install podman")
    environment = dict(os.environ) | {"CONTAINERS_CONF": str(lab.folder / "containers.conf")}

    def meddle(*arguments: str) -> str:
        done = subprocess.run(
            ["podman", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return meddle
