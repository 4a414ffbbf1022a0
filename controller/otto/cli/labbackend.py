"""The lab as the Terraform adapter and the image port need it."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from otto import resources
from otto.adapters.terraform import LiveResource, Module
from otto.config import LabSettings
from otto.lab import engine, image, inventory, mirror, names
from otto.lab.api import Api
from otto.model.canonical import Data
from otto.model.errors import TerminalError, TransientError
from otto.model.host import LiveHost
from otto.model.infrastructure import InfrastructureInputs
from otto.model.spec import HostGroup, Provider

T = TypeVar("T")


class LabConnection:
    """The engine's API, found or started when first needed, and again after it went away.

    Args:
        folder: `OTTO_HOME/lab`.
        settings: of the lab.
    """

    def __init__(self, folder: Path, settings: LabSettings) -> None:
        self.folder = folder
        self._settings = settings
        self._lock = threading.Lock()
        self._api: Api | None = None

    async def call(self, work: Callable[[Api], T]) -> T:
        """Do something with the API, off the event loop."""
        return await asyncio.to_thread(self._call, work)

    def url(self) -> str:
        """The engine's address; the engine answers there."""
        return self._connect().url

    def close(self) -> None:
        """Give connections back."""
        with self._lock:
            if self._api is not None:
                self._api.close()
                self._api = None

    def _call(self, work: Callable[[Api], T]) -> T:
        try:
            return work(self._connect())
        except TransientError:
            self.close()
            raise

    def _connect(self) -> Api:
        with self._lock:
            if self._api is None:
                self._api = Api(engine.ensure(self.folder, self._settings.socket).url)
            return self._api


class LabBackend:
    """Port `Backend` of the Terraform adapter, for the lab."""

    def __init__(
        self, connection: LabConnection, settings: LabSettings, owner: str, authorized_key: str
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._owner = owner
        self._key = authorized_key
        self._mirror = mirror.ensure(connection.folder / "terraform")

    @property
    def module(self) -> Module:
        """The lab's module; the engine is made to answer, because Terraform is about to ask it."""
        return Module(
            path=resources.path("infra", "terraform", "lab"),
            provider_digest=self._mirror.digest,
            required_providers={"lab": self._mirror.required_provider},
            configuration={"lab": {"socket": self._connection.url(), "pool": self._settings.pool}},
            cli_config=mirror.terraformrc(self._mirror.path),
            outputs=("hosts", "endpoints", "controllers"),
            host_types={"lab_host": "name"},
        )

    def variables(self, inputs: InfrastructureInputs) -> Mapping[str, Data]:
        """Values of the module's variables."""
        return {
            "site": inputs.site,
            "owner": self._owner,
            "web": _group(inputs.web),
            "balancer": _group(inputs.balancer),
            "authorized_key": self._key,
            "settings": {"publish": "true" if self._settings.publish else "false"},
        }

    async def inventory(self, site: str | None) -> tuple[LiveHost, ...]:
        """Hosts alive under our labels."""
        found = await self._connection.call(lambda api: inventory.live_hosts(api, self._owner, site))
        return tuple(host.live() for host in found)

    async def resources(self, site: str) -> tuple[LiveResource, ...]:
        """Containers and the network that carry the site's labels, under the module's addresses."""

        def look(api: Api) -> tuple[LiveResource, ...]:
            hosts = inventory.live_hosts(api, self._owner, site)
            networks = inventory.networks(api, self._owner, site)
            return (
                *(LiveResource(_address(h.name), h.container, h.container, h.name) for h in hosts),
                *(LiveResource("lab_network.site", n.name, n.name) for n in networks),
            )

        return await self._connection.call(look)

    async def remove(self, site: str, resource: LiveResource) -> None:
        """Remove a container or network that is ours and that no state knows."""

        def remove(api: Api) -> None:
            if resource.host:
                found = api.container(resource.id)
                _check_ours(resource, self._owner, site, found.labels if found else None)
                api.remove_container(resource.id)
            else:
                network = api.network(resource.id)
                _check_ours(resource, self._owner, site, network.labels if network else None)
                api.remove_network(resource.id)

        await self._connection.call(remove)


class LabImages:
    """Port `Images`: what the lab's engine has. A base image that is missing is built when first needed."""

    def __init__(self, connection: LabConnection) -> None:
        self._connection = connection

    async def resolve(self, provider: Provider, name: str) -> str:
        """Id of an image.

        Raises:
            TerminalError: the engine has no such image, or the provider is another one.
        """
        if provider is not Provider.LAB:
            raise TerminalError(
                f"this version of OttO has no images for {provider.value}", mend="use spec.provider: lab"
            )
        return await self._connection.call(lambda api: image.resolve(api, name))


def _group(group: HostGroup) -> Data:
    return {"count": group.count, "size": group.size, "image": group.image}


def _address(host: str) -> str:
    return f'lab_host.hosts["{host}"]'


def _check_ours(resource: LiveResource, owner: str, site: str, labels: Mapping[str, str] | None) -> None:
    """The last look before something goes: it has to carry our mark and the site's, now.

    Raises:
        TerminalError: it does not.
    """
    if labels is None:
        return
    whose = names.ownership(labels)
    if (whose.owner, whose.site) != (owner, site):
        raise TerminalError(f"{resource.name} does not carry the labels of {site}; it is left alone")
