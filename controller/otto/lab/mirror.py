"""The provider where Terraform finds it: a filesystem mirror with a launcher, and the settings that name it.

A mirror's layout: https://developer.hashicorp.com/terraform/cli/config/config-file#filesystem_mirror
"""

import hashlib
import json
import os
import platform
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = "otto.local/otto/lab"
_PACKAGE = Path(__file__).resolve().parent.parent
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
# A run that is under way may still use the version before.
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Mirror:
    """A filesystem mirror that holds the provider in one version.

    Attributes:
        path: the mirror's folder.
        version: the provider's version, exact; the code that runs decides it.
        digest: digest of that code.
    """

    path: Path
    version: str
    digest: str

    @property
    def required_provider(self) -> dict[str, str]:
        """For `required_providers`, under the local name "lab"."""
        return {"source": SOURCE, "version": self.version}


def ensure(folder: Path, python: str = sys.executable) -> Mirror:
    """Have the mirror hold the provider as it is now; older versions go, but for the last.

    Args:
        folder: `OTTO_HOME/lab/terraform`.
        python: the interpreter that is to run it.
    """
    path = folder.absolute() / "mirror"
    launcher = launcher_text(python, _PACKAGE.parent, path)
    code = digest(_PACKAGE, launcher)
    version = version_of(code)
    place = path / SOURCE / version / f"linux_{architecture()}"
    program = place / f"terraform-provider-lab_v{version}"
    if not program.exists():
        _install(program, launcher)
    os.utime(place.parent)
    _prune(place.parent)
    return Mirror(path, version, code)


def digest(package: Path, launcher: str) -> str:
    """Digest of all code the provider runs: its own, the lab's and what that uses of OttO."""
    total = hashlib.sha256(launcher.encode())
    used = [package / "resources.py", *package.glob("model/*.py"), *package.glob("lab/**/*.py")]
    for file in sorted(used):
        total.update(str(file.relative_to(package)).encode() + b"\0")
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def version_of(code: str) -> str:
    """The version that stands for a digest.

    Terraform holds a working folder to the very file it has once seen of a version: other code must be
    another version.
    """
    return f"0.1.{int(code[:7], 16)}"


def launcher_text(python: str, source: Path, mirror: Path) -> str:
    """The executable: our own interpreter, cut off from the user's Python settings.

    The mirror's path comes along so that its processes can be told from those of other labs.
    """
    start = (
        f"import sys; sys.path.insert(0, {str(source)!r}); from otto.lab.provider.serve import main; main()"
    )
    command = shlex.join(["exec", python, "-I", "-c", start, str(mirror)])
    return f"#!/bin/sh\n# OttO's Terraform provider for the lab.\n{command}\n"


def terraformrc(mirror: Path, mirrors: Sequence[Path] = (), *, direct: bool = True) -> str:
    """Terraform's CLI configuration: our provider from our mirror, others as before.

    Args:
        mirror: ours.
        mirrors: further filesystem mirrors, for other providers.
        direct: whether other providers may come from their registries.
    """
    ours = "otto.local/*/*"
    blocks = [_block("filesystem_mirror", path=str(mirror), include=[ours])]
    blocks += [_block("filesystem_mirror", path=str(other), exclude=[ours]) for other in mirrors]
    blocks += [_block("direct", exclude=[ours])] if direct else []
    inside = "".join(blocks)
    return f"disable_checkpoint = true\n\nprovider_installation {{\n{inside}}}\n"


def architecture() -> str:
    """This machine's, as Terraform calls it."""
    machine = platform.machine().lower()
    return _MACHINES.get(machine, machine)


def _block(name: str, **arguments: object) -> str:
    """A block of HCL; its strings are JSON's, but for what HCL would fill in."""
    lines = (f"    {key} = {_escaped(json.dumps(value))}\n" for key, value in arguments.items())
    return f"  {name} {{\n{''.join(lines)}  }}\n"


def _escaped(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def _install(program: Path, launcher: str) -> None:
    """Put the launcher in place, whole or not at all."""
    program.parent.mkdir(parents=True, exist_ok=True)
    # Written outside the version's folder: Terraform's checksum covers everything inside.
    number, temporary = tempfile.mkstemp(dir=program.parents[2])
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(launcher)
        os.fchmod(file.fileno(), 0o755)
    Path(temporary).replace(program)


def _prune(current: Path) -> None:
    versions = [folder for folder in current.parent.iterdir() if folder.is_dir() and folder != current]
    versions.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in versions[_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)
