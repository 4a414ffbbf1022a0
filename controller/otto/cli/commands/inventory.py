"""`otto inventory`: OttO's hosts as an Ansible dynamic inventory."""

import secrets
import shlex
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from otto.model.host import Host


def inventory(
    context: typer.Context,
    listed: Annotated[bool, typer.Option("--list", help="All groups and hosts.")] = False,
    host: Annotated[str, typer.Option("--host", metavar="NAME", help="One host's variables.")] = "",
) -> None:
    """Print the hosts as an Ansible inventory.

    By Ansible's convention for inventory scripts, with the key and the pinned host keys; with --server
    without either: those are on the controller's machine.
    """
    if listed == bool(host):
        raise typer.BadParameter("give either --list or --host NAME")
    invocation = Invocation.of(context)
    from otto.adapters.ansible.inventory import listing  # noqa: PLC0415  (imports YAML)
    from otto.cli import documents  # noqa: PLC0415
    from otto.desk.hosts import SeeHosts  # noqa: PLC0415

    sites = run(invocation.desk.ask(SeeHosts()))
    found: dict[str, Any] = listing(sites)
    variables: dict[str, dict[str, Any]] = found["_meta"]["hostvars"]
    if invocation.server is None:  # the key is on the controller's machine, and stays there
        keys = invocation.settings.home / "keys"
        for known in (known for hosts in sites.values() for known in hosts):
            variables[known.name] |= connection(keys, known)
    if listed:
        documents.write(invocation.out, found)
        return
    if host not in variables:
        raise UsageError(
            f"there is no host {host[:80]!r}", mend=f"hosts: {', '.join(sorted(variables)) or 'none'}"
        )
    documents.write(invocation.out, variables[host])


def connection(keys: Path, host: "Host") -> dict[str, str]:
    """What ssh needs besides: the controller's key, and a file that holds this host's pinned key alone.

    Args:
        keys: the folder of keys; the files are written to `hosts` inside it.
        host: the host.
    """
    pinned = keys / "hosts" / host.name
    from otto.adapters.ansible.known_hosts import known_hosts  # noqa: PLC0415  (with the inventory)

    _write(pinned, known_hosts(host, secrets.token_bytes))
    options = {
        "UserKnownHostsFile": '"' + str(pinned).replace("%", "%%") + '"',
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
    }
    arguments = " ".join(f"-o {shlex.quote(f'{name}={value}')}" for name, value in options.items())
    return {
        "ansible_ssh_private_key_file": str(keys / "id_ed25519"),
        "ansible_ssh_common_args": arguments,
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii", delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)
