"""Who is let in without a token."""

import pytest
from starlette.requests import Request

from otto.api.gate import LOCAL, LoopbackGate
from otto.api.problems import Kind, ProblemError
from otto.model.caller import Scope


def request(client: str, host: str = "127.0.0.1:7070", **headers: str) -> Request:
    told = {"host": host} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(
        {
            "type": "http",
            "client": (client, 1),
            "headers": [(name.encode(), value.encode()) for name, value in told.items()],
        }
    )


@pytest.mark.parametrize(
    ("client", "host"),
    [
        ("127.0.0.1", "127.0.0.1:7070"),
        ("127.8.8.8", "localhost"),
        ("::1", "[::1]:7070"),
        ("::ffff:127.0.0.1", "LOCALHOST:1"),
    ],
)
async def test_this_machine_may_do_everything(client: str, host: str) -> None:
    caller = await LoopbackGate().admit(request(client, host))
    assert (caller.name, caller.scope, caller.address) == (LOCAL, Scope.ADMIN, client)


@pytest.mark.parametrize(
    "asked",
    [
        request("192.0.2.1"),
        request("::ffff:192.0.2.1"),
        request(""),
        request("127.0.0.1", "otto.example.org"),  # a name that another site made lead here
        request("127.0.0.1", "localhost.example.org"),
        request("127.0.0.1", ""),
        request("127.0.0.1", x_forwarded_for="192.0.2.1"),
        request("127.0.0.1", forwarded="for=192.0.2.1"),
        request("127.0.0.1", via="1.1 proxy"),
    ],
)
async def test_nobody_else_is_let_in(asked: Request) -> None:
    with pytest.raises(ProblemError) as refused:
        await LoopbackGate().admit(asked)
    assert refused.value.kind is Kind.UNAUTHENTICATED
    assert refused.value.headers["www-authenticate"].startswith("Bearer")
