"""What things of the lab are called, and the labels they carry."""

from collections.abc import Mapping
from dataclasses import dataclass

OWNER = "otto.owner"
SITE = "otto.site"
ROLE = "otto.role"
HOST = "otto.host"
INDEX = "otto.index"
# Engines forget the address of a container that does not run; this label remembers.
ADDRESS = "otto.address"
# As it was made: no engine changes a label when a host gets another size.
SIZE = "otto.size"
# The zone that a nameserver delegates from: it is no site's host.
NAMESERVER = "otto.nameserver"


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose a thing is, as its labels tell; "" where a label is missing."""

    owner: str = ""
    site: str = ""
    role: str = ""
    host: str = ""


def container_name(owner: str, host: str) -> str:
    """The name of a host's container."""
    return f"otto-{owner}-{host}"


def nameserver_name(owner: str) -> str:
    """The name of the nameserver's container, and of its network. With a dot, which no site's name has."""
    return f"otto-{owner}.nameserver"


def network_name(owner: str, site: str) -> str:
    """The name of a site's network."""
    return f"otto-{owner}-{site}"


def labels(ownership: Ownership) -> dict[str, str]:
    """The labels that tell whose a thing is; what is empty gets no label."""
    named = {
        OWNER: ownership.owner,
        SITE: ownership.site,
        ROLE: ownership.role,
        HOST: ownership.host,
    }
    return {label: value for label, value in named.items() if value}


def ownership(labelled: Mapping[str, str]) -> Ownership:
    """Read labels back."""
    return Ownership(
        owner=labelled.get(OWNER, ""),
        site=labelled.get(SITE, ""),
        role=labelled.get(ROLE, ""),
        host=labelled.get(HOST, ""),
    )
