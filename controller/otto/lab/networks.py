"""The network of a site: found, made, removed."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from otto.lab import allocation, names
from otto.lab.api import Api
from otto.lab.containers import Network
from otto.lab.faults import AlreadyExistsError, SubnetTakenError
from otto.lab.names import Ownership
from otto.model.errors import TerminalError, TransientError

_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class SiteNetwork:
    """A site's network and its one subnet."""

    id: str
    name: str
    site: str
    owner: str
    subnet: IPv4Network

    @property
    def gateway(self) -> str:
        """The machine's own address in it."""
        return str(allocation.gateway(self.subnet))


def read(api: Api, name: str) -> SiteNetwork | None:
    """A network by its name or id, None when there is none.

    Raises:
        TerminalError: it has no IPv4 subnet, so it is none of ours.
    """
    found = api.network(name)
    return _site_network(found) if found else None


def create(
    api: Api, name: str, site: str, owner: str, pool: IPv4Network, *, more: Mapping[str, str] = _NONE
) -> SiteNetwork:
    """Make a network with a subnet that nothing else uses; `more` labels than those of its owner and site.

    Raises:
        AlreadyExistsError: there is one of that name.
        TransientError: no subnet of the pool is free.
    """
    existing = api.network(name)
    if existing:
        raise _exists(existing)
    taken = [subnet for network in api.list_networks() for subnet in network.subnets]
    labels = names.labels(Ownership(owner=owner, site=site)) | dict(more)
    for subnet in allocation.candidates(pool, taken, f"{owner}/{site}"):
        try:
            created = api.create_network(name, str(subnet), str(allocation.gateway(subnet)), labels)
        except SubnetTakenError:  # someone was quicker, or the machine itself uses it
            continue
        except AlreadyExistsError as error:
            raise _exists(api.network(name) or Network("", name)) from error
        return SiteNetwork(created, name, site, owner, subnet)
    raise TransientError(
        f"no subnet of the lab's pool {pool} is free",
        mend="set lab.pool to a larger private network, or remove labs no longer needed (otto lab clean)",
    )


def _site_network(found: Network) -> SiteNetwork:
    if not found.subnets:
        raise TerminalError(f"network {found.name} has no IPv4 subnet: it is none of the lab's")
    whose = names.ownership(found.labels)
    return SiteNetwork(found.id, found.name, whose.site, whose.owner, found.subnets[0])


def _exists(found: Network) -> AlreadyExistsError:
    whose = names.ownership(found.labels)
    told = f"owner {whose.owner}, site {whose.site}" if whose.owner else "not made by OttO"
    return AlreadyExistsError(
        f"network {found.name} exists already ({told})",
        mend=f"terraform import ADDRESS {found.name}, or podman network rm {found.name}",
    )
