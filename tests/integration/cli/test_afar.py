"""Commands over a controller elsewhere, on real sockets: work that is waited for, TLS, tokens, trouble."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import IO

import pytest
import structlog
from tests.integration.git.serving import certificate, silence
from tests.unit.cli.afar import Afar
from tests.unit.cli.conftest import Stage
from tests.unit.cli.test_logs import ENTRIES, write
from tests.unit.cli.test_schemas import check

from otto import __version__
from otto.api.tls import Certificate
from otto.api.tokengate import GateOptions
from otto.desk.greeting import PROTOCOL
from otto.model.caller import Scope
from otto.testing import site_spec


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    home = tmp_path / "home"
    home.mkdir()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield Stage(home)
    structlog.reset_defaults()


@pytest.fixture
def afar(stage: Stage) -> Iterator[Afar]:
    """A controller at work, which has brought two sites up; only a token lets in."""
    stage.world.push(site_spec(labels={"team": "web"}), site_spec("shop", labels={"team": "shop"}))
    with Afar(stage, running=True, gate=GateOptions(anonymous=False)).answering() as one:
        result = one.ask("provision", token=one.token(name="setup", number=99))
        assert result.exit_code == 0, result.output
        yield one


def test_work_is_asked_for_and_waited_for(afar: Afar) -> None:
    token = afar.token(Scope.OPERATE)
    for command, step in (("reconcile", "verify"), ("configure", "configure"), ("verify", "verify")):
        result = afar.ask(command, "acme", token=token)
        assert result.exit_code == 0, result.output
        assert any(line.startswith("✔ acme") and step in line for line in result.stdout.splitlines())
    events = [json.loads(line) for line in afar.ask("verify", "--json", token=token).stdout.splitlines()]
    for event in events:
        check("event", event)
    assert {event["site"] for event in events if event["event"] == "answer"} == {"acme", "shop"}
    said = [record.entry for record in afar.stage.world.ledger.log if record.entry.what == "reconcile"]
    assert {(entry.who, entry.detail["as"]) for entry in said} >= {("ci", f"token {1:012x}")}


def test_a_site_is_destroyed_by_who_may_and_by_nobody_else(afar: Afar) -> None:
    result = afar.ask("destroy", "acme", "--yes", token=afar.token(Scope.OPERATE))
    assert result.exit_code == 1
    assert "this needs the scope admin, and the token has operate" in result.stderr
    refused = [record.entry for record in afar.stage.world.ledger.log if record.entry.what == "refuse"]
    assert [(entry.who, entry.summary) for entry in refused] == [
        ("ci", "1 request refused, the last one POST /desk/destroy")
    ]
    result = afar.ask("destroy", "acme", "--yes", token=afar.token(number=2, name="root"))
    assert result.exit_code == 0, result.output
    assert {host.name.split("-")[0] for host in afar.stage.world.hosts} == {"shop"}
    asked = [record.entry for record in afar.stage.world.ledger.log if record.entry.what == "destroy"]
    assert ("root", "acme") in {(entry.who, entry.site) for entry in asked}
    assert afar.ask("destroy", "shop", typed="no\n", token=afar.token(number=3, name="b")).exit_code == 1
    result = afar.ask("destroy", "--all", "--yes", token=afar.token(number=4, name="c"))
    assert result.exit_code == 0, result.output
    assert not list(afar.stage.world.hosts)


def test_a_token_limited_by_labels_neither_sees_nor_touches_other_sites(afar: Afar) -> None:
    token = afar.token(labels={"team": "web"})
    document = json.loads(afar.ask("status", "--json", token=token).stdout)
    assert [site["name"] for site in document["sites"]] == ["acme"]
    for words in (
        ("status", "shop"),
        ("why", "shop"),
        ("plan", "shop"),
        ("diff", "shop"),
        ("history", "shop"),
        ("audit", "shop"),
        ("grants", "shop"),
        ("approve", "shop", "1234"),
        ("freeze", "--site", "shop", "--reason", "x"),
        ("override", "shop", "--reason", "x"),
        ("rollout", "status", "shop"),
        ("rollout", "pause", "shop"),
        ("suspend", "shop"),
        ("resume", "shop"),
        ("reconcile", "shop"),
        ("destroy", "shop", "--yes"),
        ("adopt", "shop", "--yes"),
        ("pipelines", "run", "shop"),
        ("pipelines", "list", "shop"),
    ):
        result = afar.ask(*words, token=token)
        assert result.exit_code == 1, (words, result.output)
        assert "there is no site 'shop'" in result.stderr, (words, result.stderr)
    for words in (
        ("freeze", "--reason", "x"),
        ("thaw", "--yes"),
        ("audit", "--verify"),
        ("notify", "--test"),
        ("images", "promote", "nginx"),
        ("images", "revoke", "nginx", "--reason", "x"),
        ("token", "list"),
        ("token", "create", "x", "--scope", "read"),
        ("token", "revoke", "setup"),
    ):
        result = afar.ask(*words, token=token)
        assert result.exit_code == 1, (words, result.output)
        assert "limited to some sites" in result.stderr, (words, result.stderr)
    told = (
        afar.ask("audit", "--json", token=token).stdout + afar.ask("pipelines", "--json", token=token).stdout
    )
    told += (
        afar.ask("inventory", "--list", token=token).stdout
        + afar.ask("orphans", "--json", token=token).stdout
    )
    assert "acme" in told
    assert "shop" not in told
    assert asyncio.run(afar.stage.world.store.intents("shop")) == frozenset()
    assert len(list(afar.stage.world.hosts)) == 6


def test_the_log_is_followed_as_it_is_written(afar: Afar, tmp_path: Path) -> None:
    log = write(afar.stage.home / "logs" / "otto.jsonl", ENTRIES)
    token, limited = afar.token(), afar.token(labels={"team": "web"}, number=2, name="web")
    assert len(afar.ask("logs", "--json", token=token).stdout.splitlines()) == len(ENTRIES)
    seen = [json.loads(line) for line in afar.ask("logs", "--json", token=limited).stdout.splitlines()]
    assert {entry["site"] for entry in seen} == {"acme"}
    assert afar.ask("logs", "shop", token=limited).exit_code == 1
    with following(afar, token, tmp_path) as (child, out, _):
        assert json.loads(out.readline())["event"] == "failed"
        with log.open("a") as file:
            file.write('{"event": "later"}\n')
        assert json.loads(out.readline())["event"] == "later"
        child.terminate()


@contextmanager
def following(
    afar: Afar, token: str, folder: Path
) -> Iterator[tuple[subprocess.Popen[str], IO[str], IO[str]]]:
    environ = os.environ | {"OTTO_SERVER": afar.url, "OTTO_TOKEN": token, "COLUMNS": "200"}
    command = "from otto.cli.main import main; main()"
    words = [sys.executable, "-c", command, "logs", "--follow", "--lines", "1", "--json"]
    with subprocess.Popen(
        words, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        try:
            yield child, child.stdout, child.stderr
        finally:
            child.terminate()


def test_whoever_follows_the_log_waits_for_a_controller_that_is_away(stage: Stage, tmp_path: Path) -> None:
    write(stage.home / "logs" / "otto.jsonl", ENTRIES)
    afar = Afar(stage)
    with ExitStack() as stack:
        with afar.answering():
            child, out, errors = stack.enter_context(following(afar, "", tmp_path))
            assert out.readline()
        assert "no controller answers" in (told := errors.readline())
        assert told.rstrip().endswith("waiting")
        assert child.poll() is None


def test_a_token_speaks_for_nobody_else(afar: Afar) -> None:
    token = afar.token(Scope.OPERATE)
    result = afar.ask("suspend", "acme", "--by", "ann", token=token)
    assert result.exit_code == 1
    assert "the token is ci's, and speaks for nobody else" in result.stderr
    assert afar.ask("suspend", "acme", "--by", "ci", token=token).exit_code == 0


def test_what_has_no_json_or_another(afar: Afar) -> None:
    token = afar.token()
    version = json.loads(afar.ask("version", "--json", token=token).stdout)
    assert version["server"] == __version__
    told = json.loads(afar.ask("notify", "--json", token=token).stdout)
    check("notify", told)
    assert [way["way"] for way in told["ways"]] == ["line 1, json://hooks.example"]
    assert afar.ask("notify", "--test", token=token).exit_code == 1
    found = json.loads(afar.ask("inventory", "--list", token=token).stdout)
    assert len(found["_meta"]["hostvars"]) == 6
    assert not any("private_key" in name for of in found["_meta"]["hostvars"].values() for name in of)


def test_tokens_from_the_environment_a_file_and_the_command_line(afar: Afar, tmp_path: Path) -> None:
    token = afar.token(Scope.READ)
    kept = tmp_path / "token"
    kept.write_text(f"{token}\n")
    kept.chmod(0o600)
    assert afar.ask("status", token=token).exit_code == 0
    assert afar.ask("--token", token, "status").exit_code == 0
    assert afar.ask("--token-file", str(kept), "status").exit_code == 0
    kept.chmod(0o644)
    result = afar.ask("--token-file", str(kept), "status")
    assert (result.exit_code, "others may read" in result.stderr) == (1, True)
    result = afar.ask("--token-file", str(kept), "--token", token, "status")
    assert result.exit_code == 2
    assert token not in result.output


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ("", "a token is needed"),
        ("nonsense", "the token does not count"),
        ("otto_" + "x" * 49, "the token does not count"),
        ("two words", "the token is none"),
        ("x" * 300, "the token is none"),
    ],
)
def test_tokens_that_let_nobody_in(afar: Afar, token: str, told: str) -> None:
    result = afar.ask("status", token=token)
    assert result.exit_code == 1
    assert told in result.stderr
    assert "mend:" in result.stderr
    assert not token or token not in result.output


def test_guessing_is_told_to_wait(afar: Afar) -> None:
    for _ in range(10):
        afar.ask("status", token="nonsense")
    result = afar.ask("status", token="nonsense")
    assert "too many tokens that do not count" in result.stderr
    assert "try again in" in result.stderr


def test_a_certificate_has_to_be_trusted(stage: Stage, tmp_path: Path) -> None:
    public, key = certificate(tmp_path)
    stage.world.push(site_spec())
    gate = GateOptions(anonymous=False)
    with Afar(stage, gate=gate, certificate=Certificate(public, key)).answering() as afar:
        token = afar.token()
        result = afar.ask("status", token=token)
        assert result.exit_code == 1
        assert "is not to be trusted" in result.stderr
        assert "--ca FILE" in result.stderr
        assert afar.ask("--ca", str(public), "status", token=token).exit_code == 0
        afar.url = afar.url.replace("127.0.0.1", "localhost")
        result = afar.ask("--ca", str(public), "status", token=token)
        assert "is not to be trusted" in result.stderr
        for ca in (key, tmp_path / "nothing"):
            result = afar.ask("--ca", str(ca), "status", token=token)
            assert (result.exit_code, "cannot be used" in result.stderr) == (1, True)


class Other(BaseHTTPRequestHandler):
    """A server that is no OttO, or one of another time."""

    status, headers_, body = 200, {}, b"{}"  # type: ignore[var-annotated]
    heard: list[str] = []  # noqa: RUF012  (of the class, on purpose)

    def do_POST(self) -> None:
        self.heard.append(self.headers.get("authorization", ""))
        self.send_response(self.status)
        for name, value in self.headers_.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def other(status: int = 200, body: bytes = b"{}", **headers: str) -> Iterator[str]:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    handler = type("Such", (Other,), {"status": status, "body": body, "headers_": told, "heard": []})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(5)


OURS = str(PROTOCOL)


@pytest.mark.parametrize(
    ("status", "body", "headers", "told"),
    [
        (200, b"<html>hello</html>", {}, "is no OttO that can be asked this"),
        (404, b"nothing", {}, "is no OttO that can be asked this"),
        (302, b"", {"location": "http://127.0.0.1:1/"}, "is no OttO that can be asked this"),
        (200, b"{}", {"x_otto_protocol": "0"}, "it is too old"),
        (200, b"{}", {"x_otto_protocol": str(PROTOCOL + 1)}, "this otto is too old"),
        (200, b"{}", {"x_otto_protocol": OURS}, "the controller's answer cannot be read"),
        (200, b'{"answer": {"statuses": 7}}', {"x_otto_protocol": OURS}, "expected a list, found 7"),
        (200, b"[" * 100_000, {"x_otto_protocol": OURS}, "the controller's answer cannot be read"),
        (500, b"oh", {"x_otto_protocol": OURS}, "answers with status 500"),
        (401, b"oh", {}, "answers with status 401"),
        (503, b"\x1b[31moh", {"content_type": "application/problem+json"}, "status 503"),
    ],
)
def test_what_is_no_otto_that_we_understand(
    stage: Stage, status: int, body: bytes, headers: dict[str, str], told: str
) -> None:
    with other(status, body, **headers) as url:
        result = stage.otto("--server", url, "status")
    assert result.exit_code == 1
    assert told in " ".join(result.stderr.split()), result.stderr
    assert "Traceback" not in result.output
    assert "\x1b" not in result.output


@contextmanager
def saying(text: bytes) -> Iterator[str]:
    """A server that says this, whatever it is asked, and hangs up."""

    def answer() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(text)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


BEGUN = b"HTTP/1.1 200 OK\r\nx-otto-protocol: " + OURS.encode() + b"\r\ncontent-length: 99\r\n\r\n{"


@pytest.mark.parametrize(
    ("said", "words", "told", "mend"),
    [
        (BEGUN, ("status",), "broke off", "try again"),
        (BEGUN, ("suspend", "acme"), "broke off", "whether it was done is not known"),
        (b"", ("suspend", "acme"), "broke off", "whether it was done is not known"),
        (b"SSH-2.0-OpenSSH_9\r\n", ("status",), "is no OttO that can be asked this", "otto up prints"),
        (b"HTTP/1.1 200 OK\r\nx: " + b"a" * 50_000, ("status",), "is no OttO that can", "otto up prints"),
    ],
)
def test_answers_that_are_cut_off_or_none(
    stage: Stage, said: bytes, words: tuple[str, ...], told: str, mend: str
) -> None:
    with saying(said) as url:
        result = stage.otto("--server", url, *words)
    assert result.exit_code == 1
    assert told in " ".join(result.stderr.split())
    assert mend in " ".join(result.stderr.split())


def test_a_token_does_not_follow_a_redirect(stage: Stage) -> None:
    with other() as elsewhere, other(307, location=f"{elsewhere}/desk/status") as url:
        assert stage.otto("--server", url, "--token", "otto_secret", "status").exit_code == 1


def test_nobody_answers(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    result = stage.otto("--server", f"http://127.0.0.1:{port}", "status")
    assert f"no controller answers at http://127.0.0.1:{port}" in result.stderr
    assert "is the controller running" in " ".join(result.stderr.split())


def test_somebody_who_never_answers_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from otto.desk.sites import SeeStatus  # noqa: PLC0415

    monkeypatch.setattr(SeeStatus, "patience", 0.2)
    with silence() as port:
        words = ("--server", f"http://127.0.0.1:{port}", "--set", "remote.timeout=1", "status")
        result = stage.otto(*words)
    assert "did not answer within 1 s" in result.stderr


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("otto.example", "is no address of a server"),
        ("ftp://otto.example", "is no address of a server"),
        ("https://", "is no address of a server"),
        ("https://otto.example?x=1", "is no address of a server"),
        ("https://[::1", "is no address of a server"),
        ("https://otto.example:99999", "is no address of a server"),
        ("https://ann:hunter22@otto.example", "holds a name or password"),
        ("http://otto.example", "is not encrypted"),
        ("http://192.0.2.1:7070", "is not encrypted"),
    ],
)
def test_addresses_that_will_not_do(stage: Stage, url: str, told: str) -> None:
    result = stage.otto("--server", url, "status")
    assert result.exit_code == 1
    assert told in " ".join(result.stderr.split())
    assert "hunter22" not in result.output
