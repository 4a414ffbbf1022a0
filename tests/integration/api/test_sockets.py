"""The API over real sockets: TLS, streams that go on, and listeners that do not read."""

import asyncio
import http.client
import json
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.unit.api.conftest import Api, api_over
from tests.unit.reconcile.stage import Stage

from otto.api import server
from otto.api.server import Limits, serving
from otto.api.tls import Certificate
from otto.cli.up.listening import listen, url_of
from otto.config import ApiSettings
from otto.model.errors import UsageError
from otto.model.status import Phase, SiteStatus
from otto.reconcile.events import StatusChanged
from otto.testing import site_spec


@asynccontextmanager
async def served(
    home: Path, limits: Limits = server.LIMITS, certificate: Certificate | None = None
) -> AsyncIterator[tuple[Api, int]]:
    """A controller over one site that is Ready, and its API on a free port."""
    stage = Stage(home)
    stage.world.push(site_spec("one"))
    async with served_over(stage, limits, certificate) as made:
        yield made


@asynccontextmanager
async def served_over(
    stage: Stage, limits: Limits = server.LIMITS, certificate: Certificate | None = None
) -> AsyncIterator[tuple[Api, int]]:
    """The same over any stage."""
    async with api_over(stage) as api:
        await stage.calm(5)
        listener = listen(ApiSettings(port=0))
        port = listener.getsockname()[1]
        async with serving(api.app, listener, limits, certificate):  # type: ignore[arg-type]
            try:
                yield api, port
            finally:
                api.inside.stream.close()


def get(port: int, path: str, context: ssl.SSLContext | None = None) -> tuple[int, dict[str, str], bytes]:
    connection = (
        http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
        if context
        else http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    )
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def changed(api: Api, message: str) -> None:
    status = SiteStatus("one", Phase.READY, api.stage.world.clock.now(), message=message)
    api.inside.kit.bus.publish(StatusChanged(status))


async def test_the_stores_answer(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, port):
        status, headers, body = await asyncio.to_thread(get, port, "/site")
        assert (status, headers["content-type"]) == (200, "application/json")
        assert [item["name"] for item in json.loads(body)["items"]] == ["one"]
        assert "strict-transport-security" not in headers


async def test_a_stream_goes_on_longer_than_any_limit_of_a_request(tmp_path: Path) -> None:
    async with served(tmp_path, Limits(head=0.3, body=0.3, idle=1, reading=1)) as (api, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        async with asyncio.timeout(30):
            await reader.readuntil(b"retry: 2000")
            for number in range(4):
                await asyncio.sleep(0.5)
                changed(api, f"number {number}")
                await reader.readuntil(f"number {number}".encode())
        writer.close()


async def test_a_listener_that_does_not_read_is_cut_and_holds_nobody_up(tmp_path: Path) -> None:
    async with served(tmp_path, Limits(reading=1)) as (api, port):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            began = time.monotonic()
            while api.inside.stream._listeners or time.monotonic() - began < 0.5:
                assert time.monotonic() - began < 30
                for _ in range(100):
                    changed(api, "x" * 10_000)
                await asyncio.sleep(0.01)
            # What it did not read in time is gone, and the connection with it.
            assert (await asyncio.to_thread(get, port, "/healthz"))[0] == 200


async def test_streams_do_not_hold_up_the_end(tmp_path: Path) -> None:
    async with served(tmp_path) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"retry: 2000")
        began = time.monotonic()
    assert time.monotonic() - began < server.LIMITS.grace
    writer.close()


class Authority:
    """Makes certificates for localhost, each trusted by itself."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"

    def make(self) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256())
        )
        self.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return ssl.create_default_context(cadata=self.certificate.read_text())


async def test_tls_by_a_certificate_that_is_taken_anew_when_it_changes(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    first = authority.make()
    certificate = Certificate(authority.certificate, authority.key)
    async with served(tmp_path, certificate=certificate) as (_, port):
        status, headers, _ = await asyncio.to_thread(get, port, "/site", first)
        assert status == 200
        assert headers["strict-transport-security"]
        authority.certificate.write_text("half of it")
        certificate.renew()
        assert (await asyncio.to_thread(get, port, "/site", first))[0] == 200
        second = authority.make()
        certificate.renew()
        assert (await asyncio.to_thread(get, port, "/site", second))[0] == 200
        with pytest.raises(ssl.SSLError):
            await asyncio.to_thread(get, port, "/site", first)


@pytest.mark.parametrize("broken", ["cert.pem", "key.pem"])
def test_a_certificate_that_cannot_be_used_is_told_at_the_start(tmp_path: Path, broken: str) -> None:
    authority = Authority(tmp_path)
    authority.make()
    (tmp_path / broken).write_text("nothing")
    with pytest.raises(UsageError, match="TLS cannot be set up"):
        Certificate(authority.certificate, authority.key)
    (tmp_path / broken).unlink()
    with pytest.raises(UsageError, match="No such file"):
        Certificate(authority.certificate, authority.key)


@pytest.mark.parametrize(
    "settings",
    [
        {"certificate": "/x"},
        {"key": "/x"},
        {"origins": "example.org"},
        {"origins": "https://a.example, *"},
        {"origins": "https://a.example/path"},
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"setting api\."):
        ApiSettings(**settings)  # type: ignore[arg-type]


def test_the_address_says_whether_it_speaks_tls() -> None:
    with listen(ApiSettings(port=0)) as listener:
        assert url_of(listener).startswith("http://127.0.0.1:")
        assert url_of(listener, tls=True).startswith("https://127.0.0.1:")
