"""Inventories: for one run, with everything ssh needs, and in the dynamic inventory convention."""

import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from otto.adapters.ansible.known_hosts import key_of
from otto.model.canonical import Data
from otto.model.host import Host
from otto.model.spec import Role

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,127}")
_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,254}|::[0-9a-fA-F:.]*")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


class _Unsafe(str):
    """Text that Ansible must take as it is, never as a template."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Marks such text in YAML."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  (the library's signature)
        """Ansible's own loader reads anchors, people do not like to."""
        return True


_Dumper.add_representer(
    _Unsafe,
    lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'),
)


def fault(host: Host) -> str:
    """Why a host cannot be worked on, "" when it can."""
    if not _NAME.fullmatch(host.name):
        return f"{host.name!r} cannot be a host's name"
    if not _ADDRESS.fullmatch(host.address):
        return f"{host.address!r} cannot be a host's address"
    if not _USER.fullmatch(host.ssh_user):
        return f"{host.ssh_user!r} cannot be a user's name"
    if key_of(host) is None:
        return "no host key is pinned for it, or one that is malformed"
    return ""


def control_path(folder: Path, host: Host) -> str:
    """Where ssh keeps its connection to a host. A new host at an old address gets a new one."""
    parts = (host.address, str(host.ssh_port), host.ssh_user, key_of(host) or "")
    return str(folder / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16])


def ssh_arguments(known_hosts: Path) -> str:
    """Arguments that make ssh believe the pinned key only."""
    path = str(known_hosts).replace("%", "%%")
    return "-o " + shlex.quote(f'UserKnownHostsFile="{path}"')


def run_inventory(
    hosts: Sequence[Host],
    variables: Mapping[str, Mapping[str, Data]],
    *,
    key: Path,
    known_hosts: Mapping[str, Path],
    control: Path,
) -> str:
    """The YAML inventory of one run.

    Args:
        hosts: the hosts to contact, nobody else.
        variables: host -> variables of its own.
        key: private SSH key.
        known_hosts: host -> file of its pinned key.
        control: folder of control sockets.
    """
    groups = {
        role.value: {
            "hosts": {
                host.name: _connection(host, known_hosts, control) | _unsafe(variables.get(host.name, {}))
                for host in hosts
                if host.role is role
            }
        }
        for role in Role
    }
    shared = _unsafe({"ansible_ssh_private_key_file": str(key)})
    return yaml.dump({"all": {"vars": shared, "children": groups}}, Dumper=_Dumper, sort_keys=True)


def _connection(host: Host, known_hosts: Mapping[str, Path], control: Path) -> dict[str, Any]:
    return {
        "ansible_host": _Unsafe(host.address),
        "ansible_port": host.ssh_port,
        "ansible_user": _Unsafe(host.ssh_user),
        "ansible_ssh_common_args": _Unsafe(ssh_arguments(known_hosts[host.name])),
        "ansible_control_path": _Unsafe(control_path(control, host)),
    }


def _unsafe(value: Any) -> Any:  # noqa: ANN401  (JSON in, JSON out)
    if isinstance(value, str):
        return _Unsafe(value)
    if isinstance(value, Mapping):
        return {str(key): _unsafe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_unsafe(item) for item in value]
    return value


def host_variables(site: str, host: Host) -> dict[str, Data]:
    """What `--host NAME` of a dynamic inventory prints."""
    return {
        "ansible_host": host.address,
        "ansible_port": host.ssh_port,
        "ansible_user": host.ssh_user,
        "otto_site": site,
        "otto_host": host.name,
        "otto_role": host.role.value,
        "otto_private_address": host.private_address,
        "otto_host_key": host.host_key,
    }


def listing(sites: Mapping[str, Sequence[Host]]) -> dict[str, Data]:
    """What `--list` of a dynamic inventory prints: groups by role and by site, variables in `_meta`.

    Ansible wants letters, digits and underscores in a group's name, so the group of site `my-shop` is
    `site_my_shop`.
    """
    hosts = [(site, host) for site in sorted(sites) for host in sorted(sites[site], key=lambda h: h.name)]
    roles: dict[str, Data] = {
        role.value: {"hosts": [host.name for _, host in hosts if host.role is role]} for role in Role
    }
    groups: dict[str, Data] = {
        group_name(site): {"hosts": [host.name for owner, host in hosts if owner == site]}
        for site in sorted(sites)
    }
    everyone: dict[str, Data] = {"children": [*roles, *groups]}
    meta: dict[str, Data] = {"hostvars": {host.name: host_variables(site, host) for site, host in hosts}}
    return {"all": everyone, **roles, **groups, "_meta": meta}


def group_name(site: str) -> str:
    """The inventory group of a site."""
    return "site_" + re.sub(r"[^a-z0-9_]", "_", site)
