"""What the plain script's author has written before it is run: a root module, and a repository of content."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.bench.plain import Json, Site, write

from otto import resources

PAGE = "A page to be measured"
OUTPUTS = ("hosts", "endpoints", "controllers")


@dataclass(frozen=True)
class Provider:
    """The lab's Terraform provider, as it stands on this machine.

    Attributes:
        socket: the container engine's API.
        pool: where networks get their subnets.
        mirror: filesystem mirror that holds it.
    """

    socket: str
    pool: str
    mirror: Path

    @property
    def required(self) -> Json:
        """For `required_providers`: the newest version there is."""
        source = "otto.local/otto/lab"
        versions = sorted((self.mirror / source).iterdir(), key=lambda folder: folder.stat().st_mtime)
        return {"source": source, "version": versions[-1].name}

    @property
    def settings(self) -> str:
        """Terraform's CLI configuration."""
        return (
            "provider_installation {\n"
            f"  filesystem_mirror {{\n    path = {json.dumps(str(self.mirror))}\n  }}\n"
            "}\n"
        )


def site(base: Path, name: str, owner: str, provider: Provider) -> Site:
    """A site of two web servers and a balancer that nothing was done for yet."""
    folder = base / name
    write(folder / "main.tf.json", json.dumps(_root(base, folder, name, owner, provider), indent=2))
    write(folder / "terraform.rc", provider.settings)
    return Site(name, folder, f"{name}.test", PAGE, base / f"{name}.tar")


def _root(base: Path, folder: Path, name: str, owner: str, provider: Provider) -> Json:
    group = {"size": "small", "image": "base"}
    module = {
        # A relative path is used in place.
        "source": os.path.relpath(resources.path("infra", "terraform", "lab"), folder.resolve()),
        "site": name,
        "owner": owner,
        "web": group | {"count": 2},
        "balancer": group | {"count": 1},
        "authorized_key": (base / "key.pub").read_text(encoding="ascii").strip(),
    }
    return {
        "terraform": {"required_providers": {"lab": provider.required}},
        "provider": {"lab": {"socket": provider.socket, "pool": provider.pool}},
        "module": {"site": module},
        "output": {output: {"value": f"${{module.site.{output}}}"} for output in OUTPUTS},
    }


def new_key(base: Path) -> Path:
    """An SSH key of the script's own."""
    key = base / "key"
    line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", str(key)]
    subprocess.run(line, check=True, capture_output=True, timeout=30)
    return key


def commit_page(repository: Path, note: str) -> None:
    """Commit the page, with another note."""
    if not (repository / ".git").exists():
        repository.mkdir(parents=True, exist_ok=True)
        _git(repository, "init", "-q", "-b", "main")
    write(repository / "page" / "index.html", page(note))
    _git(repository, "add", "-A")
    _git(repository, "commit", "-q", "-m", note)


def page(note: str) -> str:
    """The page all sites serve."""
    return f"<!doctype html>\n<title>{PAGE}</title>\n<h1>{PAGE}</h1>\n<p>{note}</p>\n"


def _git(folder: Path, *arguments: str) -> None:
    who = {"NAME": "Bench", "EMAIL": "bench@localhost"}
    names = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_GLOBAL": "/dev/null"} | names
    subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True, timeout=60
    )
