"""The lab as the adapter's backend; as a program, a controller to be killed.

python -m tests.integration.terraform.lab_provider HOME SITE WEB
"""

import asyncio
import os
import sys
from pathlib import Path

from otto.adapters.clock import SystemClock
from otto.adapters.identity import identity
from otto.adapters.terraform import Settings, TerraformInfrastructure
from otto.cli.labbackend import LabBackend
from otto.lab.lab import Lab
from otto.model.infrastructure import InfrastructureInputs
from otto.model.progress import silent
from otto.model.spec import HostGroup, Provider

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHVudXNlZHVudXNlZHVudXNlZHVudXNlZHVudXNlZHVu"


def make_lab(home: Path) -> Lab:
    return Lab(home, identity(home).owner)


def make_infrastructure(lab: Lab) -> TerraformInfrastructure:
    settings = Settings(home=lab.home / "sites", lock_wait=0.0, grace=30.0, poll=0.02)
    return TerraformInfrastructure({Provider.LAB: LabBackend(lab, KEY)}, settings, SystemClock(), os.environ)


def make_inputs(site: str, web: int = 1, size: str = "small") -> InfrastructureInputs:
    return InfrastructureInputs(
        site, Provider.LAB, HostGroup(web, size, "base"), HostGroup(0, "small", "base")
    )


async def main(home: Path, site: str, web: int) -> None:
    infrastructure = make_infrastructure(make_lab(home))
    await infrastructure.apply(await infrastructure.plan(make_inputs(site, web), silent), silent)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
