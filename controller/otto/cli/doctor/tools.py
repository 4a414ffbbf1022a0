"""Programs and libraries."""

import re

from otto import resources
from otto.adapters.specs import parse_fleet_policy
from otto.adapters.terraform.version import OLDEST, parse
from otto.cli.doctor.check import Check, good, judge
from otto.cli.doctor.machine import Outside
from otto.config import Settings
from otto.model.signature import Signatures

PYTHON = (3, 11)
GIT = (2, 28)  # `git init --initial-branch`
_SIGNATURE_TOOLS = {"ssh-keygen": "openssh-client", "gpgv": "gpgv"}
SET_UP = "make run (or infra/setup/setup run) installs it"


def python(outside: Outside, _settings: Settings) -> Check:
    """The interpreter we run on."""
    version = outside.python()
    return judge(
        "Python",
        ok=version[:2] >= PYTHON,
        found=_dotted(version),
        needed=f"{_dotted(PYTHON)} or newer",
        mend="install a newer Python, then remove .venv and run make run again",
    )


def packages(outside: Outside, _settings: Settings) -> Check:
    """Python packages: those of the lock file in a checkout, else those our own metadata asks for."""
    lock = outside.read(resources.root() / "requirements.lock")
    installed = outside.installed()
    wanted = _locked(lock) if lock else dict.fromkeys(_asked_for(outside.requirements()), "")
    wrong = [
        f"{name} {installed.get(name, 'missing')}{f' (locked: {version})' if version else ''}"
        for name, version in wanted.items()
        if name not in installed or (version and installed[name] != version)
    ]
    return judge(
        "Python packages",
        ok=not wrong,
        found=", ".join(wrong) if wrong else f"{len(wanted)}, all as locked" if lock else f"{len(wanted)}",
        needed="those of requirements.lock" if lock else "those OttO asks for",
        mend="infra/setup/setup venv" if lock else "pip install --force-reinstall otto-controller",
    )


def terraform(outside: Outside, settings: Settings) -> Check:
    """Terraform or OpenTofu, whichever the settings name."""
    binary = settings.terraform.binary
    version = parse(outside.run(binary, "version") or "")
    needed = " or ".join(f"{product} {_dotted(number)}" for product, number in OLDEST.items()) + ", or newer"
    mend = f"put {needed}, on the PATH"
    other = "terraform" if "tofu" in binary else "tofu"
    if outside.which(other):
        mend += f"; or use the {other} that is there: OTTO_TERRAFORM_BINARY={other}"
    return judge(
        "Terraform",
        ok=version is not None and version.number >= OLDEST[version.product],
        found=str(version) if version else f"{binary} is missing, or does not run",
        needed=needed,
        mend=mend,
    )


def ansible(outside: Outside, _settings: Settings) -> Check:
    """Ansible's program; its version is the lock file's business."""
    path = outside.which("ansible-playbook")
    return judge(
        "Ansible",
        ok=path is not None,
        found=f"ansible-core {outside.installed().get('ansible-core', 'of unknown version')}"
        if path
        else "no ansible-playbook",
        needed="ansible-playbook",
        mend="infra/setup/setup venv",
    )


def git(outside: Outside, _settings: Settings) -> Check:
    """Git, for people's pushes to the embedded repository."""
    match = re.search(r"\d+(\.\d+)+", outside.run("git", "--version") or "")
    numbers = tuple(int(part) for part in match.group(0).split(".")) if match else ()
    return judge(
        "git",
        ok=numbers >= GIT,
        found=_dotted(numbers) or "missing",
        needed=f"{_dotted(GIT)} or newer",
        mend=f"apt-get install git; {SET_UP}",
    )


def ssh(outside: Outside, _settings: Settings) -> Check:
    """The OpenSSH client, which carries Ansible."""
    return _program(outside, "SSH client", "ssh", "openssh-client")


def signatures(outside: Outside, settings: Settings) -> Check:
    """What checks signatures, where the fleet's policy demands any."""
    name, needed = "Signatures", "ssh-keygen and gpgv, and the key files of the fleet's policy"
    demanded = _demanded(outside, settings)
    if demanded is None:
        return good(name, "none are demanded", needed)
    missing = [program for program in _SIGNATURE_TOOLS if outside.which(program) is None]
    files = [settings.fleet_policy.parent / key.file for key in demanded.keys if key.file]
    unread = [str(path) for path in files if outside.read(path) is None]
    packages = " ".join(_SIGNATURE_TOOLS[program] for program in missing)
    mends = ([f"apt-get install {packages}; {SET_UP}"] if missing else []) + (
        [f"put {', '.join(unread)} there"] if unread else []
    )
    return judge(
        name,
        ok=not mends,
        found=f"{', '.join((*missing, *unread))} missing"
        if mends
        else f"{demanded.require.value} are checked",
        needed=needed,
        mend="; ".join(mends),
    )


def _demanded(outside: Outside, settings: Settings) -> Signatures | None:
    text = outside.read(settings.fleet_policy)
    policy, _ = parse_fleet_policy(str(settings.fleet_policy), (text or "").encode())
    return policy.signatures if policy else None


def mmdebstrap(outside: Outside, _settings: Settings) -> Check:
    """Builds the lab's base image."""
    return _program(outside, "mmdebstrap", "mmdebstrap", "mmdebstrap")


def _program(outside: Outside, name: str, program: str, package: str) -> Check:
    path = outside.which(program)
    return judge(
        name,
        ok=path is not None,
        found=path or "missing",
        needed=program,
        mend=f"apt-get install {package}; {SET_UP}",
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def _locked(lock: str) -> dict[str, str]:
    """Name -> version of a lock file; lines for Windows alone are left out."""
    lines = re.findall(r"^([a-z0-9][a-z0-9-]*)==([^\s;\\]+)(.*)$", lock, re.MULTILINE)
    return {name: version for name, version, marker in lines if "win32" not in marker}


def _asked_for(requirements: list[str]) -> list[str]:
    wanted = [item for item in requirements if "extra ==" not in item]
    names = [match.group(0) for item in wanted if (match := re.match(r"[A-Za-z0-9._-]+", item))]
    return [re.sub(r"[-_.]+", "-", name).lower() for name in names]
