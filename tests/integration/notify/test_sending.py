"""Messages arrive at real receivers as plain text, and bad receivers are told apart from good ones."""

import json
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.integration.notify.mail import free_port, mail_server
from tests.integration.notify.receivers import drip, flood, hang, web_server
from tests.integration.servers import serving

from otto.adapters.notify.message import message
from otto.adapters.notify.sending import send
from otto.adapters.notify.ways import Way
from otto.model.notice import Notice, NoticeKind

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
BODY = "2 hosts would be destroyed\nto let it go on: otto approve acme 0123456789ab"
TOLD = message(Notice(NoticeKind.APPROVAL, "acme", "acme waits for approval", BODY, AT))
HOSTILE = message(
    Notice(
        NoticeKind.REFUSED,
        "acme\r\nBcc: victim@other.example",
        "acme\r\nBcc: victim@other.example\r\n\r\n<b>hi</b>",
        "@channel @all <!channel> <@U123> *bold* ```\n[click](http://evil.example) <script>alert(1)</script>"
        "\n.\r\nQUIT\r\n\x1b[31mred\u202e & done\notto approve acme 0123456789ab",
        AT,
    )
)
SECONDS = 20.0


async def test_a_webhook_is_given_plain_words() -> None:
    async with web_server() as seen:
        assert await send(Way(1, f"json://127.0.0.1:{seen.port}/hook/here"), TOLD, SECONDS) == ""
    assert seen.paths == ["/hook/here"]
    assert seen.bodies[0]["title"] == "[otto] acme waits for approval"
    assert seen.bodies[0]["message"] == BODY
    assert seen.bodies[0]["type"] == "warning"


async def test_a_webhook_is_given_hostile_words_as_they_are() -> None:
    async with web_server() as seen:
        assert await send(Way(1, f"json://127.0.0.1:{seen.port}/"), HOSTILE, SECONDS) == ""
    assert seen.bodies[0]["title"] == "[otto] acme Bcc: victim@other.example <b>hi</b>"
    assert "<script>alert(1)</script>" in seen.bodies[0]["message"]
    assert "\x1b" not in seen.bodies[0]["message"]


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("mmost://127.0.0.1:{port}/abcdefghij", "/hooks/abcdefghij"),
        ("mmost://127.0.0.1:{port}/chat/abcdefghij", "/chat/hooks/abcdefghij"),
        ("json://127.0.0.1:{port}/services/T0/B0/x?:message=text", "/services/T0/B0/x"),
        (f"rocket://{'a' * 17}/{'b' * 24}@127.0.0.1:{{port}}", f"/hooks/{'a' * 17}/{'b' * 24}"),
    ],
)
async def test_a_chat_with_webhooks_as_slack_has_them(address: str, path: str) -> None:
    async with web_server() as seen:
        assert await send(Way(1, address.format(port=seen.port)), TOLD, SECONDS) == ""
    assert seen.paths == [path]
    assert seen.bodies[0]["text"] == f"```\n[otto] acme waits for approval\n\n{BODY}\n```"


@pytest.mark.parametrize(
    "address",
    [
        "mmost://127.0.0.1:{port}/abcdefghij",
        "json://127.0.0.1:{port}/x?:message=text",
        f"rocket://{'a' * 17}/{'b' * 24}@127.0.0.1:{{port}}",
    ],
)
async def test_in_a_chat_nobody_is_called_and_nothing_is_drawn(address: str) -> None:
    async with web_server() as seen:
        assert await send(Way(1, address.format(port=seen.port)), HOSTILE, SECONDS) == ""
    text: str = seen.bodies[0]["text"]
    assert text.startswith("```\n")
    assert text.endswith("\notto approve acme 0123456789ab\n```")
    assert text.count("`") == 6
    assert not [words for words in ("@channel", "@all", "<", ">", "\r", "\x1b", "\u202e") if words in text]


async def test_an_e_mail_is_plain_text() -> None:
    async with mail_server() as (box, port):
        way = Way(1, f"mailto://127.0.0.1:{port}?from=otto@a.example&to=ops@b.example")
        assert await send(way, TOLD, SECONDS) == ""
    (mail,) = box.mails
    assert box.recipients == [["ops@b.example"]]
    assert mail["Subject"] == "[otto] acme waits for approval"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().strip().splitlines() == BODY.splitlines()


@pytest.mark.parametrize("more", ["", "&format=html"])
async def test_no_header_and_no_markup_gets_into_an_e_mail(more: str) -> None:
    async with mail_server() as (box, port):
        way = Way(1, f"mailto://127.0.0.1:{port}?from=otto@a.example&to=ops@b.example{more}")
        assert await send(way, HOSTILE, SECONDS) == ""
    (mail,) = box.mails
    assert box.recipients == [["ops@b.example"]]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[otto] acme Bcc: victim@other.example <b>hi</b>"
    texts = [part for part in mail.walk() if part.get_content_maintype() == "text"]
    html = [part.get_content() for part in texts if part.get_content_type() == "text/html"]
    assert bool(html) == bool(more)
    assert not [text for text in html if "<script>" in text]
    command = "otto approve acme 0123456789ab"
    assert [part for part in texts if command in part.get_content().replace("&nbsp;", " ")] == texts


async def test_a_command_is_given_json(tmp_path: Path) -> None:
    path, got = tmp_path / "tell", tmp_path / "got"
    path.write_text(f'#!/bin/sh\ncat > {got}.json\necho "$1" > {got}.args\n', encoding="utf-8")
    path.chmod(stat.S_IRWXU)
    assert await send(Way(1, command=(str(path), "$(id) a b")), HOSTILE, SECONDS) == ""
    given = json.loads(got.with_suffix(".json").read_text(encoding="utf-8"))
    assert (given["version"], given["kind"], given["at"]) == (1, "refused", "2026-01-01T12:00:00+00:00")
    assert given["site"] == "acme Bcc: victim@other.example"
    assert given["body"].endswith("\notto approve acme 0123456789ab")
    assert got.with_suffix(".args").read_text(encoding="utf-8") == "$(id) a b\n"


async def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    path = tmp_path / "tell"
    path.write_text('#!/bin/sh\necho "no pager: $1" >&2\nexit 4\n', encoding="utf-8")
    path.chmod(stat.S_IRWXU)
    trouble = await send(Way(1, command=(str(path), "hunter22")), TOLD, SECONDS)
    assert trouble == "exit status 4: no pager: ***"


async def test_a_receiver_that_answers_with_an_error() -> None:
    async with web_server(500) as seen:
        trouble = await send(Way(1, f"json://127.0.0.1:{seen.port}/services/s3cr3tpath"), TOLD, SECONDS)
    assert "error=500" in trouble


async def test_a_receiver_that_is_not_there() -> None:
    way = Way(1, f"json://u:hunter22@127.0.0.1:{free_port()}/services/s3cr3tpath")
    trouble = await send(way, TOLD, SECONDS)
    assert "onnection error" in trouble
    assert "hunter22" not in trouble
    assert "s3cr3tpath" not in trouble


async def test_a_receiver_that_sends_us_elsewhere_is_not_followed() -> None:
    async with web_server() as other, web_server(307, location=f"http://127.0.0.1:{other.port}/") as seen:
        assert await send(Way(1, f"json://127.0.0.1:{seen.port}/"), TOLD, SECONDS) != ""
    assert len(seen.bodies) == 1
    assert other.bodies == []


@pytest.mark.parametrize("handler", [hang, drip, flood])
async def test_a_receiver_that_never_ends_is_left_in_time(handler: Any) -> None:
    async with serving(handler) as port:
        started = time.monotonic()
        trouble = await send(Way(1, f"json://127.0.0.1:{port}/"), TOLD, 3.0)
    assert trouble
    assert time.monotonic() - started < 15


@pytest.mark.parametrize("address", ["nosuch://token0123456789@host", "slack://not-a-token", "json://"])
async def test_an_address_that_apprise_does_not_know(address: str) -> None:
    trouble = await send(Way(1, address), TOLD, SECONDS)
    assert trouble
    assert "token0123456789" not in trouble
