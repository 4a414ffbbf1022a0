"""What the ports are asked for, derived from the desired state and the addresses in the state."""

from collections.abc import Iterable
from dataclasses import replace

from otto.decide.expected import configuration_digest
from otto.model.configuration import ConfigurationRequest
from otto.model.desired import Desired
from otto.model.difference import Cause, Difference
from otto.model.infrastructure import InfrastructureInputs
from otto.model.observed import InfrastructureState
from otto.model.plan import Step
from otto.model.spec import HostGroup, Role


def infrastructure_inputs(desired: Desired, replacing: tuple[str, ...] = ()) -> InfrastructureInputs:
    """What the Terraform module is given, and which hosts are to be made anew."""
    spec = desired.spec

    def group(role: Role) -> HostGroup:
        return replace(spec.group(role), image=desired.images[role.value])

    return InfrastructureInputs(spec.name, spec.provider, group(Role.WEB), group(Role.BALANCER), replacing)


def configuration_request(desired: Desired, state: InfrastructureState, step: Step) -> ConfigurationRequest:
    """The play for one step, over the step's hosts and no others."""
    hosts = tuple(host for host in state.hosts if host.name in step.hosts)
    return ConfigurationRequest(
        site=desired.site,
        kind=step.kind,
        hosts=hosts,
        backends=state.of(Role.WEB),
        balancers=state.of(Role.BALANCER),
        domains=desired.spec.domains,
        algorithm=desired.spec.algorithm,
        controllers=state.controllers,
        digests={host.name: configuration_digest(desired, host, state) for host in hosts},
        revision=desired.content,
        roles=step.roles,
    )


def is_joint(configure: Step, deploy: Step, state: InfrastructureState) -> bool:
    """Whether one play can do both: every web server it configures gets content, and no other."""
    web = {host.name for host in state.of(Role.WEB)}
    return web.intersection(configure.hosts) == set(deploy.hosts)


def needs_repair(differences: Iterable[Difference], step: Step) -> bool:
    """Whether files of a revision that is already there have to be looked at one by one.

    So it is when they drifted, and when it is not known what they should be: taking them as they are
    would make a stranger's edit the standard.
    """
    return any(item.host in step.hosts and item.cause is not Cause.SPEC for item in differences)
