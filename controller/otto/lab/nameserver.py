"""The lab's nameserver: Knot in a host of its own, for zones that have no other server.

It is as a lab host is, with the owner's mark, but no site's: no controller takes it for one. What it serves
lies in its own file system: stopped or killed, it comes back with it. Removed, it comes back empty, and
its zones are made anew from their specs.
"""

import base64
import contextlib
import re
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import PurePosixPath
from typing import Any

from otto import resources
from otto.lab import allocation, hosts, leftovers, names, networks, recipe
from otto.lab.api import Api
from otto.lab.containers import Container
from otto.lab.deadline import Deadline
from otto.lab.files import locked, write
from otto.lab.hosts import Waiting
from otto.lab.lab import Lab
from otto.lab.recipe import LOOPBACK, HostSpec
from otto.model.errors import OttoError, TerminalError, TransientError
from otto.model.progress import Report, silent
from otto.model.spec import Role

KEY, ALGORITHM = "otto", "hmac-sha256"
DNS = 53
_SIZE = "small"
_BOOT, _LOCK, _ANSWER = 90.0, 120.0, 15.0
_SCRIPT = PurePosixPath("/usr/local/sbin/otto-zones")
_CONFIGURATION = PurePosixPath("/etc/knot/otto.conf")
_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is reached, and the key that it takes changes with."""

    address: str
    port: int
    secret: str = field(repr=False)
    key: str = KEY
    algorithm: str = ALGORITHM


class Nameserver:
    """The nameserver of one lab. All methods block; threads and processes may share one.

    Args:
        lab: the lab of this home.
        public_key: of the key that hosts let in.
        zone: the zone that it delegates from.

    Raises:
        TerminalError: that is no name of a zone.
    """

    def __init__(self, lab: Lab, public_key: str, zone: str) -> None:
        self.parent = _checked(zone)
        self._lab = lab
        self._public_key = public_key
        self._secret_file = lab.folder / "nameserver.key"
        self._new_secret_file = lab.folder / "nameserver.key.new"
        self._lock_file = lab.folder / "nameserver.lock"
        self.name = names.nameserver_name(lab.owner)

    def find(self) -> Place | None:
        """Where it is, None when there is none; one that stopped is started, one without a key gets one.

        Raises:
            OttoError: it does not come up.
        """
        api = self._lab.api()
        found = api.container(self.name)
        if found is None:
            return None
        if found.state != "running" or not self._secret_file.exists() or not _listens(found):
            with self._locked():
                self._wake(api)
            found = api.container(self.name)
            if found is None:
                return None
        return self._place(found)

    def ensure(self, report: Report = silent, cancelled: Callable[[], bool] = lambda: False) -> Place:
        """Have one that answers, with the zone that it delegates from.

        Args:
            report: told of what takes a while.
            cancelled: whether nobody waits for it any more.

        Raises:
            OttoError: it does not come up.
        """
        with self._locked():
            self._lab.up(report)
            api = self._lab.api()
            found = api.container(self.name)
            other = found.labels.get(names.NAMESERVER) if found else self.parent
            if other != self.parent:
                raise TerminalError(
                    f"the lab's nameserver delegates from {other}, not from {self.parent}",
                    mend="set lab.zone back; or remove it with all of its zones: otto lab clean",
                )
            if found is None:
                self._make(api, cancelled)
            else:
                self._wake(api)
            made = api.container(self.name)
            if made is None:
                raise TransientError("the lab's nameserver went while it was started")
            self._begin(api, made)
            return self._place(made)

    def make(self, zone: str, nameservers: tuple[str, ...]) -> None:
        """Have it serve a zone; one that it serves is left as it is.

        Args:
            zone: its name.
            nameservers: NS of a new one, without a last dot; empty for its own name.

        Raises:
            OttoError: it does not.
        """
        soa = f"ns1.{self.parent}."
        given = [f"{_checked(name)}." for name in nameservers] or [soa]
        self._zones("make", _checked(zone), soa, *given)

    def sign(self, zone: str, *, signed: bool) -> None:
        """Have a zone signed, or no longer.

        Raises:
            OttoError: it is not.
        """
        self._zones("sign" if signed else "unsign", _checked(zone))

    def drop(self, zone: str) -> None:
        """Serve a zone no longer, and forget it.

        Raises:
            OttoError: it still does.
        """
        self._zones("drop", _checked(zone))

    def zones(self) -> tuple[str, ...]:
        """The zones that it serves.

        Raises:
            OttoError: it does not say.
        """
        return tuple(sorted(self._zones("list").split()))

    def _make(self, api: Api, cancelled: Callable[[], bool]) -> None:
        """A new one, booted; nothing is left of one that does not come up."""
        network = self._network(api)
        address = next(allocation.places(network.subnet, Role.BALANCER.value, 1))
        created = ""
        try:
            created = api.create_container(self.name, self._body(api, address))
            hosts.put_key(api, created, self._public_key)
            api.start_container(created)
            hosts.came_up(api, created, Waiting(lambda: Deadline.after(_BOOT), cancelled))
        except BaseException:
            with contextlib.suppress(OttoError):
                if created:
                    api.remove_container(created)
                    leftovers.end(self._lab.folder, [created])
                api.remove_network(network.id)
            raise

    def _network(self, api: Api) -> networks.SiteNetwork:
        found = networks.read(api, self.name)
        if found is not None:
            return found
        return networks.create(api, self.name, "", self._lab.owner, self._lab.pool, more=self._marks())

    def _fill(self, api: Api, container: str) -> None:
        folder = resources.path("infra", "lab", "nameserver")
        configuration = (folder / "knot.conf").read_text(encoding="utf-8")
        for name, value in {"KEY": KEY, "ALGORITHM": ALGORITHM, "SECRET": self._secret()}.items():
            configuration = configuration.replace(f"@{name}@", value)
        api.put_file(container, _CONFIGURATION, configuration, mode=0o600, owner=0)
        script = (folder / "zones").read_text(encoding="utf-8")
        api.put_file(container, _SCRIPT, script, mode=0o755, owner=0)

    def _body(self, api: Api, address: IPv4Address) -> dict[str, Any]:
        """What a lab host would be asked for, but for its marks and its ports."""
        ports = hosts.free_ports() if self._lab.settings.publish else {}
        image, role = self._lab.image("base"), Role.BALANCER.value
        spec = HostSpec("nameserver", "", self._lab.owner, role, 1, image, _SIZE, self.name, "")
        body = recipe.request(spec, address, ports, podman=api.podman)
        body["Labels"] = {**self._marks(), names.ADDRESS: str(address), names.SIZE: _SIZE}
        if self._lab.settings.publish:
            published = [{"HostIp": LOOPBACK, "HostPort": str(_free_port())}]
            for protocol in ("tcp", "udp"):
                body["ExposedPorts"][f"{DNS}/{protocol}"] = {}
                body["HostConfig"]["PortBindings"][f"{DNS}/{protocol}"] = published
        return body

    def _wake(self, api: Api) -> None:
        """Have what is there run; the caller holds the lock."""
        found = api.container(self.name)
        if found is None:
            return
        if found.state == "paused":
            api.unpause_container(found.id)
        elif found.state != "running":
            api.start_container(found.id)
            hosts.came_up(api, found.id, Waiting(lambda: Deadline.after(_BOOT)))
        if not self._secret_file.exists() or not _listens(found):
            self._begin(api, found)

    def _begin(self, api: Api, found: Container) -> None:
        """Have Knot run in it, and the zone that it delegates from be there."""
        soa, address = f"ns1.{self.parent}.", found.labels[names.ADDRESS]
        self._fill(api, found.id)
        self._run(api, found, "begin")
        self._keep_secret()
        self._run(api, found, "make", self.parent, soa, soa, "--", "ns1", address)
        self._run(api, found, "sign", self.parent)
        for _ in Deadline.after(_ANSWER).every(0.05):
            if _listens(found):
                return
        raise TransientError("the lab's nameserver does not answer", mend=f"podman logs {found.name}")

    def _zones(self, *arguments: str) -> str:
        api = self._lab.api()
        found = api.container(self.name)
        if found is None or found.state != "running":
            raise TransientError("the lab's nameserver does not run")
        return self._run(api, found, *arguments)

    def _run(self, api: Api, found: Container, *arguments: str) -> str:
        status, said = api.execute(found.id, [str(_SCRIPT), *arguments])
        if status:
            words = " ".join(said.split())[-500:].replace(self._secret(), "[redacted]")
            raise TransientError(f"the lab's nameserver could not {arguments[0]} {arguments[1:2]}: {words}")
        return said

    def _secret(self) -> str:
        """The key's secret: the one that the nameserver has, else one that it is to be given."""
        for file in (self._secret_file, self._new_secret_file):
            with contextlib.suppress(FileNotFoundError):
                return file.read_text(encoding="utf-8").strip()
        made = base64.b64encode(secrets.token_bytes(32)).decode()
        write(self._new_secret_file, f"{made}\n", 0o600)
        return made

    def _keep_secret(self) -> None:
        """The nameserver has the key. Kept only now: whoever is killed before gives it once more."""
        if not self._secret_file.exists():
            self._new_secret_file.replace(self._secret_file)

    def _place(self, found: Container) -> Place:
        address, port = _reached(found)
        return Place(address, port, self._secret())

    def _marks(self) -> dict[str, str]:
        return {names.OWNER: self._lab.owner, names.NAMESERVER: self.parent}

    def _locked(self) -> contextlib.AbstractContextManager[int]:
        return locked(self._lock_file, _LOCK, "starting the lab's nameserver")


def _reached(found: Container) -> tuple[str, int]:
    if found.ports:
        return LOOPBACK, found.ports[DNS]
    return found.labels.get(names.ADDRESS, ""), DNS


def _listens(found: Container) -> bool:
    try:
        with socket.create_connection(_reached(found), timeout=1.0):
            return True
    except OSError:
        return False


def _free_port() -> int:
    """A port of this machine that neither a TCP nor a UDP server has."""
    while True:
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            stream.bind((LOOPBACK, 0))
            port = int(stream.getsockname()[1])
            with contextlib.suppress(OSError):
                datagram.bind((LOOPBACK, port))
                return port


def _checked(zone: str) -> str:
    """A name that may stand in a command of the nameserver's."""
    if not _NAME.fullmatch(zone):
        raise TerminalError(f"{zone!r} is no name of a zone", mend="use letters, digits, hyphens and dots")
    return zone
