"""People are told, however bad some of the receivers are, and nobody waits for it."""

import asyncio
import stat
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from tests.integration.notify.mail import free_port
from tests.integration.notify.receivers import hang, web_server
from tests.integration.servers import serving

from otto.adapters.clock import SystemClock
from otto.adapters.notify import Notifications, Options, Way
from otto.model.notice import Notice, NoticeKind
from otto.testing import FakeClock

AT = datetime(2026, 1, 1, tzinfo=UTC)
NOTICE = Notice(NoticeKind.REFUSED, "acme", "acme is refused", "otto why acme", AT)


def notices(count: int) -> list[Notice]:
    return [replace(NOTICE, title=f"number {n}") for n in range(count)]


async def test_every_way_is_told_and_a_bad_one_stops_no_other() -> None:
    told = list[str]()
    async with web_server() as seen:
        ways = [Way(1, f"json://127.0.0.1:{free_port()}"), Way(2, f"json://127.0.0.1:{seen.port}")]
        notifier = Notifications(ways, FakeClock(auto=True), Options(retries=1), told.append)
        with structlog.testing.capture_logs() as logs:
            await notifier.notify(NOTICE)
            await notifier.close()
    assert [body["title"] for body in seen.bodies] == ["[otto] acme is refused"]
    assert sorted(told) == ["failed", "sent"]
    (failed,) = (line for line in logs if line["event"] == "notice.failed")
    assert (failed["way"], failed["site"], failed["kind"]) == ("line 1, json://127.0.0.1", "acme", "refused")


async def test_a_receiver_that_hangs_is_waited_for_by_nobody() -> None:
    told = list[str]()
    async with serving(hang) as port:
        way = Way(1, f"json://127.0.0.1:{port}")
        notifier = Notifications([way], SystemClock(), Options(timeout=60, closing=0.5), told.append)
        started = time.monotonic()
        await notifier.notify(NOTICE)
        assert time.monotonic() - started < 0.5
        await notifier.close()
        assert time.monotonic() - started < 15
    assert told == ["dropped"]


async def test_a_failed_try_is_tried_again_later_and_later() -> None:
    clock, told = FakeClock(auto=True), list[str]()
    async with web_server(500, 500, 200) as seen:
        notifier = Notifications([Way(1, f"json://127.0.0.1:{seen.port}")], clock, Options(), told.append)
        await notifier.notify(NOTICE)
        await notifier.close()
    assert len(seen.bodies) == 3
    assert told == ["sent"]
    first, second = clock.slept
    assert 1 <= first <= 2 <= second <= 4


async def test_after_all_tries_it_is_given_up_and_the_next_one_is_sent() -> None:
    told = list[str]()
    async with web_server(500, 500, 200) as seen:
        way = Way(1, f"json://127.0.0.1:{seen.port}")
        notifier = Notifications([way], FakeClock(auto=True), Options(retries=1), told.append)
        for notice in notices(2):
            await notifier.notify(notice)
        await notifier.close()
    assert told == ["failed", "sent"]
    assert seen.bodies[-1]["title"] == "[otto] number 1"


async def test_when_too_many_wait_the_oldest_is_dropped() -> None:
    told = list[str]()
    async with web_server() as seen:
        way = Way(1, f"json://127.0.0.1:{seen.port}")
        notifier = Notifications([way], FakeClock(auto=True), Options(waiting=2), told.append)
        with structlog.testing.capture_logs() as logs:
            for notice in notices(4):
                await notifier.notify(notice)
            await notifier.close()
    assert [body["title"] for body in seen.bodies] == ["[otto] number 2", "[otto] number 3"]
    assert told == ["dropped", "dropped", "sent", "sent"]
    assert [line["title"] for line in logs if line["event"] == "notice.dropped"] == [
        "[otto] number 0",
        "[otto] number 1",
    ]


async def test_the_same_is_told_once_an_hour() -> None:
    clock, told = FakeClock(auto=True), list[str]()
    async with web_server() as seen:
        notifier = Notifications([Way(1, f"json://127.0.0.1:{seen.port}")], clock, Options(), told.append)
        await notifier.notify(NOTICE)
        await notifier.notify(replace(NOTICE, at=AT.replace(minute=5)))
        clock.move(3599)
        await notifier.notify(NOTICE)
        await notifier.notify(replace(NOTICE, body="otto why acme --all"))
        clock.move(1)
        await notifier.notify(NOTICE)
        await notifier.close()
    assert told == ["sent", "sent", "sent"]
    assert [body["message"] for body in seen.bodies] == [
        "otto why acme",
        "otto why acme --all",
        "otto why acme",
    ]


async def test_what_nobody_wants_to_hear_is_not_told() -> None:
    told = list[str]()
    options = Options(kinds=frozenset({NoticeKind.FREEZE}))
    async with web_server() as seen:
        way = Way(1, f"json://127.0.0.1:{seen.port}")
        notifier = Notifications([way], FakeClock(auto=True), options, told.append)
        await notifier.notify(NOTICE)
        await notifier.notify(replace(NOTICE, kind=NoticeKind.FREEZE))
        await notifier.close()
    assert told == ["sent"]


async def test_with_no_way_nobody_is_told() -> None:
    notifier = Notifications([], FakeClock())
    await notifier.notify(NOTICE)
    assert await notifier.try_out(NOTICE) == ()
    await notifier.close()


async def test_trying_out_says_which_way_works(tmp_path: Path) -> None:
    path = tmp_path / "tell"
    path.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    path.chmod(stat.S_IRWXU)
    async with web_server() as seen:
        ways = [Way(3, f"json://127.0.0.1:{seen.port}"), Way(4, command=(str(path),))]
        notifier = Notifications(ways, FakeClock())
        for _ in range(2):  # whatever was told before
            good, bad = await notifier.try_out(NOTICE)
            assert (good.way, good.trouble) == ("line 3, json://127.0.0.1", "")
            assert (bad.way, bad.trouble) == ("line 4, tell", "exit status 1: without a word")
    assert len(seen.bodies) == 2


async def test_ending_in_the_middle_leaves_nothing_running() -> None:
    async with serving(hang) as port:
        notifier = Notifications([Way(1, f"json://127.0.0.1:{port}")], SystemClock(), Options(closing=0.2))
        await notifier.notify(NOTICE)
        await notifier.close()
        rest = [task for task in asyncio.all_tasks() if task.get_name().startswith("notify")]
    assert rest == []


@pytest.mark.parametrize("count", [0, 3])
async def test_closing_twice(count: int) -> None:
    async with web_server() as seen:
        notifier = Notifications([Way(1, f"json://127.0.0.1:{seen.port}")], FakeClock(auto=True))
        for notice in notices(count):
            await notifier.notify(notice)
        await notifier.close()
        await notifier.close()
    assert len(seen.bodies) == count
