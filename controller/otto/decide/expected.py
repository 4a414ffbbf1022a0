"""What the hosts' own answers should be, derived from the desired state and the addresses in the state."""

from otto.model.canonical import digest
from otto.model.desired import Desired
from otto.model.host import Host
from otto.model.observed import InfrastructureState
from otto.model.spec import Role

SERVICES: dict[Role, str] = {Role.WEB: "nginx", Role.BALANCER: "haproxy"}


def configuration_digest(desired: Desired, host: Host, state: InfrastructureState) -> str:
    """Digest a host of this role carries once it is configured as desired.

    A balancer's depends on the addresses of all web servers, a web server's on the balancers' (it
    trusts their forwarded headers); so adding a server reconfigures balancers, and only them.
    """
    return digest(
        desired.configuration_inputs(host.role)
        | {"controllers": sorted(state.controllers), "neighbours": _neighbours(host, state)}
    )


def _neighbours(host: Host, state: InfrastructureState) -> list[tuple[str, str, int]]:
    other = Role.BALANCER if host.role is Role.WEB else Role.WEB
    return [(peer.name, peer.private_address, peer.http_port) for peer in state.of(other)]


def wanted(desired: Desired) -> dict[str, Role]:
    """Names of all hosts wanted, with their roles."""
    return {name: role for role in Role for name in desired.host_names(role)}
