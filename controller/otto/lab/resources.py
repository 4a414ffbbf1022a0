"""What is alive of a site, in the terms of its Terraform module."""

import re
from dataclasses import dataclass

from otto.lab import inventory, names
from otto.lab.api import Api
from otto.lab.containers import Network

HOST_TYPE = "lab_host"
NETWORK_ADDRESS = "lab_network.site"


@dataclass(frozen=True, slots=True)
class LabResource:
    """Something alive that a site's module manages, or whose name it needs.

    Attributes:
        address: its address inside the module, as `lab_host.hosts["blog-web-1"]`.
        id: what `terraform import` takes.
        name: what the engine calls it.
        host: name of the host, "" when it is a network.
        ours: whether it carries this owner's and site's labels.
    """

    address: str
    id: str
    name: str
    host: str = ""
    ours: bool = True


def alive(api: Api, owner: str, site: str) -> tuple[LabResource, ...]:
    """Everything that carries a site's labels, and foreign things that have its names.

    Raises:
        TransientError: the engine does not answer.
    """
    ours = [
        LabResource(host_address(host.name), host.id, host.container, host.name)
        for host in inventory.live_hosts(api, owner, site)
    ]
    networks = [_network(found, owner, site) for found in inventory.networks(api, owner, site)]
    known = {item.id for item in (*ours, *networks)}
    foreign = [item for item in _foreign(api, owner, site) if item.id not in known]
    return (*networks, *ours, *foreign)


def remove(api: Api, resource: LabResource) -> bool:
    """Remove a host or a network; False when it was gone already.

    Raises:
        OttoError: the engine does not answer, or a network still has hosts.
    """
    if resource.host:
        return api.remove_container(resource.id)
    return api.remove_network(resource.id)


def host_address(host: str) -> str:
    """The address of a host inside the module."""
    return f'{HOST_TYPE}.hosts["{host}"]'


def _foreign(api: Api, owner: str, site: str) -> list[LabResource]:
    prefix = names.container_name(owner, "")
    needed = re.compile(re.escape(f"{prefix}{site}") + r"-(web|balancer)-\d+")
    found = [
        LabResource(host_address(name.removeprefix(prefix)), id_, name, name.removeprefix(prefix), ours=False)
        for id_, name in api.list_names(f"{prefix}{site}-")
        if needed.fullmatch(name)
    ]
    network = api.network(names.network_name(owner, site))
    return [*found, _network(network, owner, site)] if network else found


def _network(found: Network, owner: str, site: str) -> LabResource:
    whose = names.ownership(found.labels)
    ours = (whose.owner, whose.site) == (owner, site)
    return LabResource(NETWORK_ADDRESS, found.id, found.name, ours=ours)
