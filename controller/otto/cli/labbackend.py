"""The lab as the Terraform adapter and the image port need it."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import structlog

from otto import resources
from otto.adapters.terraform import LiveResource, Module
from otto.lab import events, names
from otto.lab.lab import Lab
from otto.lab.mirror import terraformrc
from otto.lab.resources import LabResource
from otto.model.canonical import Data
from otto.model.errors import TerminalError
from otto.model.history import Account
from otto.model.host import HostEvent, LiveHost
from otto.model.infrastructure import InfrastructureInputs
from otto.model.progress import Progress
from otto.model.spec import HostGroup, Provider

log = structlog.get_logger("otto.lab")

_REGION = "local"


class LabBackend:
    """Port `Backend` of the Terraform adapter, for the lab.

    Args:
        lab: the lab of this home.
        authorized_key: public key that may log in to its hosts.
    """

    def __init__(self, lab: Lab, authorized_key: str) -> None:
        self._lab = lab
        self._key = authorized_key
        self._mirror = lab.mirror()

    @property
    def module(self) -> Module:
        """The lab's module; the engine is made to answer, because Terraform is about to ask it."""
        return Module(
            path=resources.path("infra", "terraform", "lab"),
            provider_digest=self._mirror.digest,
            required_providers={"lab": self._mirror.required_provider},
            configuration={"lab": dict(self._lab.provider_configuration())},
            cli_config=terraformrc(self._mirror.path, direct=False),
            outputs=("hosts", "endpoints", "controllers"),
            host_types={"lab_host": "name"},
        )

    def variables(self, inputs: InfrastructureInputs) -> Mapping[str, Data]:
        """Values of the module's variables."""
        return {
            "site": inputs.site,
            "owner": self._lab.owner,
            "web": _group(inputs.web),
            "balancer": _group(inputs.balancer),
            "pinned": dict(inputs.pinned),
            "sizes": dict(inputs.sizes),
            "authorized_key": self._key,
            "settings": dict(self._lab.module_settings()),
        }

    async def inventory(self, site: str | None) -> tuple[LiveHost, ...]:
        """Hosts alive under our labels. No engine is started for it."""
        return tuple(host.live() for host in await asyncio.to_thread(self._lab.hosts, site))

    async def events(self) -> AsyncGenerator[HostEvent, None]:
        """What the engine tells of hosts under our labels. No engine is started for it.

        Raises:
            TransientError: none answers, or it ended the stream.
        """
        used = await asyncio.to_thread(self._lab.running)
        async with aclosing(events.watch(used.url, self._lab.owner)) as told:
            async for event in told:
                yield event

    async def resources(self, site: str) -> tuple[LiveResource, ...]:
        """What carries the site's labels, and foreign things that have its names."""
        found = await asyncio.to_thread(self._lab.resources, site)
        return tuple(
            LiveResource(item.address, item.id, item.name, item.host, item.ours, identity=item.id)
            for item in found
        )

    async def account(self) -> Account:
        """The owner mark of this home: nobody else's lab is touched by it."""
        return Account(self._lab.owner, _REGION)

    async def remove(self, site: str, resource: LiveResource) -> None:
        """Remove something that carries our mark and the site's, now; anything else is left alone.

        Raises:
            TerminalError: it does not carry them.
        """
        await asyncio.to_thread(self._remove, site, resource)

    def _remove(self, site: str, resource: LiveResource) -> None:
        api = self._lab.api()
        found = api.container(resource.id) if resource.host else api.network(resource.id)
        if found is None:
            return
        whose = names.ownership(found.labels)
        if (whose.owner, whose.site) != (self._lab.owner, site):
            raise TerminalError(f"{resource.name} does not carry the labels of {site}; it is left alone")
        self._lab.remove(LabResource(resource.address, resource.id, resource.name, resource.host))


class LabImages:
    """Port `Images` over what the lab's engine has.

    The first question brings the lab up: engine, route, base image. Nothing is provisioned before its
    image is known, so nothing ever runs on half a lab.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._lock = asyncio.Lock()
        self._up = False

    async def resolve(self, provider: Provider, name: str) -> str:
        """Id of an image.

        Raises:
            TerminalError: the engine has no such image, or the provider is another one.
        """
        if provider is not Provider.LAB:
            raise TerminalError(
                f"this version of OttO has no images for {provider.value}", mend="use spec.provider: lab"
            )
        async with self._lock:
            if not self._up:
                await asyncio.to_thread(self._bring_up)
                self._up = True
        return await asyncio.to_thread(self._lab.image, name)

    def _bring_up(self) -> None:
        ready = self._lab.up(_tell)
        for note in ready.notes:
            log.info("lab.changed", message=note)
        for warning in ready.warnings:
            log.warning("lab.warning", message=warning)


def _tell(progress: Progress) -> None:
    log.info("lab.progress", message=progress.message, done=progress.done, total=progress.total)


def _group(group: HostGroup) -> Data:
    return {"count": group.count, "size": group.size, "image": group.image}
