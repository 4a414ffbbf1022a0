"""Fixtures: a fleet of hosts for the session, and a site on it."""

import asyncio
import re
import secrets
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from otto import resources
from otto.adapters.ansible import Ansible, AnsibleOptions
from otto.adapters.ansible.processes import MARK
from otto.adapters.clock import SystemClock
from otto.model.configuration import ConfigurationRequest, ConfigurationResult
from otto.model.host import Host
from otto.model.plan import StepKind
from otto.model.progress import Progress, silent
from otto.model.spec import Role

from .fleet import LAB, SITE, Fleet, packed

DOMAINS = ("shop.example", "www.shop.example")


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two web servers and a balancer, booted, not configured."""
    built = subprocess.run([LAB / "build-base"], capture_output=True, timeout=280, check=False)
    assert built.returncode == 0, built.stderr.decode()
    image = re.sub(r"\s", "", built.stdout.decode())
    made = Fleet(f"otto-ansdev-{secrets.token_hex(3)}", image, tmp_path_factory.mktemp("fleet"))
    try:
        made.start()
        made.add("web-1", Role.WEB, 11)
        made.add("web-2", Role.WEB, 12)
        made.add("balancer-1", Role.BALANCER, 21)
        yield made
    finally:
        made.stop()


@dataclass
class Site:
    """A fleet with the adapter that looks after it."""

    fleet: Fleet
    ansible: Ansible
    options: AnsibleOptions
    folder: Path

    def request(self, **changes: Any) -> ConfigurationRequest:
        """A configure request for all hosts, with changes."""
        standard = ConfigurationRequest(
            SITE,
            StepKind.CONFIGURE,
            self.fleet.all,
            backends=self.fleet.web,
            balancers=self.fleet.balancers,
            domains=DOMAINS,
            controllers=(self.fleet.gateway,),
            digests={host.name: f"digest of {host.name}" for host in self.fleet.all},
        )
        return replace(standard, **changes)

    def archive(self, files: Mapping[str, str]) -> Path:
        """A content archive as the controller makes them."""
        path = self.folder / f"{secrets.token_hex(8)}.tar"
        path.write_bytes(packed({name: text.encode() for name, text in files.items()}, mode=0o644))
        return path

    async def deploy(
        self,
        revision: str,
        files: Mapping[str, str] | Path,
        report: Callable[[Progress], None] = silent,
        **changes: Any,
    ) -> ConfigurationResult:
        """Push content to the web servers."""
        archive = files if isinstance(files, Path) else self.archive(files)
        request = self.request(
            kind=StepKind.DEPLOY, hosts=self.fleet.web, revision=revision, archive=archive, **changes
        )
        result = await self.ansible.configure(request, report)
        self.fleet.serving = "" if result.failed else revision
        return result

    async def facts(self, hosts: Sequence[Host] | None = None) -> dict[str, Any]:
        """Facts by host name."""
        return {name: seen async for name, seen in self.ansible.facts(hosts or self.fleet.all)}

    def with_roles(self, change: Callable[[Path], None], **options: Any) -> Ansible:
        """An adapter over a changed copy of the roles."""
        copy = self.folder / f"roles-{secrets.token_hex(4)}"
        shutil.copytree(self.options.folder, copy)
        change(copy)
        return Ansible(replace(self.options, folder=copy, **options), SystemClock())


def adapter_options(fleet: Fleet, folder: Path) -> AnsibleOptions:
    return AnsibleOptions(
        folder=resources.path("infra", "ansible"),
        runs=folder / "runs",
        key=fleet.key,
        control=folder / "ssh",
    )


@pytest.fixture
async def site(fleet: Fleet, tmp_path: Path) -> AsyncIterator[Site]:
    """An adapter for the fleet; its connections are closed afterwards."""
    options = adapter_options(fleet, tmp_path)
    ansible = Ansible(options, SystemClock())
    yield Site(fleet, ansible, options, tmp_path)
    await ansible.close()
    assert not list(options.runs.glob("run-*"))


def strays(folder: Path) -> list[str]:
    """Processes, other than kept connections, that still belong to a run below the folder."""
    found = []
    mark = f"{MARK}={folder}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            if mark in (process / "environ").read_bytes() and not command.endswith("[mux]"):
                found.append(command)
        except OSError:
            continue
    return found


async def eventually(holds: Callable[[], object], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


PAGES = {
    "index.html": "<h1>one</h1>",
    "about/index.html": "<p>about</p>",
    "style.css": "p { color: red }\n" * 99,
}


@dataclass
class History:
    """What was done to the fleet in this session."""

    first: ConfigurationResult | None = None
    seconds: float = 0.0


@pytest.fixture(scope="session")
def history() -> History:
    return History()


@pytest.fixture
async def ready(site: Site, history: History) -> Site:
    """A configured site that serves revision "one"."""
    if history.first is None:
        started = time.monotonic()
        history.first = await site.ansible.configure(site.request(), silent)
        history.seconds = time.monotonic() - started
    assert not history.first.failed
    if site.fleet.serving != "one":
        assert not (await site.deploy("one", PAGES)).failed
    return site
