"""The script OttO is measured against: Terraform, Ansible, and requests until the site serves.

It is what a careful person writes who has these tools and no OttO. Nothing of OttO's Python is imported; the
Terraform module with its provider, the playbook with its roles and `ansible.cfg` are the same, on purpose.
"""

import csv
import hashlib
import http.client
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Answer = tuple[int, Mapping[str, str], str]

REVISION = "/.well-known/otto-revision"
_STATISTICS = "/stats;csv"
_PAUSE = 0.1
_SERVED = 60.0
_LONGEST = 900.0
_CHANGED = re.compile(r"^.*changed=[1-9].*$", re.MULTILINE)


class ScriptError(RuntimeError):
    """A tool failed, or the site never served: there is nothing to measure."""


@dataclass(frozen=True)
class Tools:
    """What a script finds on the machine.

    Attributes:
        terraform: the program.
        playbooks: `infra/ansible`.
        scratch: a private folder of the script's own, its path short enough for ssh's sockets.
        key: private SSH key that the hosts know.
    """

    terraform: str
    playbooks: Path
    scratch: Path
    key: Path


@dataclass(frozen=True)
class Site:
    """One site as the script has it: a Terraform folder, and what is to be served.

    Attributes:
        folder: Terraform's working folder.
        domain: the name it answers to.
        contains: what the front page has to say.
        archive: tar of the content.
        revision: the content's name.
        digests: host -> what the play leaves behind as its configuration's name.
    """

    name: str
    folder: Path
    domain: str
    contains: str
    archive: Path
    revision: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)


class Script:
    """The script's steps."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._outputs: dict[Path, Json] = {}

    def up(self, site: Site, repository: Path, path: str) -> dict[str, float]:
        """Bring a site up from nothing until it serves the newest content; seconds of every part."""
        took: dict[str, float] = {}
        with _timed(took, "archive"):
            site = self.package(site, repository, path)
        with _timed(took, "init"):
            self.terraform(site.folder, "init")
        with _timed(took, "apply"):
            self.terraform(site.folder, "apply", "-auto-approve")
        with _timed(took, "play"):
            self.play(site)
        with _timed(took, "checks"):
            self.until_served(site)
        return took

    def deploy(self, site: Site, repository: Path, path: str) -> Site:
        """Bring the newest content to a site that is up, until it is served."""
        site = self.package(site, repository, path)
        self.play(site, tags="content")
        self.until_served(site)
        return site

    def package(self, site: Site, repository: Path, path: str) -> Site:
        """Pack the newest content of a repository; the site that is to serve it."""
        revision = _run(["git", "rev-parse", f"HEAD:{path}"], repository, _environment()).strip()
        line = ["git", "archive", "--format=tar", "-o", str(site.archive), revision]
        _run(line, repository, _environment())
        return replace(site, revision=revision)

    def destroy(self, folder: Path) -> None:
        """Take down what Terraform knows of."""
        self.terraform(folder, "destroy", "-auto-approve")

    def terraform(self, folder: Path, command: str, *arguments: str) -> str:
        """Run Terraform in a site's folder."""
        line = [self.tools.terraform, command, *arguments]
        if command != "output":
            line.append("-input=false")
        return _run(line, folder, terraform_environment(folder))

    def outputs(self, folder: Path) -> Json:
        """The module's outputs, read once after an apply."""
        if folder not in self._outputs:
            found: Json = json.loads(self.terraform(folder, "output", "-json"))
            self._outputs[folder] = {name: output["value"] for name, output in found.items()}
        return self._outputs[folder]

    def play(self, *sites: Site, tags: str = "", check: bool = False) -> None:
        """Run the playbook over all hosts of these sites."""
        scratch = self.tools.scratch
        known = [(site, self.outputs(site.folder)) for site in sites]
        write(scratch / "known_hosts", "".join(_pin(host) for _, out in known for host in out["hosts"]))
        write(scratch / "inventory.yml", json.dumps(self._inventory(known)))  # JSON is YAML
        line = [_beside("ansible-playbook"), "-i", str(scratch / "inventory.yml"), "site.yml"]
        line += ["--tags", tags] if tags else []
        line += ["--check"] if check else []
        told = _run(line, self.tools.playbooks, self._ansible_environment())
        if check and (found := _CHANGED.search(told)):
            raise ScriptError(f"the check found something to change: {found[0]}")

    def until_served(self, site: Site) -> None:
        """Ask what OttO asks, until everything holds."""
        outputs = self.outputs(site.folder)
        end = time.monotonic() + _SERVED
        while failure := first_failure(site, outputs):
            if time.monotonic() > end:
                raise ScriptError(f"{site.name} does not serve after {_SERVED:g} s: {failure}")
            time.sleep(_PAUSE)

    def close(self) -> None:
        """End the SSH connections that Ansible keeps."""
        for socket in (self.tools.scratch / "ansible" / "cp").glob("*"):
            line = ["ssh", "-F", "none", "-O", "exit", "-o", f"ControlPath={socket}", "otto"]
            subprocess.run(line, capture_output=True, check=False, timeout=10)

    def _inventory(self, known: Sequence[tuple[Site, Json]]) -> Json:
        tools = self.tools
        shared = {
            "ansible_ssh_private_key_file": str(tools.key),
            "ansible_ssh_common_args": f"-o UserKnownHostsFile={tools.scratch / 'known_hosts'}",
        }
        groups: Json = {"web": {"hosts": {}}, "balancer": {"hosts": {}}}
        for site, outputs in known:
            for host in outputs["hosts"]:
                groups[host["role"]]["hosts"][host["name"]] = variables(site, host, outputs)
        return {"all": {"vars": shared, "children": groups}}

    def _ansible_environment(self) -> dict[str, str]:
        tools = self.tools
        return _environment() | {
            "ANSIBLE_CONFIG": str(tools.playbooks / "ansible.cfg"),
            "ANSIBLE_HOME": str(tools.scratch / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
        }


def terraform_environment(folder: Path) -> dict[str, str]:
    """The provider comes from a mirror that the folder's own settings name."""
    return _environment() | {
        "TF_CLI_CONFIG_FILE": str(folder / "terraform.rc"),
        "TF_DATA_DIR": str(folder / ".terraform"),
        "TF_IN_AUTOMATION": "1",
        "CHECKPOINT_DISABLE": "1",
    }


def variables(site: Site, host: Json, outputs: Json) -> Json:
    """A host's connection, and the variables of the roles (infra/ansible/README.md)."""
    web = [other for other in outputs["hosts"] if other["role"] == "web"]
    own: Json = {
        "ansible_host": host["address"],
        "ansible_port": host["ssh_port"],
        "ansible_user": host["ssh_user"],
        "otto_site": site.name,
        "otto_host": host["name"],
        "otto_controllers": outputs["controllers"],
    }
    if host["role"] == "web":
        balancers = [other for other in outputs["hosts"] if other["role"] == "balancer"]
        own |= {
            "otto_domains": [site.domain],
            "otto_balancers": [other["private_address"] for other in balancers],
            "otto_revision": site.revision,
            "otto_content_archive": str(site.archive),
        }
    else:
        own["otto_algorithm"] = "roundrobin"
        own["otto_backends"] = [
            {"name": other["name"], "address": other["private_address"], "port": 80}
            for other in sorted(web, key=lambda other: str(other["name"]))
        ]
    text = json.dumps([own.get(name) for name in sorted(own) if "content" not in name], sort_keys=True)
    digest = site.digests.get(host["name"]) or hashlib.sha256(text.encode()).hexdigest()
    return own | {"otto_config_digest": digest}


def first_failure(site: Site, outputs: Json) -> str:
    """The first check that does not hold, "" when all do."""
    web = [host for host in outputs["hosts"] if host["role"] == "web"]
    for host in web:
        answer = get(host["address"], host["http_port"], REVISION, site.domain)
        if not _says(answer, site.revision) or answer[1].get("x-otto-server") != host["name"]:
            return f"{host['name']} does not serve {site.revision}"
    names = {str(host["name"]) for host in web}
    for host in outputs["hosts"]:
        if host["role"] == "balancer" and (missing := names - _up(host["address"])):
            return f"{host['name']} does not call {', '.join(sorted(missing))} UP"
    for end in outputs["endpoints"]:
        for path, text in ((REVISION, site.revision), ("/", site.contains)):
            if not _says(get(end["address"], end["port"], path, site.domain), text):
                return f"{end['url']} does not answer {path} with {text}"
        asked = [get(end["address"], end["port"], REVISION, site.domain) for _ in range(2 * len(web))]
        if missing := names - {answer[1].get("x-otto-server", "") for answer in asked}:
            return f"{end['url']} never leads to {', '.join(sorted(missing))}"
    return ""


def get(address: str, port: int, path: str, host: str = "") -> Answer:
    """One request: status, headers in lower case, body; status 0 when there is no answer."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host} if host else {})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, {}, ""
    finally:
        connection.close()


def write(path: Path, text: str) -> None:
    """Write a private file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)


def _says(answer: Answer, text: str) -> bool:
    return answer[0] == 200 and text in answer[2]


def _up(address: str) -> set[str]:
    """Servers that haproxy calls UP."""
    rows = csv.DictReader(io.StringIO(get(address, 8404, _STATISTICS)[2].removeprefix("# ")))
    return {row["svname"] for row in rows if str(row.get("status")).startswith("UP")}


def _pin(host: Json) -> str:
    port = host["ssh_port"]
    name = host["address"] if port == 22 else f"[{host['address']}]:{port}"
    return f"{name} {host['host_key']}\n"


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in ("HOME", "LANG", "PATH", "USER") if name in os.environ}


def _beside(program: str) -> str:
    return str(Path(sys.executable).with_name(program))


def _run(line: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        line,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=_LONGEST,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        told = (done.stdout + done.stderr)[-3000:]
        raise ScriptError(f"{' '.join(line[:3])} ended with {done.returncode}:\n{told}")
    return done.stdout


@contextmanager
def _timed(took: dict[str, float], what: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    took[what] = time.perf_counter() - began
