"""Have a running controller look at sites at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from otto.desk.heard import Heard
from otto.model.errors import OttoError
from otto.model.plan import StepKind

if TYPE_CHECKING:
    from pathlib import Path

    from otto.cli.invocation import Invocation
    from otto.reconcile.control import Request

_NO_STEPS: frozenset[StepKind] = frozenset()


async def tell(
    invocation: "Invocation", sites: Sequence[str], steps: frozenset[StepKind] = _NO_STEPS
) -> Heard:
    """Have a running controller look at sites now. What was recorded counts whether or not it hears.

    Args:
        invocation: the call.
        sites: their names.
        steps: steps that are carried out whether or not anything differs.
    """
    from otto.cli import presence  # noqa: PLC0415

    home = invocation.settings.home
    if presence.find(home) is None:
        return Heard.NOBODY
    for site in sites:
        heard = await _due(home, site, steps)
        if heard is not Heard.YES:
            return heard
    return Heard.YES


async def tell_of_images(invocation: "Invocation") -> Heard:
    """Have a running controller look at what changed in the index of images, and at the sites concerned."""
    from otto.cli import presence  # noqa: PLC0415

    home = invocation.settings.home
    return Heard.NOBODY if presence.find(home) is None else await _ask(home, {"op": "images"})


async def _due(home: "Path", site: str, steps: frozenset[StepKind]) -> Heard:
    named = {"steps": [step.value for step in sorted(steps)]} if steps else {}
    return await _ask(home, {"op": "due", "site": site, **named})


async def _ask(home: "Path", request: "Request") -> Heard:
    from otto.reconcile.control import ask  # noqa: PLC0415  (only where there is somebody to ask)

    try:
        answer = await ask(home / "control.sock", request)
    except (OttoError, OSError):
        return Heard.SILENT
    return Heard.NOBODY if answer is None else Heard.YES
