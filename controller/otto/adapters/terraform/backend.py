"""What differs from provider to provider, handed to the adapter by the composition root."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from otto.model.canonical import Data
from otto.model.history import Account
from otto.model.host import HostEvent, LiveHost
from otto.model.infrastructure import InfrastructureInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A provider's Terraform module and what it takes to run it.

    Attributes:
        path: the module's folder.
        provider_digest: names the provider plugin and its version; part of the module's digest.
        required_providers: as in `terraform { required_providers }`, by local name.
        configuration: arguments of the provider blocks, by local name. Secrets go into `environment`.
        environment: variables for Terraform and its providers, besides the adapter's own.
        cli_config: text of the CLI configuration file (`provider_installation`, …).
        outputs: outputs of the module that the state is to hold.
        host_types: resource type -> dotted path of the attribute that holds a host's name.
        lock_file: a dependency lock file to hold Terraform to; None lets each init choose anew, which
            the exact version in `required_providers` then decides.
        sensitive: names of the variables that are secret.
        secrets: secret values that must not leave the adapter, whatever a provider prints.
    """

    path: Path
    provider_digest: str = ""
    required_providers: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    configuration: Mapping[str, Mapping[str, Data]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    cli_config: str = ""
    outputs: tuple[str, ...] = ("hosts", "endpoints")
    host_types: Mapping[str, str] = field(default_factory=dict)
    lock_file: Path | None = None
    sensitive: frozenset[str] = frozenset()
    secrets: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class LiveResource:
    """Something alive at the provider that a site's module would manage.

    Attributes:
        address: its address inside the module, as `lab_host.web["blog-web-1"]`.
        id: what `terraform import` takes.
        name: what the provider calls it.
        host: name of the host, "" when it is no host.
        ours: whether it carries our owner's and this site's labels. A foreign one only has a name that
            the site needs.
        identity: its attribute `id` as a state would hold it. When the state holds another under the same
            address, what the state knew is gone and this took its place (a replacement that was killed
            before the state was written); "" when that cannot be told.
    """

    address: str
    id: str
    name: str
    host: str = ""
    ours: bool = True
    identity: str = ""


class Backend(Protocol):
    """One provider, as the adapter needs it. Methods raise only errors of `otto.model.errors`."""

    @property
    def module(self) -> Module:
        """The module and its surroundings, ready for Terraform: asked in a thread before every command."""

    def variables(self, inputs: InfrastructureInputs) -> Mapping[str, Data]:
        """Values of the module's variables for one site."""

    async def inventory(self, site: str | None) -> tuple[LiveHost, ...]:
        """Hosts alive under our owner's labels, of one site or all; no Terraform."""

    def events(self) -> AsyncGenerator[HostEvent, None]:
        """What the provider tells of hosts under our owner's labels, as it happens; nothing is started.

        One that has nothing to tell, ever, ends at once.

        Raises:
            TransientError: the connection ended or there is none.
        """

    async def resources(self, site: str) -> tuple[LiveResource, ...]:
        """Everything alive that carries the site's labels, and foreign things with its names."""

    async def account(self) -> Account | None:
        """As whom, and where, the provider would act; None where that cannot be told apart.

        Raises:
            TransientError: it cannot be asked now.
            TerminalError: it refuses our credentials.
        """

    async def remove(self, site: str, resource: LiveResource) -> None:
        """Remove something that no state knows, now; nothing happens when it is gone already.

        Raises:
            TerminalError: it does not carry our owner's and the site's labels.
        """
