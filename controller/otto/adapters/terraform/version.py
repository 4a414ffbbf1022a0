"""Which program the adapter drives, and whether it is new enough."""

import asyncio
import contextlib
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from otto.adapters.terraform.terraform import unusable
from otto.model.errors import TerminalError, TransientError

_FIRST_LINE = re.compile(r"^(Terraform|OpenTofu) v(\d+)\.(\d+)\.(\d+)", re.MULTILINE)
_TIMEOUT = 30.0
# `init -json` came with these (hashicorp/terraform pull request 34886, opentofu/opentofu issue 1373).
OLDEST = {"Terraform": (1, 9, 0), "OpenTofu": (1, 7, 0)}


@dataclass(frozen=True, slots=True)
class Version:
    """A program and its version."""

    product: str
    number: tuple[int, int, int]

    def __str__(self) -> str:
        return f"{self.product} {'.'.join(map(str, self.number))}"


def parse(output: str) -> Version | None:
    """What `version` printed; None when it names neither program."""
    found = _FIRST_LINE.search(output)
    if found is None:
        return None
    return Version(found[1], (int(found[2]), int(found[3]), int(found[4])))


def check(version: Version) -> None:
    """Refuse a program too old to drive.

    Raises:
        TerminalError: it is.
    """
    oldest = OLDEST[version.product]
    if version.number < oldest:
        needed = ".".join(map(str, oldest))
        raise TerminalError(f"{version} is too old", mend=f"install {version.product} {needed} or newer")


async def detect(binary: str, environment: Mapping[str, str]) -> Version:
    """Ask a binary what it is.

    Raises:
        TerminalError: it cannot be started, is neither program, or is too old.
        TransientError: it did not answer in time.
    """
    output = await _ask(binary, environment)
    version = parse(output)
    if version is None:
        raise TerminalError(f"{binary} is neither Terraform nor OpenTofu", mend="mend terraform.binary")
    check(version)
    return version


async def _ask(binary: str, environment: Mapping[str, str]) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            binary,
            "version",
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise unusable(binary, error) from error
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _TIMEOUT)
    except TimeoutError as error:
        raise TransientError(f"{binary} version gave no answer within {_TIMEOUT:g} s") from error
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return output.decode(errors="replace")
