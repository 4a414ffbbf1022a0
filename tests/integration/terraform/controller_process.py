"""A controller in a process of its own, to be killed: plans and applies one site.

python -m tests.integration.terraform.controller_process FOLDER SETTING=VALUE…
"""

import asyncio
import sys
from pathlib import Path

from otto.adapters.clock import SystemClock
from otto.adapters.terraform import Settings, TerraformInfrastructure
from otto.model.progress import silent
from otto.model.spec import Provider

from .local_provider import make_backend, make_inputs


async def main(folder: Path, settings: dict[str, str]) -> None:
    backend = make_backend(folder)
    backend.settings.update(settings)
    home = Settings(home=folder / "sites")
    infrastructure = TerraformInfrastructure({Provider.LAB: backend}, home, SystemClock())
    plan = await infrastructure.plan(make_inputs(web=2), silent)
    await infrastructure.apply(plan, silent)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), dict(pair.split("=", 1) for pair in sys.argv[2:])))
