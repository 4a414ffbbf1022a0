"""Whether an engine answers, and which: in a millisecond and without the Docker SDK.

`GET /version` would tell more, but takes Podman 0.4 s.
"""

import http.client
import socket
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Greeting:
    """How an engine answers `GET /_ping`.

    Attributes:
        api: version of the Docker API it speaks.
        podman: Podman's version; "" for Docker.
        server: what it calls itself.
    """

    api: str
    podman: str
    server: str

    @property
    def engine(self) -> str:
        """Name and version of the engine."""
        return f"Podman {self.podman}" if self.podman else self.server or "Docker"


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a port."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def answers(url: str) -> bool:
    """Whether something that speaks the Docker API answers there within 2 seconds.

    Args:
        url: `unix://PATH` or `tcp://HOST:PORT`.
    """
    return greet(url) is not None


def greet(url: str) -> Greeting | None:
    """How the engine there answers; None when none does within 2 seconds.

    Args:
        url: `unix://PATH` or `tcp://HOST:PORT`.
    """
    connection = _connection(url)
    if connection is None:
        return None
    try:
        connection.request("GET", "/_ping")
        answer = connection.getresponse()
        return _greeting(answer.headers) if answer.status == http.client.OK else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _greeting(headers: Message) -> Greeting | None:
    api = headers.get("Api-Version", "")
    return Greeting(api, headers.get("Libpod-Api-Version", ""), headers.get("Server", "")) if api else None


def _connection(url: str) -> http.client.HTTPConnection | None:
    kind, _, place = url.partition("://")
    if kind == "unix":
        return _UnixConnection(place) if Path(place).is_socket() else None
    return http.client.HTTPConnection(place.rstrip("/"), timeout=_PATIENCE) if kind == "tcp" else None
