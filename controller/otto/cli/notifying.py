"""Who is told, as the settings say."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from otto.adapters.notify import Notifications, Options, Way, kinds_of, open_ways

if TYPE_CHECKING:
    from otto.config import Settings
    from otto.ports import Clock


def ways_of(settings: "Settings", environ: Mapping[str, str]) -> tuple[Way, ...]:
    """The ways people are told.

    Raises:
        UsageError: the setting is wrong, or leads to what is.
    """
    return open_ways(settings.notify.urls, environ)


def notifications(
    settings: "Settings",
    environ: Mapping[str, str],
    clock: "Clock",
    count: Callable[[str], None] = lambda _: None,
) -> Notifications:
    """The port `Notifier`.

    Raises:
        UsageError: a setting is wrong, or leads to what is.
    """
    notify = settings.notify
    options = Options(kinds=kinds_of(notify.events), timeout=max(1.0, notify.timeout), retries=notify.retries)
    return Notifications(ways_of(settings, environ), clock, options, count)
