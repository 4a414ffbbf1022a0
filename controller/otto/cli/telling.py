"""Have a running controller look at sites at once."""

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from otto.model.errors import OttoError

if TYPE_CHECKING:
    from pathlib import Path

    from otto.cli.invocation import Invocation
    from otto.ports import Store
    from otto.reconcile.control import Request


class Heard(StrEnum):
    """Whether a controller heard."""

    YES = "yes"
    NOBODY = "nobody"  # none is running
    SILENT = "silent"  # one is running, and did not answer


LATER = {
    Heard.YES: "",
    Heard.NOBODY: "; no controller is running, the next one takes note",
    Heard.SILENT: "; the controller did not answer, it takes note at its next look",
}
"""What is said to whoever asked."""


async def tell(invocation: "Invocation", sites: Sequence[str]) -> Heard:
    """Have a running controller look at sites now. What was recorded counts whether or not it hears.

    Args:
        invocation: the call.
        sites: their names.
    """
    from otto.cli import presence  # noqa: PLC0415

    home = invocation.settings.home
    if presence.find(home) is None:
        return Heard.NOBODY
    for site in sites:
        heard = await _due(home, site)
        if heard is not Heard.YES:
            return heard
    return Heard.YES


async def tell_of_images(invocation: "Invocation") -> Heard:
    """Have a running controller look at what changed in the index of images, and at the sites concerned."""
    from otto.cli import presence  # noqa: PLC0415

    home = invocation.settings.home
    return Heard.NOBODY if presence.find(home) is None else await _ask(home, {"op": "images"})


async def held_sites(store: "Store") -> list[str]:
    """Sites that the guard holds up."""
    from otto.model.status import Phase  # noqa: PLC0415  (not for --help)

    return [
        status.site
        for status in await store.statuses()
        if status.held or status.phase is Phase.AWAITING_APPROVAL
    ]


async def _due(home: "Path", site: str) -> Heard:
    return await _ask(home, {"op": "due", "site": site})


async def _ask(home: "Path", request: "Request") -> Heard:
    from otto.reconcile.control import ask  # noqa: PLC0415  (only where there is somebody to ask)

    try:
        answer = await ask(home / "control.sock", request)
    except (OttoError, OSError):
        return Heard.SILENT
    return Heard.NOBODY if answer is None else Heard.YES
