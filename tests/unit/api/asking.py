"""Requests to the application as it stands, without a socket."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from starlette.types import ASGIApp


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


async def ask(
    app: ASGIApp,
    method: str,
    url: str,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    client: str = "127.0.0.1",
) -> Answer:
    """One request.

    Args:
        app: the application.
        method: GET, ….
        url: path and query.
        body: bytes as they are, anything else as JSON; None for no body.
        headers: besides Host, Content-Type and Content-Length.
        client: address that it comes from.
    """
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    told = {"host": "127.0.0.1:7070"}
    if body is not None:
        told |= {"content-type": "application/json", "content-length": str(len(data))}
    told |= {name.lower(): value for name, value in (headers or {}).items()}
    path, _, query = url.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": unquote(path),
        "raw_path": quote(path, safe="/%").encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "server": ("127.0.0.1", 7070),
        "client": (client, 1),
        "headers": [(name.encode(), value.encode()) for name, value in told.items()],
    }
    sent: list[Any] = []
    chunks = [{"type": "http.request", "body": data, "more_body": False}]

    async def receive() -> Any:
        return chunks.pop(0) if chunks else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    # Starlette answers, then raises for the server's own log.
    with contextlib.suppress(ZeroDivisionError):
        await app(scope, receive, send)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], found, b"".join(item.get("body", b"") for item in sent[1:]))
