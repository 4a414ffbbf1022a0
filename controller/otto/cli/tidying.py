"""Remove what a build of an image left that was killed: `python -m otto.cli.tidying HOME SOCKET POOL IMAGE`.

The warden of a build runs it (`otto.adapters.packer.warden`), nobody else needs to.
"""

import sys
from pathlib import Path

from otto.adapters.identity import identity
from otto.adapters.packer import tidy
from otto.config import LabSettings, Settings
from otto.lab.lab import Lab
from otto.lab.workshop import Workshop
from otto.model.errors import OttoError


def command(settings: Settings) -> tuple[str, ...]:
    """The command, to which the name of an image is to be added."""
    lab = settings.lab
    return (sys.executable, "-m", __name__, str(settings.home.absolute()), lab.socket, lab.pool)


def main(home: str, socket: str, pool: str, image: str) -> int:
    """Remove it; 1 when that cannot be done now. The next build of the image then does."""
    folder = Path(home)
    if not (folder / "owner").is_file():
        return 0  # the home is gone, and is not made anew
    who = identity(folder)
    lab = Lab(folder, who.owner, LabSettings(socket=socket, pool=pool))
    try:
        tidy(folder / "images", Workshop(lab, who.public_key), image)
    except OttoError:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
