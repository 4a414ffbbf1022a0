"""Whatever the other side does: an error of ours in time, and the token nowhere."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web
from tests.integration.forge.certificates import self_signed
from tests.integration.forge.conftest import Connect
from tests.integration.forge.server import COMMIT, TOKEN, Fault, ForgeServer, cuts, floods, hangs, says

from otto.adapters.forge import OpenForge, Options, Token, address, open_forge
from otto.model.errors import OttoError, TerminalError, TransientError, UsageError
from otto.model.forge import CommitState, CommitStatus
from otto.testing import START, FakeClock

STATUS = CommitStatus("acme/specs", COMMIT, "otto/shop", CommitState.SUCCESS, "serves")
AT = START + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("fault", "wait"),
    [
        (says(429, headers={"Retry-After": "17"}), 17.0),
        (says(429, headers={"Retry-After": format_datetime(AT, usegmt=True)}), 90.0),
        (says(403, headers={"Retry-After": "31"}), 31.0),
        (
            says(
                403,
                headers={
                    "X-RateLimit-Remaining": "0",
                    "X-RateLimit-Reset": str(int(AT.timestamp())),
                },
            ),
            91.0,
        ),
        (says(429, headers={"RateLimit-Reset": str(int(AT.timestamp()))}), 91.0),
        (says(403, {"message": "You have exceeded a secondary rate limit"}), 60.0),
        (says(429, headers={"Retry-After": "999999999"}), 3600.0),
        (says(429, headers={"Retry-After": "-5"}), 60.0),
        (says(503, headers={"Retry-After": "5"}), 5.0),
        (says(500), None),
        (says(408), None),
    ],
)
async def test_what_may_pass_is_to_be_tried_again_when_the_forge_says(
    server: ForgeServer, forge: OpenForge, fault: Fault, wait: float | None
) -> None:
    server.faults.append(fault)
    with pytest.raises(TransientError) as caught:
        await forge.status(STATUS)
    assert caught.value.retry_after == wait
    await forge.status(STATUS)
    assert len(server.statuses) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 410, 422])
async def test_what_will_not_pass_is_said_once_with_what_the_forge_says(
    server: ForgeServer, forge: OpenForge, status: int
) -> None:
    server.faults.append(says(status, {"message": "because\x1b[31m of it"}))
    with pytest.raises(TerminalError, match=rf"answered {status}: because \[31m of it"):
        await forge.status(STATUS)


async def test_a_bad_token_is_a_reason_to_wait_for_a_good_one(
    server: ForgeServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    forge = connect()
    for value in ("renewed", "", "two words"):
        monkeypatch.setenv("TEST_FORGE_TOKEN", value)
        with pytest.raises(TransientError, match="token") as caught:
            await forge.status(STATUS)
        assert caught.value.retry_after == 300
    monkeypatch.setenv("TEST_FORGE_TOKEN", TOKEN)
    await forge.status(STATUS)
    assert len(server.statuses) == 1


@pytest.mark.parametrize("fault", [cuts, hangs], ids=["cuts", "hangs"])
async def test_a_server_that_cuts_or_hangs_costs_no_more_than_the_limit(
    server: ForgeServer, connect: Connect, fault: Fault
) -> None:
    server.faults.append(fault)
    with pytest.raises(TransientError):
        await connect(timeout=0.3).status(STATUS)


async def test_an_answer_without_end_is_not_read_to_its_end(server: ForgeServer, connect: Connect) -> None:
    server.faults.append(floods)
    with pytest.raises(TerminalError, match="more than 100000 bytes"):
        await connect(largest=100_000).open_pulls("acme/specs", "main", 5)


@pytest.mark.parametrize(
    "data", ["no", 5, None, [1], [{"number": "x"}], {"message": "no list"}, [{"number": 1, "iid": 1}]]
)
async def test_an_answer_of_another_shape_is_an_error_of_ours(
    server: ForgeServer, forge: OpenForge, data: object
) -> None:
    async def odd(_: web.Request) -> web.StreamResponse:
        return web.json_response(data)

    server.faults.append(odd)
    try:
        found = await forge.open_pulls("acme/specs", "main", 5)
    except OttoError:
        return
    assert found == ()


async def test_deep_json_and_no_json_are_errors_of_ours(server: ForgeServer, forge: OpenForge) -> None:
    for body in (b"[" * 200_000, b"<html>", b"\xff\xfe"):

        async def odd(_: web.Request, body: bytes = body) -> web.StreamResponse:
            return web.Response(body=body, content_type="application/json")

        server.faults.append(odd)
        with pytest.raises(TransientError, match="no JSON"):
            await forge.open_pulls("acme/specs", "main", 5)


async def test_another_host_never_gets_the_token(server: ForgeServer, forge: OpenForge) -> None:
    got: list[web.Request] = []

    async def elsewhere(request: web.Request) -> web.StreamResponse:
        got.append(request)
        return web.json_response([])

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", elsewhere)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        for goal in (f"http://127.0.0.1:{port}/x", "//evil.example/x", "file:///etc/passwd", "http://[x"):
            server.faults.append(says(307, headers={"Location": goal}))
            with pytest.raises(TerminalError, match="sends us on"):
                await forge.open_pulls("acme/specs", "main", 5)
    finally:
        await runner.cleanup()
    assert not got


async def test_a_renamed_repository_is_followed_within_the_api(server: ForgeServer, forge: OpenForge) -> None:
    good = server.url.replace(server.api, "") + server.api
    path = "/projects/acme%2Fspecs" if "v4" in server.api else "/repos/acme/specs"
    server.faults.append(says(307, headers={"Location": f"{good}{path}/statuses/{COMMIT}"}))
    await forge.status(STATUS)
    assert len(server.statuses) == 1


async def test_a_circle_of_redirects_ends(server: ForgeServer, forge: OpenForge) -> None:
    server.faults.extend([says(302, headers={"Location": "/round"})] * 20)
    with pytest.raises(TerminalError, match="again and again"):
        await forge.status(STATUS)


async def test_no_error_shows_the_token(server: ForgeServer, forge: OpenForge) -> None:
    for fault in (says(401, {"message": f"bad {TOKEN}"}), cuts, says(500, {"message": TOKEN})):
        server.faults.append(fault)
        with pytest.raises(OttoError) as caught:
            await forge.status(STATUS)
        assert TOKEN not in f"{caught.value!r}{caught.value}{caught.value.detail}"
    assert TOKEN not in repr(forge) + repr(Token("env:X"))


async def test_every_call_is_counted_by_how_it_went(kind: str, server: ForgeServer, connect: Connect) -> None:
    counted: list[tuple[str, str, str]] = []
    forge = connect(count=lambda *what: counted.append(what))
    server.faults.extend([says(429), says(500), says(401), says(422)])
    for _ in range(4):
        with pytest.raises(OttoError):
            await forge.status(STATUS)
    await forge.status(STATUS)
    results = [result for _, _, result in counted]
    assert results == ["limited", "failed", "refused", "rejected", "ok"]
    assert {what[:2] for what in counted} == {(kind, "status")}


@asynccontextmanager
async def _over_tls(folder: Path) -> AsyncIterator[tuple[str, Path]]:
    certificate, key = self_signed(folder, "localhost")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response([])

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"https://localhost:{runner.addresses[0][1]}/api/v1", certificate
    finally:
        await runner.cleanup()


async def test_a_certificate_counts_only_when_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_FORGE_TOKEN", TOKEN)
    token, clock = Token("env:TEST_FORGE_TOKEN"), FakeClock()
    async with _over_tls(tmp_path) as (url, certificate):
        where = address("gitea", url, "", "")
        stranger = open_forge(where, token, clock)
        with pytest.raises(TerminalError, match="certificate is not trusted"):
            await stranger.open_pulls("acme/specs", "main", 5)
        await stranger.close()
        known = open_forge(where, token, clock, options=Options(authority=certificate))
        assert await known.open_pulls("acme/specs", "main", 5) == ()
        await known.close()


async def test_a_token_is_named_by_reference_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("secret-token\n")
    file.chmod(0o644)
    with pytest.raises(UsageError, match="others may read"):
        Token(f"file:{file}").read()
    file.chmod(0o600)
    assert Token(f"file:{file}").read() == "secret-token"
    for reference in ("ghp_itself", "env:", "env:NOT_THERE", f"file:{tmp_path}", "file:/nowhere"):
        with pytest.raises(UsageError) as caught:
            Token(reference).read({})
        assert "ghp_itself" not in str(caught.value)
    with pytest.raises(UsageError, match="holds no token"):
        Token("env:BAD").read({"BAD": "two words\r\nX-Header: 1"})
