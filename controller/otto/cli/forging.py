"""Which forge is told, as the settings say."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from otto.adapters.forge import OpenForge, Options, Token, address, open_forge

if TYPE_CHECKING:
    from otto.config import Settings
    from otto.ports import Clock
    from otto.telemetry.metrics import Metrics


def forge_of(
    settings: "Settings", clock: "Clock", metrics: "Metrics", scrub: Callable[[str], str]
) -> OpenForge | None:
    """The port `Forge`; None where nobody is to be told.

    Args:
        settings: the settings.
        clock: the time.
        metrics: where requests are counted.
        scrub: takes secrets out of a line.

    Raises:
        UsageError: a setting is wrong, or leads to what is.
    """
    forge = settings.forge
    if not forge.token:
        return None
    where = address(forge.kind, forge.api, forge.host, settings.source.url)
    options = Options(
        timeout=max(1.0, forge.timeout), authority=Path(forge.authority) if forge.authority else None
    )
    metrics.expect_forge(where.kind.value)
    return open_forge(
        where, Token(forge.token), clock, scrub=scrub, count=metrics.forge_called, options=options
    )
