"""Which engine is used, with engines that are nothing but a socket."""

import http.server
import os
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otto.lab import engine, ping, service
from otto.lab.engine import Engine
from otto.lab.service import Service
from otto.model.errors import TerminalError, TransientError, UsageError


class _Ping(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/_ping" else 404)
        self.send_header("Api-Version", "1.41")
        self.send_header("Libpod-Api-Version", "4.3.1")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass

    def address_string(self) -> str:
        return "unix"


@contextmanager
def listening(path: Path) -> Iterator[str]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with socketserver.ThreadingUnixStreamServer(str(path), _Ping) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"unix://{path}"
        server.shutdown()
    path.unlink()


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("e")


def test_the_setting_alone_counts(place: Path) -> None:
    with listening(place / "a.sock") as a, listening(place / "b.sock") as b:
        assert engine.find(place / "lab", str(place / "a.sock"), {"DOCKER_HOST": b}) == Engine(a)
        assert engine.find(place / "lab", a, {}) == Engine(a)


def test_docker_host_comes_next(place: Path) -> None:
    with listening(place / "b.sock") as b, listening(place / "lab/podman.sock"):
        assert engine.find(place / "lab", "", {"DOCKER_HOST": b}) == Engine(b)


def test_our_own_is_known_again(place: Path) -> None:
    with listening(place / "lab/podman.sock") as own:
        assert engine.find(place / "lab", "", {}) == Engine(own, ours=True)


def test_a_users_engine_is_found(place: Path) -> None:
    with listening(place / "docker.sock") as url:
        assert engine.find(place / "lab", "", {"XDG_RUNTIME_DIR": str(place)}) == Engine(url)


@pytest.mark.parametrize("setting", ["relative.sock", "ssh://host", "unix://relative"])
def test_a_setting_that_is_no_socket(place: Path, setting: str) -> None:
    with pytest.raises(UsageError, match=r"lab\.socket"):
        engine.find(place, setting, {})


def test_a_named_engine_that_does_not_answer(place: Path) -> None:
    with pytest.raises(TransientError, match="DOCKER_HOST names"):
        engine.find(place, "", {"DOCKER_HOST": f"unix://{place}/none.sock"})


def test_without_podman_there_is_a_mend(place: Path) -> None:
    with pytest.raises(TerminalError, match="apt-get install podman"):
        Service(place / "lab", {"PATH": str(place)}).ensure()


def test_a_podman_that_fails_is_quoted(place: Path) -> None:
    program = place / "podman"
    program.write_text("#!/bin/sh\necho cannot do this >&2\nexit 125\n")
    program.chmod(0o755)
    with pytest.raises(TransientError, match=r"ended at once.*podman\.log") as error:
        Service(place / "lab", {"PATH": f"{place}:{os.environ['PATH']}"}).ensure()
    assert "cannot do this" in error.value.detail


def test_a_greeting_tells_podman() -> None:
    assert ping.Greeting("1.41", "4.3.1", "Libpod/4.3.1 (linux)").engine == "Podman 4.3.1"
    assert ping.Greeting("1.47", "", "Docker/27.1 (linux)").engine == "Docker/27.1 (linux)"


@pytest.mark.parametrize("url", ["unix:///nowhere.sock", "tcp://127.0.0.1:1", "npipe:////./pipe/docker"])
def test_nothing_answers(url: str) -> None:
    assert not ping.answers(url)


def test_a_short_home_holds_its_socket() -> None:
    assert service.socket_path(Path("/srv/otto/lab"), {}) == Path("/srv/otto/lab/podman.sock")


def test_a_long_home_has_its_socket_elsewhere() -> None:
    folder = Path("/srv") / ("long" * 30) / "lab"
    found = service.socket_path(folder, {"XDG_RUNTIME_DIR": "/run/user/1000"})
    assert len(str(found)) <= 107
    assert found.name == "podman.sock"
    assert found != service.socket_path(folder / "other", {})


def test_the_limit_is_the_kernels() -> None:
    longest = Path("/" + "x" * (107 - len("//podman.sock")))
    assert service.socket_path(longest, {}).parent == longest
    assert service.socket_path(Path(f"{longest}x"), {}).parent != Path(f"{longest}x")


def test_ending_nothing(place: Path) -> None:
    assert not engine.stop(place / "lab", {})
    assert not (place / "lab").exists()
