"""A machine that a person declares: OttO configures and watches it, and neither makes nor removes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from otto.model.spec import Role


@dataclass(frozen=True, slots=True)
class DeclaredHost:
    """`kind: Host`, validated, with defaults filled in. `file` and `line` are no part of the wish.

    Attributes:
        name: unique among all hosts.
        address: how the controller reaches it: a host name or an address.
        site: the site that it serves, "" for none: then it is only watched.
        role: what it does there.
        ssh_port: of its SSH server.
        ssh_user: who logs in: root, so that all that is managed can be read and written.
        http_port: of its web server or balancer.
        host_key: its SSH host key as in a known_hosts file, without the name (`ssh-ed25519 AAAA…`); needed.
        private_address: how the site's other hosts reach it, "" for `address`.
        labels: as for sites.
    """

    name: str
    address: str
    host_key: str
    site: str = ""
    role: Role = Role.WEB
    ssh_port: int = 22
    ssh_user: str = "root"
    http_port: int = 80
    private_address: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    file: str = ""
    line: int = 0
