"""Knot and BIND on this machine: unprivileged ports, zones that take updates signed with a key."""

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from otto.adapters.dns.access import Access, Server

KEY = "otto"
SECRET = base64.b64encode(b"thirty-two bytes of a test's key").decode()
OWNER = "0123abcd"
_LIMIT = 15.0


def program(name: str) -> str:
    """Where a nameserver is: infra/setup/unpack puts it into .venv/bin, where it is not installed."""
    beside = Path(sys.executable).parent
    found = shutil.which(name, path=os.pathsep.join([str(beside), os.environ["PATH"], "/usr/sbin", "/sbin"]))
    assert found, f"{name} is missing: infra/setup/unpack puts it into {beside}"
    return found


def free_port() -> int:
    """A port that neither a TCP nor a UDP server has."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            stream.bind(("127.0.0.1", 0))
            port = int(stream.getsockname()[1])
            try:
                datagram.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Nameserver:
    """A server of some make, stopped and started as a test likes. It keeps its zones meanwhile.

    Args:
        folder: of its own.
        zones: their names.
        address: where it listens.
        wrapper: a command that it is run by.
    """

    def __init__(
        self,
        folder: Path,
        zones: Sequence[str],
        address: str = "127.0.0.1",
        wrapper: Sequence[str] = (),
        port: int = 0,
    ) -> None:
        self.folder = folder
        self.zones = zones
        self.address = address
        self.port = port or free_port()
        self._wrapper = wrapper
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def server(self) -> Server:
        return Server(self.address, self.port, KEY, SECRET)

    def access(self, owner: str = OWNER, server: Server | None = None) -> Access:
        return Access(owner, server or self.server, timeout=5.0)

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for zone in self.zones:
            file = self.folder / f"{zone}.zone"
            if not file.exists():
                file.write_text(initial(zone))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)

    def start(self) -> None:
        """Have it answer."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._wrapper, *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + _LIMIT
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                self.end(signal.SIGKILL)
                raise AssertionError((self.folder / "log").read_text(errors="replace")[-3000:])
            time.sleep(0.02)

    def end(self, sign: signal.Signals = signal.SIGKILL) -> None:
        """End it, by default without a warning."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            os.killpg(process.pid, sign)
            process.wait(_LIMIT)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def dig(self, name: str, type_: str, *more: str) -> list[str]:
        """Lines of an answer, as dig tells them in short."""
        command = [
            "dig",
            "+short",
            "+norecurse",
            "+tries=1",
            f"@{self.address}",
            "-p",
            str(self.port),
            name,
            type_,
            *more,
        ]
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10
        ).stdout.splitlines()

    def update(self, zone: str, lines: Iterable[str]) -> None:
        """Change a zone behind OttO's back, as somebody else would."""
        text = "\n".join([f"server {self.address} {self.port}", f"zone {zone}", *lines, "send", ""])
        done = subprocess.run(
            ["nsupdate", "-v", "-y", f"hmac-sha256:{KEY}:{SECRET}"],
            input=text,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def command(self) -> list[str]:
        raise NotImplementedError

    def _answers(self) -> bool:
        zone = self.zones[0] if self.zones else "."
        command = ["dig", "+tries=1", "+time=1", f"@{self.address}", "-p", str(self.port), zone, "SOA"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
        return "status: NOERROR" in said if self.zones else "status:" in said


class Knot(Nameserver):
    """Knot DNS."""

    def command(self) -> list[str]:
        zones = "\n".join(f"  - domain: {zone}" for zone in self.zones)
        (self.folder / "knot.conf").write_text(f"""
server:
  rundir: {self.folder}
  listen: {self.address}@{self.port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: {self.folder}
key:
  - id: {KEY}
    algorithm: hmac-sha256
    secret: {SECRET}
acl:
  - id: otto
    key: {KEY}
    action: [update, transfer]
template:
  - id: default
    storage: {self.folder}
    file: "%s.zone"
    acl: otto
    zonefile-sync: -1
log:
  - target: stderr
    any: info
zone:
{zones}
""")
        return [program("knotd"), "--config", str(self.folder / "knot.conf")]


class Bind(Nameserver):
    """BIND."""

    def command(self) -> list[str]:
        zones = "\n".join(
            f'zone "{zone}" {{ type primary; file "{zone}.zone"; allow-update {{ key {KEY}; }}; }};'
            for zone in self.zones
        )
        (self.folder / "named.conf").write_text(f"""
options {{
  directory "{self.folder}"; pid-file "{self.folder}/pid"; session-keyfile "{self.folder}/session";
  managed-keys-directory "{self.folder}"; lock-file none;
  listen-on port {self.port} {{ {self.address}; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; allow-transfer {{ key {KEY}; }};
}};
controls {{ }};
key {KEY} {{ algorithm hmac-sha256; secret "{SECRET}"; }};
{zones}
""")
        # A copy: AppArmor's profile of the installed one lets it nowhere but into its own folders.
        own = Path(shutil.copy(program("named"), self.folder / "named"))
        return [str(own), "-g", "-n", "1", "-c", str(self.folder / "named.conf"), "-p", str(self.port)]


def initial(zone: str, more: str = "") -> str:
    """A zone as a server begins with."""
    return f"""$ORIGIN {zone}.
$TTL 300
@ IN SOA ns1.{zone}. hostmaster.{zone}. 1 3600 600 86400 300
@ IN NS ns1.{zone}.
ns1 IN A 192.0.2.53
{more}"""


MAKES: dict[str, type[Nameserver]] = {"knot": Knot, "bind": Bind}


def unguessable() -> str:
    """Another secret of the same form."""
    return base64.b64encode(secrets.token_bytes(32)).decode()
