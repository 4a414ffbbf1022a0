"""Who is told, as the settings say."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from otto.adapters.clock import SystemClock
from otto.adapters.notify import Notifications, Options, Way, kinds_of, open_ways
from otto.desk.house import Way as HouseWay
from otto.model.errors import UsageError
from otto.model.notice import Notice, NoticeKind

if TYPE_CHECKING:
    from otto.config import Settings
    from otto.ports import Clock

_BODY = """This is a test: somebody wants to know whether you are told.
A notice that waits for somebody ends with the command that lets it go on, as here:
otto notify --test"""


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


async def tell_ways(settings: "Settings", environ: Mapping[str, str], *, tried: bool) -> tuple[HouseWay, ...]:
    """The ways people are told; each is tried with a test notice when asked for.

    Raises:
        UsageError: there is none, or the setting leads to what is wrong.
    """
    ways = ways_of(settings, environ)
    if not ways:
        mend = "write the ways into a file of mode 0600, one a line, and set notify.urls to file:PATH"
        raise UsageError("nobody is told: notify.urls is not set", mend=mend)
    if not tried:
        return tuple(HouseWay(way.name) for way in ways)
    clock = SystemClock()
    notice = Notice(NoticeKind.APPROVAL, "", "test", _BODY, clock.now())
    found = await notifications(settings, environ, clock).try_out(notice)
    return tuple(HouseWay(item.way, item.trouble) for item in found)
