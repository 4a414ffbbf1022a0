"""One request to a site and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

HTTP_PORT = 80


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """A GET as OttO makes it: to an address, under a name.

    Attributes:
        address: where to connect.
        port: TCP port.
        path: absolute path with query.
        host: Host header, "" for the address itself.
        timeout: seconds for the whole request.
    """

    address: str
    port: int
    path: str
    host: str = ""
    timeout: float = 5.0

    def __str__(self) -> str:
        at = f"http://{self.address}{'' if self.port == HTTP_PORT else f':{self.port}'}{self.path}"
        return f"GET {at}" + (f" (Host: {self.host})" if self.host else "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: header names in lower case, the body cut at the adapter's limit."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """Why nothing usable came back."""

    reason: str
    seconds: float = 0.0


ProbeResult = Answer | NoAnswer
