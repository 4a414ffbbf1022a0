"""`otto up` over the world in memory: until Ready, until stopped, and why not."""

import asyncio
import io
import json
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rich.console import Console
from tests.unit.cli.conftest import Stage

from otto.adapters.queue import QueueClosedError
from otto.cli.house import HomeHouse
from otto.cli.invocation import Invocation
from otto.cli.up import listening
from otto.cli.up.session import Options, Session
from otto.config import ApiSettings
from otto.model.errors import TransientError, UsageError
from otto.reconcile.lock import home_lock
from otto.testing import settle, site_spec


def test_until_ready_ends_with_0_and_the_urls(stage: Stage) -> None:
    stage.world.push(site_spec(), site_spec("shop"))
    result = stage.otto("up", "--until-ready")
    assert result.exit_code == 0, result.output
    assert "2 sites Ready" in result.stdout
    assert "  acme  http://10.203." in result.stdout
    assert "sites go on serving" in result.stdout
    assert stage.composition.opened == ["seed", "kit"]


def test_a_second_start_over_a_clean_fleet_plans_nothing(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("up", "--until-ready")
    assert stage.otto("up", "--until-ready").exit_code == 0
    assert len(stage.runs("acme")) == 1


def test_until_ready_json_ends_with_ready(stage: Stage) -> None:
    stage.world.push(site_spec())
    result = stage.otto("up", "--until-ready", "--json")
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert {item["event"] for item in found} >= {"status", "step", "ready"}
    assert found[-1]["event"] == "ready"


def test_until_ready_that_takes_too_long_says_why_for_each_site(stage: Stage) -> None:
    stage.world.push(site_spec(), site_spec("shop"))
    stage.world.infrastructure.failures.always("plan", TransientError("the engine is away", mend="start it"))
    result = stage.otto("up", "--until-ready", "--timeout", "0")
    assert result.exit_code == 1
    assert "not everything is Ready after 0 s" in result.stdout
    assert {line.split(":")[0] for line in result.stdout.splitlines() if line.startswith("✘")} == {
        "✘ acme",
        "✘ shop",
    }


def test_until_ready_does_not_wait_for_what_waits_for_a_person(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("up", "--until-ready")
    stage.world.images.ids["base"] = "sha256:another"
    result = stage.otto("up", "--until-ready")
    assert result.exit_code == 1
    assert "✘ acme: waits for approval: the plan would replace" in result.stdout
    assert f"mend: otto approve acme {stage.runs('acme')[0].plan[:12]}" in result.stdout


def test_a_destroyed_site_is_told_with_its_mend(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("up", "--until-ready")
    stage.otto("destroy", "acme", "--yes")
    result = stage.otto("up", "--until-ready")
    assert result.exit_code == 1
    assert "mend: otto resume acme" in result.stdout


def test_a_suspended_site_is_told_and_not_waited_for(stage: Stage) -> None:
    stage.world.push(site_spec(), site_spec("shop", suspend=True))
    result = stage.otto("up", "--until-ready")
    assert result.exit_code == 0
    assert "‖ shop: suspended by its spec" in result.stdout


def test_sites_come_back_after_everything_was_destroyed(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.otto("up", "--until-ready")
    stage.otto("destroy", "--all", "--yes")
    assert stage.otto("up", "--until-ready").exit_code == 0
    assert "acme-web-1" in {host.name for host in stage.world.hosts}


def test_a_bad_spec_fails_but_only_after_the_others_are_up(stage: Stage) -> None:
    stage.world.push(site_spec(), files={"specs/bad.yaml": "no spec at all"})
    result = stage.otto("up", "--until-ready")
    assert result.exit_code == 1
    assert "acme  Ready" in result.stdout
    assert "specs/bad.yaml" in result.stdout


def test_no_spec_at_all_is_said(stage: Stage) -> None:
    stage.world.source.commit({"README": "nothing here"})
    result = stage.otto("up", "--until-ready")
    assert result.exit_code == 1
    assert "no site has a spec on branch main in specs/ yet" in result.stdout


def test_an_unreadable_repository_is_said(stage: Stage) -> None:
    stage.world.source.failures.always("fetch", TransientError("git.example does not answer"))
    result = stage.otto("up", "--until-ready", "--timeout", "0")
    assert result.exit_code == 1
    assert "✘ the repository of specs was not read yet: git.example does not answer" in result.stdout


def test_a_home_that_is_in_use_is_refused(stage: Stage) -> None:
    with home_lock(stage.home):
        result = stage.otto("up", "--until-ready")
    assert result.exit_code == 1
    assert f"a controller already runs over {stage.home} (process {os.getpid()})" in result.stderr


def test_a_port_that_is_taken_names_its_owner(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = stage.otto("up", "--until-ready", environ={"OTTO_API_PORT": str(port)})
    assert result.exit_code == 1
    assert f"port {port} on 127.0.0.1 is taken by" in result.stderr
    assert f"(process {os.getpid()})" in result.stderr
    assert "OTTO_API_PORT=" in result.stderr
    assert stage.composition.opened == []


@pytest.mark.parametrize("words", [["--plain", "--json"]])
def test_two_ways_of_showing_at_once(stage: Stage, words: list[str]) -> None:
    assert stage.otto("up", *words).exit_code == 1


class Running:
    """`otto up` at work in this event loop."""

    def __init__(self, stage: Stage, options: Options) -> None:
        environ = {"OTTO_HOME": str(stage.home), "OTTO_API_PORT": "0", "COLUMNS": "120"}
        self.invocation = Invocation(stage.composition, environ, HomeHouse)
        self.output = io.StringIO()
        self.invocation.out = Console(file=self.output, width=120, markup=False, highlight=False)
        self.session = Session(self.invocation, options)
        self.task = asyncio.create_task(self.session.run())

    async def until(self, words: str) -> None:
        async with asyncio.timeout(20):
            while words not in self.output.getvalue():
                if self.task.done():
                    self.task.result()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def running(stage: Stage, options: Options | None = None) -> AsyncIterator[Running]:
    run = Running(stage, options or Options())
    try:
        yield run
    finally:
        run.task.cancel()
        await asyncio.gather(run.task, return_exceptions=True)


async def get(url: str, path: str) -> bytes:
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    return answer


async def test_the_welcome_tells_how_to_go_on_and_ctrl_c_stops_it_cleanly(stage: Stage) -> None:
    stage.world.push(site_spec())
    async with running(stage) as run:
        await run.until("destroy --all")
        shown = run.output.getvalue()
        for words in (
            "1 site Ready",
            "git clone",
            "sites/acme/, or count: 3 in specs/acme.yaml",
            "git push",
            " history acme",
            "/metrics",
        ):
            assert words in shown
        run.task.cancel()
        assert await run.task == 0
    assert "OttO has stopped. 1 site goes on serving." in run.output.getvalue()
    assert "acme-web-1" in {host.name for host in stage.world.hosts}
    assert not (stage.home / "control.sock").exists()


async def test_ctrl_c_before_anything_is_ready_stops_it_cleanly_too(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.world.configuration.failures.hold("configure")
    async with running(stage) as run:
        await run.until("Configuring")
        run.task.cancel()
        assert await run.task == 0


async def test_until_ready_that_is_stopped_is_not_a_success(stage: Stage) -> None:
    stage.world.push(site_spec())
    stage.world.configuration.failures.hold("configure")
    async with running(stage, Options(until_ready=True)) as run:
        await run.until("Configuring")
        run.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run.task


async def test_a_later_push_is_told_line_by_line(stage: Stage) -> None:
    stage.world.push(site_spec())
    async with running(stage) as run:
        await run.until("destroy --all")
        before = len(run.output.getvalue())
        stage.world.push(files={"sites/acme/index.html": "<h1>It works anew</h1>"})
        await settle()
        await stage.world.clock.advance(40)
        await run.until("deploy (")
        lines = run.output.getvalue()[before:].splitlines()
        assert [line.split("  ", 2)[2] for line in lines if "Deploying" in line] == ["Deploying"]


async def test_the_api_answers_while_it_runs(stage: Stage) -> None:
    stage.world.push(site_spec())
    async with running(stage) as run:
        await run.until("destroy --all")
        url = run.session._url
        assert b"200 OK" in await get(url, "/healthz")
        assert b"200 OK" in await get(url, "/readyz")
        assert b"otto_site_ready" in await get(url, "/metrics")
        stage.world.store.failures.always("set_value", TransientError("the disk is full"))
        answer = await get(url, "/readyz")
        assert b"503" in answer
        assert b"the store cannot be written: the disk is full" in answer


async def test_readyz_says_that_the_source_was_never_read(stage: Stage) -> None:
    stage.world.source.failures.always("fetch", TransientError("host not found"))
    async with running(stage) as run:
        async with asyncio.timeout(10):
            while not (run.session._url and (stage.home / "control.sock").exists()):
                await asyncio.sleep(0.01)
        answer = await get(run.session._url, "/readyz")
        assert b"503" in answer
        assert b"the source was never read: host not found" in answer


async def test_a_controller_that_breaks_ends_the_command_with_its_own_error(stage: Stage) -> None:
    stage.world.push(site_spec())
    async with running(stage) as run:
        await run.until("destroy --all")
        stage.world.queue.close()
        await stage.world.clock.advance(120)
        with pytest.raises(QueueClosedError):
            async with asyncio.timeout(10):
                await run.task


def test_listening_on_what_is_not_ours() -> None:
    with pytest.raises(UsageError, match=r"192\.0\.2\.1:7070 cannot be listened on"):
        listening.listen(ApiSettings("192.0.2.1", 7070))
    with pytest.raises(UsageError, match="cannot be listened on"):
        listening.listen(ApiSettings("no.such.name.invalid", 7070))


def has_ipv6() -> bool:
    """Asked of the kernel, not of what is tested."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])  # noqa: S104
def test_urls_can_be_opened(address: str) -> None:
    if ":" in address and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with listening.listen(ApiSettings(address, 0)) as server:
        host = "[::1]" if ":" in address else "127.0.0.1"
        assert listening.url_of(server) == f"http://{host}:{server.getsockname()[1]}"


def test_owner_that_cannot_be_seen(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    head = (
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    )
    row = (
        "   0: 0100007F:1B9E 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n"
    )
    (tmp_path / "net" / "tcp").write_text(head + row)
    assert listening.owner_of(0x1B9E, tmp_path) == ""
    assert listening.owner_of(0x1B9F, tmp_path) == ""
