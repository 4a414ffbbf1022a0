"""The lab as the adapter's backend; as a program, a controller to be killed.

python -m tests.integration.terraform.lab_provider HOME SITE WEB
"""

import asyncio
import hashlib
import os
import sys
from pathlib import Path

from otto import resources
from otto.adapters.clock import SystemClock
from otto.adapters.terraform import LiveResource, Module, Settings, TerraformInfrastructure
from otto.lab import mirror
from otto.lab.lab import Lab
from otto.lab.resources import LabResource
from otto.model.canonical import Data
from otto.model.host import LiveHost
from otto.model.infrastructure import InfrastructureInputs
from otto.model.progress import silent
from otto.model.spec import HostGroup, Provider

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVudXNlZHVudXNlZHVudXNlZHVudXNlZHVudXNlZHVu"


class LabBackend:
    """Port `Backend` over the lab of one OTTO_HOME."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @property
    def module(self) -> Module:
        provider = self.lab.mirror()
        return Module(
            path=resources.path("infra", "terraform", "lab"),
            provider_digest=provider.digest,
            required_providers={"lab": provider.required_provider},
            configuration={"lab": {**self.lab.provider_configuration()}},
            cli_config=mirror.terraformrc(provider.path, direct=False),
            host_types={"lab_host": "name"},
        )

    def variables(self, inputs: InfrastructureInputs) -> dict[str, Data]:
        def group(of: HostGroup) -> dict[str, Data]:
            return {"count": of.count, "size": of.size, "image": of.image}

        return {
            "site": inputs.site,
            "owner": self.lab.owner,
            "web": group(inputs.web),
            "balancer": group(inputs.balancer),
            "authorized_key": KEY,
            "settings": {**self.lab.module_settings()},
        }

    async def inventory(self, site: str | None) -> tuple[LiveHost, ...]:
        return tuple(host.live() for host in await asyncio.to_thread(self.lab.hosts, site))

    async def resources(self, site: str) -> tuple[LiveResource, ...]:
        found = await asyncio.to_thread(self.lab.resources, site)
        return tuple(
            LiveResource(i.address, i.id, i.name, i.host, i.ours, i.id if i.ours else "") for i in found
        )

    async def remove(self, site: str, resource: LiveResource) -> None:
        item = LabResource(resource.address, resource.id, resource.name, resource.host)
        await asyncio.to_thread(self.lab.remove, item)


def make_lab(home: Path) -> Lab:
    return Lab(home, hashlib.sha256(str(home).encode()).hexdigest()[:8])


def make_infrastructure(lab: Lab) -> TerraformInfrastructure:
    settings = Settings(home=lab.home / "sites", lock_wait=0.0, grace=30.0, poll=0.02)
    return TerraformInfrastructure({Provider.LAB: LabBackend(lab)}, settings, SystemClock(), os.environ)


def make_inputs(site: str, web: int = 1, size: str = "small") -> InfrastructureInputs:
    return InfrastructureInputs(
        site, Provider.LAB, HostGroup(web, size, "base"), HostGroup(0, "small", "base")
    )


async def main(home: Path, site: str, web: int) -> None:
    infrastructure = make_infrastructure(make_lab(home))
    await infrastructure.apply(await infrastructure.plan(make_inputs(site, web), silent), silent)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
