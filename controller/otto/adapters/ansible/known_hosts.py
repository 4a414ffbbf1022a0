"""Pinned host keys, in the form ssh reads (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable

from otto.model.host import Host

SSH_PORT = 22
_SALT_BYTES = 20
_KEY = re.compile(r"(ssh-[a-z0-9-]+|ecdsa-sha2-[a-z0-9-]+)\s+([A-Za-z0-9+/]+={0,3})(\s.*)?")


def name_of(address: str, port: int) -> str:
    """How ssh names a host in that file: the port belongs to it unless it is the usual one."""
    return address if port == SSH_PORT else f"[{address}]:{port}"


def hashed(name: str, salt: bytes) -> str:
    """A name as ssh's HashKnownHosts writes it."""
    summed = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(summed).decode()}"


def key_of(host: Host) -> str | None:
    """Type and key of a host's pinned key line, without its comment; None when it is malformed."""
    found = _KEY.fullmatch(host.host_key.strip())
    return f"{found[1]} {found[2]}" if found else None


def file_of(host: Host) -> str:
    """Name of the file that pins a host's key, in a run's folder."""
    return f"known_hosts.{host.name}"


def known_hosts(host: Host, random_bytes: Callable[[int], bytes]) -> str:
    """The file that pins one host's key; empty, which lets nobody in, when the key is malformed.

    Each host has a file of its own: in a shared one, the key of whoever else was at its address would do.
    """
    key = key_of(host)
    if key is None:
        return ""
    return f"{hashed(name_of(host.address, host.ssh_port), random_bytes(_SALT_BYTES))} {key}\n"
