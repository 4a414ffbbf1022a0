"""`otto notify`: which ways there are, and whether they work."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from tests.integration.notify.mail import free_port
from typer.testing import CliRunner, Result

from otto.cli.main import build_app

SECRET = "s3cr3tt0ken99"


@contextmanager
def web_server() -> Iterator[tuple[list[bytes], int]]:
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield bodies, server.server_port
        finally:
            server.shutdown()
            thread.join()


def otto(home: Path, ways: str, *words: str, mode: int = 0o600) -> Result:
    path = home / "ways"
    path.write_text(ways, encoding="utf-8")
    path.chmod(mode)
    environ = {"OTTO_NOTIFY_URLS": f"file:{path}", "OTTO_NOTIFY_TIMEOUT": "20", "COLUMNS": "200"}
    return CliRunner().invoke(build_app(), ["--home", str(home), "notify", *words], env=environ)


def test_without_test_nothing_is_sent(tmp_path: Path) -> None:
    result = otto(tmp_path, f"json://127.0.0.1:1/{SECRET}\nslack://{SECRET}/b/c")
    assert (result.exit_code, result.stdout) == (0, "line 1, json://127.0.0.1\nline 2, slack://…\n")


def test_every_way_is_tried(tmp_path: Path) -> None:
    with web_server() as (bodies, port):
        result = otto(
            tmp_path, f"json://127.0.0.1:{port}/{SECRET}\njson://127.0.0.1:{free_port()}/{SECRET}", "--test"
        )
    assert result.exit_code == 1
    good, bad = result.stdout.splitlines()
    assert good == "sent    line 1, json://127.0.0.1"
    assert bad.startswith("failed  line 2, json://127.0.0.1: ")
    assert SECRET not in result.output
    assert "otto notify --test" in json.loads(bodies[0])["message"]


def test_json(tmp_path: Path) -> None:
    with web_server() as (_, port):
        result = otto(tmp_path, f"json://127.0.0.1:{port}/", "--test", "--json")
    assert result.exit_code == 0
    way = {"way": "line 1, json://127.0.0.1", "sent": True, "trouble": ""}
    assert json.loads(result.stdout) == {"tested": True, "ways": [way]}


@pytest.mark.parametrize("words", [[], ["--test"]])
def test_a_file_that_others_may_read(tmp_path: Path, words: list[str]) -> None:
    result = otto(tmp_path, f"json://a/{SECRET}", *words, mode=0o644)
    assert result.exit_code != 0
    assert f"chmod 600 {tmp_path / 'ways'}" in result.output
    assert SECRET not in result.output


@pytest.mark.parametrize("command", ["notify", "config"])
def test_an_address_where_a_reference_belongs_is_never_shown(tmp_path: Path, command: str) -> None:
    environ = {"OTTO_NOTIFY_URLS": f"json://a.example/{SECRET}"}
    result = CliRunner().invoke(build_app(), ["--home", str(tmp_path), command], env=environ)
    assert result.exit_code != 0
    assert "is no reference" in result.output
    assert SECRET not in result.output


def test_nobody_to_tell(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        build_app(), ["--home", str(tmp_path), "notify"], env={"OTTO_NOTIFY_URLS": ""}
    )
    assert result.exit_code != 0
    assert "notify.urls is not set" in result.output
