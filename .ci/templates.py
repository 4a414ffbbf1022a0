"""`packer validate` of every image's template for every provider, offline and with made-up credentials."""

import asyncio
import os
import sys
import tempfile
from pathlib import Path

from otto import resources
from otto.adapters.clock import SystemClock
from otto.adapters.packer import RECIPES, PackerBuilder, PackerOptions
from otto.lab.lab import Lab
from otto.lab.workshop import Workshop
from otto.model.errors import OttoError
from otto.model.spec import Provider

# What builders insist on before they judge anything else. Nobody is asked with it.
_DUMMIES = {
    "DIGITALOCEAN_API_TOKEN": "made-up",
    "AWS_REGION": "eu-central-1",
    "PKR_VAR_gcp_project": "made-up",
}


async def validate(builder: PackerBuilder) -> bool:
    """Whether all are valid; Packer says what is not."""
    good = True
    for name in RECIPES:
        for provider in Provider:
            try:
                await builder.validate(provider, name)
            except OttoError as error:
                print(f"{name} for {provider.value}: {error}\n{error.detail}", flush=True)
                good = False
    return good


def main() -> int:
    """Validate them all; 1 when one is not valid."""
    with tempfile.TemporaryDirectory(prefix="otto-templates-") as folder:
        options = PackerOptions(
            folder=Path(folder) / "images",
            templates=resources.path("images"),
            ansible=resources.path("infra", "ansible"),
            key=Path(folder) / "no-key",
            checkout=Path(__file__).resolve().parents[1],
            environ={**os.environ, **_DUMMIES},
        )
        workshop = Workshop(Lab(Path(folder), "0" * 8), "")
        return 0 if asyncio.run(validate(PackerBuilder(options, {}, workshop, SystemClock()))) else 1


if __name__ == "__main__":
    sys.exit(main())
