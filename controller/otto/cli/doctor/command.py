"""All checks at once, and the table that shows them; `otto doctor` is in `otto.cli.commands.machine`."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.table import Table
from rich.text import Text

from otto.cli.doctor import container, engine, place, tools
from otto.cli.doctor.check import Check, State
from otto.cli.doctor.machine import Outside
from otto.config import Settings

_LAB: tuple[Callable[[Outside, Settings], Check], ...] = (
    engine.engine,
    engine.runtime,
    engine.network,
    engine.base_image,
    tools.mmdebstrap,
    engine.cgroups,
    engine.inotify,
    engine.limits,
    engine.privileges,
    engine.firewall,
    engine.routes,
)
_ALWAYS: tuple[Callable[[Outside, Settings], Check], ...] = (
    tools.python,
    tools.packages,
    tools.terraform,
    tools.ansible,
    tools.git,
    tools.ssh,
    tools.signatures,
    place.home,
    place.sockets,
    place.secrets,
    place.disk,
    place.memory,
    place.port,
    place.clock,
)
# In the controller's own image the rest is the machine's business.
_LAB_INSIDE: tuple[Callable[[Outside, Settings], Check], ...] = (
    container.engine,
    engine.base_image,
    container.network,
    engine.inotify,
    container.routes,
)
_STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}


def run_checks(outside: Outside, settings: Settings) -> list[Check]:
    """Look at everything; the lab's needs only where the lab is among the providers allowed.

    Args:
        outside: the machine.
        settings: what OttO would run with.

    Returns:
        One `Check` for each thing looked at, always in the same order.
    """
    lab = any(provider.value == "lab" for provider in settings.providers)
    inside = container.inside(outside)
    labs = _LAB_INSIDE if inside else _LAB
    checks = (*_ALWAYS, *labs) if lab else _ALWAYS
    with ThreadPoolExecutor(max_workers=8) as pool:
        found = list(pool.map(lambda check: check(outside, settings), checks))
    return [container.told(check) for check in found] if inside else found


def table(checks: Sequence[Check]) -> Table:
    """Checks for people; what is needed and the mend stand below what is not well."""
    drawn = Table(box=None, pad_edge=False, show_header=False)
    for _ in ("state", "name", "found"):
        drawn.add_column(overflow="fold")
    for check in checks:
        mark = Text(check.state.value, style=_STYLES[check.state])
        drawn.add_row(mark, Text(check.name), Text(check.found))
        if check.state is not State.OK:
            drawn.add_row("", "  needed", Text(check.needed))
            drawn.add_row("", "  mend", Text(check.mend, style="cyan"))
    return drawn
