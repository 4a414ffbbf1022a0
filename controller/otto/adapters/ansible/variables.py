"""From a request to the variables the roles read (their contract: infra/ansible/README.md)."""

from otto.model.canonical import Data
from otto.model.configuration import ConfigurationRequest
from otto.model.host import Host
from otto.model.plan import StepKind
from otto.model.spec import Role

# Where hosts serve each other, whatever port the controller reaches them at.
_HTTP_PORT = 80

TAGS = {StepKind.CONFIGURE: "configure", StepKind.DEPLOY: "content"}


def variables(request: ConfigurationRequest) -> dict[str, dict[str, Data]]:
    """Host -> its variables."""
    own = _deploying if request.kind is StepKind.DEPLOY else _configuring
    return {host.name: _common(request, host) | own(request, host) for host in request.hosts}


def _common(request: ConfigurationRequest, host: Host) -> dict[str, Data]:
    return {"otto_site": request.site, "otto_host": host.name}


def _deploying(request: ConfigurationRequest, host: Host) -> dict[str, Data]:  # noqa: ARG001
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
