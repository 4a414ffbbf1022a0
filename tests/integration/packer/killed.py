"""A process that builds an image, to be killed: `killed.py HOME TEMPLATES POOL [watched]`."""

import asyncio
import sys
from pathlib import Path

from otto import resources
from otto.adapters.clock import SystemClock
from otto.adapters.identity import identity
from otto.adapters.packer import PackerBuilder, PackerOptions
from otto.cli import tidying
from otto.config import LabSettings, Settings
from otto.lab.lab import Lab
from otto.lab.workshop import Workshop
from otto.model.progress import Progress
from otto.model.spec import Provider


def tell(progress: Progress) -> None:
    sys.stdout.write(f"{progress.message}\n")
    sys.stdout.flush()


home, templates, pool = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
who = identity(home)
settings = Settings(home=home, lab=LabSettings(pool=pool))
options = PackerOptions(
    home / "images",
    templates,
    resources.path("infra", "ansible"),
    who.key,
    tidying=tidying.command(settings) if sys.argv[4:] else (),
)
workshop = Workshop(Lab(home, who.owner, settings.lab), who.public_key)
builder = PackerBuilder(options, {}, workshop, SystemClock())
asyncio.run(builder.build(builder.builds(Provider.LAB, ["nginx"])[0], tell))
