"""`otto inventory`: OttO's hosts as an Ansible dynamic inventory."""

import shlex
from typing import TYPE_CHECKING, Annotated, Any

import typer

from otto.cli import naming
from otto.cli.invocation import Invocation
from otto.cli.running import run
from otto.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from otto.model.host import Host


def inventory(
    context: typer.Context,
    listed: Annotated[bool, typer.Option("--list", help="All groups and hosts.")] = False,
    host: Annotated[str, typer.Option("--host", metavar="NAME", help="One host's variables.")] = "",
) -> None:
    """Print the hosts as an Ansible inventory.

    By Ansible's convention for inventory scripts, with the key and the pinned host keys.
    """
    if listed == bool(host):
        raise typer.BadParameter("give either --list or --host NAME")
    invocation = Invocation.of(context)
    from otto.adapters.ansible.inventory import listing  # noqa: PLC0415  (imports YAML)
    from otto.cli import documents  # noqa: PLC0415

    found: dict[str, Any] = listing(run(_hosts(invocation)))
    variables: dict[str, dict[str, Any]] = found["_meta"]["hostvars"]
    for name in variables:
        variables[name] |= connection(invocation.settings.home / "keys")
    if listed:
        documents.write(invocation.out, found)
        return
    if host not in variables:
        raise UsageError(
            f"there is no host {host[:80]!r}", mend=f"hosts: {', '.join(sorted(variables)) or 'none'}"
        )
    documents.write(invocation.out, variables[host])


async def _hosts(invocation: Invocation) -> "dict[str, tuple[Host, ...]]":
    async with naming.reading_store(invocation) as store:
        return {status.site: status.hosts for status in await store.statuses() if status.hosts}


def connection(keys: "Path") -> dict[str, str]:
    """What ssh needs besides: the controller's key, and the host keys it pinned."""
    known = keys / "known_hosts"
    arguments = f"-o {shlex.quote(f'UserKnownHostsFile={known}')} -o StrictHostKeyChecking=yes"
    return {
        "ansible_ssh_private_key_file": str(keys / "id_ed25519"),
        **({"ansible_ssh_common_args": arguments} if known.exists() else {}),
    }
