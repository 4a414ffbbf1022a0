"""The smoke test: a host of an image is logged in to as OttO does, and asked whether all it is for works."""

import asyncio
import json
import shlex
from pathlib import Path

from otto.adapters import program
from otto.model.errors import TerminalError, TransientError
from otto.model.host import Host
from otto.model.image import Smoke
from otto.model.text import one_line

_SECONDS = 240.0
_LONGEST = 300
_USUAL_PORT = 22
# Neither the user's settings nor an agent have a say; the key is pinned, nobody is asked for anything.
_OPTIONS = (
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "BatchMode=yes",
    "ConnectTimeout=10",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
)


async def test(image: str, host: Host, key: Path, script: str, folder: Path) -> Smoke:
    """Try a host.

    Args:
        image: what it was made of.
        host: it has booted.
        key: private key that lets us in.
        script: text of `images/smoke.py`.
        folder: private, where the host's key is pinned.

    Raises:
        TransientError: it cannot be logged in to.
    """
    question = f"{script}\nmain({image!r})\n"
    command = await asyncio.to_thread(_command, host, key, folder)
    ended = await program.run(command, question.encode(), seconds=_SECONDS)
    if ended.status != 0:
        why = one_line(ended.trouble or ended.last_words or f"exit status {ended.status}", _LONGEST)
        raise TransientError(f"a host of the image {image} booted, and cannot be asked: {why}")
    return read(image, ended.output)


def read(image: str, answer: bytes) -> Smoke:
    """Read what the script printed.

    Raises:
        TerminalError: the host, which is not to be trusted, printed something else.
    """
    try:
        told = json.loads(answer)
        checks = [(str(what), held is True, str(came)) for what, held, came in told["checks"]]
        seconds = float(told["seconds"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise TerminalError(f"a host of the image {image} answers the smoke test with nonsense") from error
    lines = tuple(_line(*check) for check in checks)
    return Smoke(passed=bool(checks) and all(held for _, held, _ in checks), checks=lines, seconds=seconds)


def failures(smoke: Smoke) -> tuple[str, ...]:
    """Those of the checks that did not hold."""
    return tuple(line.removeprefix("FAILED ") for line in smoke.checks if line.startswith("FAILED "))


def _line(what: str, held: bool, came: str) -> str:
    return one_line(f"{'' if held else 'FAILED '}{what}: {came}", _LONGEST)


def _command(host: Host, key: Path, folder: Path) -> list[str]:
    known = folder / "known_hosts"
    name = host.address if host.ssh_port == _USUAL_PORT else f"[{host.address}]:{host.ssh_port}"
    known.write_text(f"{name} {host.host_key}\n", encoding="ascii")
    options = [*_OPTIONS, f"UserKnownHostsFile={shlex.quote(str(known))}", f"Port={host.ssh_port}"]
    given = [word for option in options for word in ("-o", option)]
    login = f"{host.ssh_user}@{host.address}"
    return ["ssh", "-F", "none", "-T", *given, "-i", str(key), "--", login, "sudo -n python3 -IS -"]
