"""OttO itself and what it drives, put together for the images that hold it."""

import hashlib
import os
import shutil
import sys
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from otto.adapters import program
from otto.adapters.packer.options import PackerOptions
from otto.model.errors import TransientError, UsageError
from otto.telemetry.redaction import Redactor

# All that `images/scripts/gather` takes from a checkout.
_TAKEN = (
    *("controller/otto", "schemas", "infra", "images", "specs", "sites"),
    *("pyproject.toml", "README.md", "LICENSE", "requirements.lock", "docs/how-to/alert.md"),
)
_LEFT_BY_TOOLS = frozenset({"__pycache__", ".ansible", ".terraform"})
_SECONDS = 600.0
# How this machine reaches the package index.
_INDEX = ("PIP_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def digest(options: PackerOptions) -> str:
    """Names OttO and the Terraform that would be taken along.

    Raises:
        UsageError: OttO does not run from a checkout, or there is no Terraform.
    """
    checkout, terraform = _found(options)
    summed = hashlib.sha256()
    for path in _files(checkout):
        name = str(path.relative_to(checkout)).encode()
        summed.update(name + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    with terraform.open("rb") as file:
        summed.update(hashlib.file_digest(file, "sha256").digest())
    return summed.hexdigest()


async def gather(options: PackerOptions, archive: Path, environment: Mapping[str, str]) -> None:
    """Put the controller's parts together.

    Args:
        options: how images are built.
        archive: where the archive is to lie.
        environment: Packer's.

    Raises:
        UsageError: as `digest` does.
        TransientError: something cannot be had.
    """
    checkout, terraform = _found(options)
    index = {name: value for name, value in options.environ.items() if name.startswith(_INDEX)}
    command = ["bash", str(checkout / "images" / "scripts" / "gather"), str(archive), str(terraform)]
    environ = {**environment, **index, "PYTHON": sys.executable}
    ended = await program.run(command, b"", seconds=_SECONDS, environ=environ)
    if ended.status != 0:
        redactor = Redactor()
        raise TransientError(
            f"the controller cannot be put together: {redactor.scrub(ended.trouble or ended.last_words)}",
            detail=redactor.scrub(ended.errors.decode(errors="replace"), lines=True),
        )


def add(archive: Path, file: Path) -> None:
    """Have an archive of parts, which need not be there yet, hold a file more."""
    with tarfile.open(archive, "a") as tar:
        tar.add(file, f"parts/{file.name}", filter=_nobodys)


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o644
    return member


def _found(options: PackerOptions) -> tuple[Path, Path]:
    if options.checkout is None:
        raise UsageError(
            "images with the controller in them are built from a checkout of OttO, and this is none",
            mend="name the others: otto images build nginx haproxy",
        )
    search = options.environ.get("PATH", os.defpath)
    terraform = shutil.which(options.terraform, path=search)
    if terraform is None:
        raise UsageError(
            f"there is no {options.terraform} to take along into the image",
            mend="install it, or name one: OTTO_TERRAFORM_BINARY",
        )
    return options.checkout, Path(terraform).resolve()


def _files(checkout: Path) -> Iterator[Path]:
    for taken in _TAKEN:
        top = checkout / taken
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            if path.is_file() and _LEFT_BY_TOOLS.isdisjoint(path.parts):
                yield path
