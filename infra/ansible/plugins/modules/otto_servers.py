#!/usr/bin/python3
"""Undoes what was done to a running haproxy through its socket: servers off, drained, moved, made lighter."""

# Of the kind Ansible calls JSONARGS, as otto_state is, for the same reason.

from __future__ import annotations

import ipaddress
import json
import socket
import subprocess
import sys

TYPE_CHECKING = False  # importing it would cost time
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

DOCUMENTATION = r"""
module: otto_servers
short_description: Bring a running haproxy's servers back to what its configuration says
description:
  - haproxy takes orders through its socket that no file knows of and that last until it is reloaded. Here
    they are taken back without a reload, each only where there is one.
  - Servers in maintenance or drained become ready, health checks that were switched off are switched on,
    weights and addresses are the configured ones again, paused frontends accept again.
  - Servers that were added or removed by hand are a matter of a reload, which drops no connection.
  - Where haproxy does not run or has just been reloaded there is nothing to undo.
options:
  backend: {description: The backend., type: str, required: true}
  servers:
    description: Its servers, as the configuration has them.
    type: list
    elements: dict
    required: true
    suboptions:
      name: {description: The server., type: str, required: true}
      address: {description: Its IP address., type: str, required: true}
      port: {description: Its port., type: int, required: true}
  socket: {description: The admin socket., type: path, default: /run/haproxy/admin.sock}
author: [OttO]
"""

RETURN = r"""
undone: {description: Orders that took back what was found., type: list, elements: str, returned: always}
"""

ARGUMENTS = r"""<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>"""
SOCKET = "/run/haproxy/admin.sock"
SECONDS = 5.0
LONGEST = 8 * 1024 * 1024
RELOAD = ("systemctl", "reload", "haproxy")
# haproxy's management guide, "show servers state": forced maintenance, forced drain; checks enabled.
FORCED = 0x01 | 0x08
CHECKED = 0x04


class RefusedError(Exception):
    """haproxy would not do it; the message is for people."""


def asked(path: str, command: str) -> str:
    """What haproxy answers.

    Raises:
        OSError: nobody listens there.
    """
    chunks, size = [], 0
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(path)
        connection.sendall(f"{command}\n".encode())
        while (chunk := connection.recv(65536)) and size < LONGEST:
            chunks.append(chunk)
            size += len(chunk)
    return b"".join(chunks).decode("utf-8", "replace")


def servers(table: str) -> dict[str, dict[str, str]]:
    """Server -> its columns, from the answer to `show servers state`."""
    lines = [line.removeprefix("# ").split() for line in table.splitlines()[1:] if line.strip()]
    rows = [dict(zip(lines[0], line, strict=False)) for line in lines[1:]]
    return {row["srv_name"]: row for row in rows}


def paused(table: str) -> list[str]:
    """Frontends that accept nothing, from the answer to `show stat`."""
    lines = table.removeprefix("# ").splitlines()
    names = lines[0].split(",") if lines else []
    rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:]]
    return [row["pxname"] for row in rows if row.get("status") == "PAUSED"]


def same_address(one: str, other: str) -> bool:
    """Whether two ways to write an address mean the same."""
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return one == other


def orders(backend: str, found: dict[str, str], wanted: dict[str, Any]) -> list[str]:
    """What to tell haproxy about one of its servers, nothing when it is as configured."""
    name, told = f"{backend}/{found['srv_name']}", []
    if not same_address(found["srv_addr"], wanted["address"]) or int(found["srv_port"]) != wanted["port"]:
        told.append(f"set server {name} addr {wanted['address']} port {wanted['port']}")
    if found["srv_uweight"] != found["srv_iweight"]:
        told.append(f"set server {name} weight 100%")
    if not int(found["srv_check_state"]) & CHECKED:
        told.append(f"enable health {name}")
    if int(found["srv_admin_state"]) & FORCED:
        told.append(f"set server {name} state ready")
    return told


def differing(ask: Callable[[str], str], given: dict[str, Any]) -> list[str]:
    """Orders that would undo what is not as configured; `reload` when no order can."""
    backend, wanted = given["backend"], {item["name"]: item for item in given["servers"]}
    found = servers(ask(f"show servers state {backend}"))
    if found.keys() != wanted.keys():
        return ["reload"]
    told = [f"enable frontend {name}" for name in paused(ask("show stat -1 1 -1"))]
    return told + [order for name in sorted(found) for order in orders(backend, found[name], wanted[name])]


def undo(ask: Callable[[str], str], reload: Callable[[], None], given: dict[str, Any]) -> dict[str, Any]:
    """Bring servers back; what to tell Ansible.

    Raises:
        RefusedError: haproxy does not do as told.
    """
    try:
        told = differing(ask, given)
    except OSError:  # it does not run: there is nothing to undo
        return {"changed": False, "undone": []}
    if not given.get("_ansible_check_mode"):
        if told == ["reload"]:
            reload()
        elif told:
            said = " ".join(ask("; ".join(told)).split())
            if left := differing(ask, given):
                raise RefusedError(f"haproxy was told to {'; '.join(left)}, and did not: {said[:1000]}")
    return {"changed": bool(told), "undone": told}


def reload_haproxy() -> None:
    """Have haproxy start from its configuration alone; no connection is dropped.

    Raises:
        RefusedError: systemd would not.
    """
    done = subprocess.run(RELOAD, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
    if done.returncode:
        raise RefusedError(f"{' '.join(RELOAD)}: {done.stderr.decode('utf-8', 'replace').strip()[:1000]}")


def main() -> None:
    """Run as an Ansible module."""
    given = json.loads(ARGUMENTS)
    path = given.get("socket") or SOCKET
    try:
        answer = undo(lambda command: asked(path, command), reload_haproxy, given)
    except (RefusedError, OSError, subprocess.SubprocessError, KeyError, ValueError) as error:
        answer = {"failed": True, "msg": f"servers of haproxy: {type(error).__name__}: {error}"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.exit(bool(answer.get("failed")))


if __name__ == "__main__":
    main()
