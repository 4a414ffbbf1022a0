"""How the API is served, as the settings say; and what is said of a door that stands open."""

import socket
from datetime import timedelta
from typing import Any, cast

import pytest
import structlog

from otto.api.tokengate import GateOptions
from otto.cli.up.served import Serving, gate_options
from otto.cli.up.serving import expose
from otto.config import ApiSettings, HooksSettings, RemoteSettings, SecretsSettings, load
from otto.desk.house import Household
from otto.model.caller import Scope, Token
from otto.model.errors import UsageError
from otto.testing import START, MemoryTokens


class Listener:
    """As much of a listening socket as is looked at."""

    def __init__(self, address: str) -> None:
        self._address = address

    def getsockname(self) -> tuple[str, int]:
        return (self._address, 7070)


async def said(address: str, gate: GateOptions, *held: Token, tls: bool = False) -> list[str]:
    tokens = MemoryTokens()
    for token in held:
        await tokens.add(token)
    how = Serving(gate=gate, certificate=cast("Any", object()) if tls else None)
    with structlog.testing.capture_logs() as logs:
        await expose(cast("socket.socket", Listener(address)), tokens, how, START)
    assert {entry["event"] for entry in logs} <= {"api.exposed"}
    return [str(entry["reason"]) for entry in logs]


def token(**changes: Any) -> Token:
    given: dict[str, Any] = {"id": "01", "name": "ci", "scope": Scope.READ, "digest": "d", "made_at": START}
    return Token(**(given | {"expires_at": START + timedelta(days=1)} | changes))


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.8.8.8"])
async def test_nothing_is_said_of_loopback(address: str) -> None:
    assert await said(address, GateOptions()) == []


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104  (nothing is bound)
async def test_an_open_door_is_told_of(address: str) -> None:
    told = await said(address, GateOptions())
    assert [reason.partition(":")[0] for reason in told] == [
        "without TLS no token is taken from other machines",
        "there is no token, so that no other machine is let in",
    ]


async def test_what_was_seen_to_is_not_told_of() -> None:
    assert await said("192.0.2.1", GateOptions(), token(), tls=True) == []
    proxies = gate_options(ApiSettings(proxies="192.0.2.9")).proxies
    assert await said("192.0.2.1", GateOptions(proxies=proxies), token()) == []
    assert await said("192.0.2.1", GateOptions(plain=True), token()) == [
        "tokens are taken over plain HTTP: api.plain is set"
    ]
    expired = token(made_at=START - timedelta(days=9), expires_at=START)
    assert len(await said("192.0.2.1", GateOptions(), expired, tls=True)) == 1


def test_the_settings_make_the_gate() -> None:
    environ = {
        "OTTO_API_ANONYMOUS": "never",
        "OTTO_API_HOSTS": "otto.internal, OTTO.lan",
        "OTTO_API_PROXIES": "10.0.0.0/8,::1",
        "OTTO_API_GUESSES": "3",
        "OTTO_API_TOKENDAYS": "7",
    }
    serving = Serving.of(load(environ), environ, Household().foundry)
    assert not serving.gate.anonymous
    assert serving.gate.hosts == ("otto.internal", "otto.lan")
    assert [str(network) for network in serving.gate.proxies] == ["10.0.0.0/8", "::1/128"]
    assert serving.gate.guesses == 3
    assert serving.household.lives.usual == timedelta(days=7)


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"OTTO_API_ANONYMOUS": "always"}, "set it to loopback or never"),
        ({"OTTO_API_PROXIES": "proxy.example"}, "is no address"),
        ({"OTTO_HOOKS_SECRET": "file:/nowhere/hooks"}, "cannot be read"),
    ],
)
def test_settings_that_would_leave_a_door_open_or_shut(environ: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        Serving.of(load(environ), environ, Household().foundry)


@pytest.mark.parametrize(
    "make",
    [
        lambda text: RemoteSettings(token=text),
        lambda text: SecretsSettings(vaultPassword=text),
        lambda text: HooksSettings(secret=text),
    ],
)
def test_a_secret_in_place_of_its_reference_is_not_repeated(make: Any) -> None:
    with pytest.raises(UsageError) as caught:
        make("s3cr3t-token")
    assert "s3cr3t-token" not in str(caught.value)
