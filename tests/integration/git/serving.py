"""git over HTTP(S) and ssh on loopback: git's own programs behind servers of the test's own."""

import asyncio
import base64
import os
import shlex
import ssl
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socket import create_server
from typing import Any, TypeVar

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

TOKEN = "tok-3f9a"
T = TypeVar("T")


class _Handler(BaseHTTPRequestHandler):
    """Hands requests to `git http-backend` (CGI, RFC 3875)."""

    root: Path
    mute: str = ""
    token = ""
    redirect = ""
    most: int
    ended: threading.Event
    seen: list[str]

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self._body())

    def _serve(self, body: bytes) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        if self.redirect:
            self.send_response(302)
            self.send_header("Location", self.redirect + self.path)
            self.end_headers()
        elif self.token and not self._knows():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._backend(body)

    def _knows(self) -> bool:
        kind, _, text = self.headers.get("Authorization", "").partition(" ")
        return kind == "Basic" and base64.b64decode(text).decode().endswith(f":{self.token}")

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _backend(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, timeout=30, check=False
        )
        if self.mute and path.endswith(self.mute) and self.command == "POST":
            self.close_connection = True  # it is done, and nobody hears of it
            return
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.most])
        if len(rest) > self.most:
            self.ended.wait(timeout=20)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@contextmanager
def http(
    root: Path,
    *,
    token: str = "",
    redirect: str = "",
    tls: tuple[Path, Path] | None = None,
    most: int = sys.maxsize,
    mute: str = "",
) -> Iterator[tuple[str, list[str]]]:
    """Serve the repositories in a folder; the address and the Authorization headers that came.

    After `most` bytes of an answer nothing more is said. What is posted to `mute` is done and not answered.
    """
    seen: list[str] = []
    ended = threading.Event()
    values = {"root": root, "token": token, "redirect": redirect, "seen": seen, "most": most, "ended": ended}
    values["mute"] = mute
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), values))
    server.daemon_threads = True
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that refuse us
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}", seen
    finally:
        ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OttO's tests")])
    now = datetime.now(tz=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "certificate.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, plain))
    return folder / "certificate.pem", folder / "key.pem"


@contextmanager
def silence() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def keygen(path: Path) -> str:
    """Make a key pair; the public key line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True, timeout=30)
    return path.with_name(f"{path.name}.pub").read_text().strip()


@contextmanager
def sshd(folder: Path, authorized: str) -> Iterator[tuple[int, str]]:
    """An SSH server of this test's own that serves git; its port and its host key line without a name."""
    host_key = keygen(folder / "host_key")
    (folder / "authorized").write_text(authorized + "\n")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="sshd", daemon=True)
    thread.start()

    def wait(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(timeout=20)

    server = wait(_listen(folder))
    try:
        yield server.get_port(), host_key
    finally:
        wait(_close(server))
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=10)
        loop.close()


async def _listen(folder: Path) -> asyncssh.SSHAcceptor:
    return await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[str(folder / "host_key")],
        authorized_client_keys=str(folder / "authorized"),
        process_factory=_upload_pack,
        encoding=None,
    )


async def _close(server: asyncssh.SSHAcceptor) -> None:
    server.close()
    await server.wait_closed()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.wait(left, timeout=5) if left else None
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


async def _upload_pack(session: "asyncssh.SSHServerProcess[bytes]") -> None:
    """What git's own shell does: the one command a fetch or a push asks for."""
    program, *arguments = shlex.split(session.command or "")
    assert program in ("git-upload-pack", "git-receive-pack")
    child = await asyncio.create_subprocess_exec(
        program, *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stdout is not None
    asking = asyncio.create_task(_pump(session.stdin.read, child.stdin.write))
    await _pump(child.stdout.read, session.stdout.write)
    asking.cancel()
    session.exit(await child.wait())


async def _pump(read: Callable[[int], Awaitable[bytes]], write: Callable[[bytes], object]) -> None:
    while data := await read(65536):
        write(data)
