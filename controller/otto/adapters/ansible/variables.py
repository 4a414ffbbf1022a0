"""From a request to the parts of the play each host gets, and the variables they read.

Their contract: infra/ansible/README.md.
"""

from collections.abc import Mapping

from otto.decide.expected import SERVICES
from otto.model.canonical import Data
from otto.model.configuration import ConfigurationRequest
from otto.model.errors import TerminalError
from otto.model.host import Host
from otto.model.plan import StepKind
from otto.model.spec import Role

# Where hosts serve each other, whatever port the controller reaches them at.
_HTTP_PORT = 80
_BASE, _SEAL, _CONTENT = "base", "seal", "content"


def parts(request: ConfigurationRequest, host: Host) -> tuple[str, ...]:
    """Parts of the play for a host, each of them a tag too.

    A host that gets all of its roles is sealed as completely configured; a web server gets content as
    well when the request has an archive.

    Raises:
        TerminalError: the play or the host knows no such step or role.
    """
    content = (_CONTENT,) if host.role is Role.WEB and request.archive is not None else ()
    if request.kind is StepKind.DEPLOY:
        if request.archive is None:
            raise TerminalError(f"there is no archive to deploy to {request.site}")
        return content
    if request.kind is not StepKind.CONFIGURE:
        raise TerminalError(f"ansible has no step {request.kind.value!r}")
    return _configured(request.roles, host) + content


def _configured(roles: Mapping[str, tuple[str, ...]], host: Host) -> tuple[str, ...]:
    own = (_BASE, SERVICES[host.role])
    asked = frozenset(roles.get(host.name, own))
    if strange := sorted(asked - frozenset(own)):
        raise TerminalError(f"host {host.name} has no role {strange[0]!r}, only {' and '.join(own)}")
    some = tuple(role for role in own if role in asked)
    return (*some, _SEAL) if some == own else some


def variables(request: ConfigurationRequest) -> dict[str, dict[str, Data]]:
    """Host -> its variables."""
    return {host.name: _variables(request, host) for host in request.hosts}


def _variables(request: ConfigurationRequest, host: Host) -> dict[str, Data]:
    named: list[Data] = [*parts(request, host)]
    common: dict[str, Data] = {"otto_site": request.site, "otto_host": host.name, "otto_roles": named}
    if request.kind is StepKind.CONFIGURE:
        common |= _configuring(request, host)
    if _CONTENT in named:
        common |= _deploying(request)
    return common


def _deploying(request: ConfigurationRequest) -> dict[str, Data]:
    return {
        "otto_revision": request.revision,
        "otto_content_archive": str(request.archive),
        "otto_content_repair": request.repair,
    }


def _configuring(request: ConfigurationRequest, host: Host) -> dict[str, Data]:
    controllers: list[Data] = [*sorted(set(request.controllers))]
    common: dict[str, Data] = {
        "otto_controllers": controllers,
        "otto_config_digest": request.digests.get(host.name, ""),
    }
    role = _balancing(request) if host.role is Role.BALANCER else _serving(request)
    return common | role


def _serving(request: ConfigurationRequest) -> dict[str, Data]:
    balancers: list[Data] = [*sorted({host.private_address for host in request.balancers})]
    return {"otto_domains": list(request.domains), "otto_balancers": balancers}


def _balancing(request: ConfigurationRequest) -> dict[str, Data]:
    backends: list[Data] = [
        {"name": host.name, "address": host.private_address, "port": _HTTP_PORT}
        for host in sorted(request.backends, key=lambda host: host.name)
    ]
    return {"otto_backends": backends, "otto_algorithm": request.algorithm.value}
