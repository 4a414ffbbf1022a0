"""A host of the lab: read, made, mended, removed."""

import contextlib
import dataclasses
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import PurePosixPath

from otto.lab import allocation, cgroups, names, networks, recipe, ssh
from otto.lab.api import Api
from otto.lab.containers import Container
from otto.lab.deadline import Deadline
from otto.lab.faults import AddressTakenError, AlreadyExistsError
from otto.lab.recipe import HTTP, LOOPBACK, SSH, HostSpec
from otto.lab.sizes import limits_of
from otto.model.errors import OttoError, TerminalError, TransientError

USER, USER_ID = "otto", 1000
BOOT = 60.0
_AUTHORIZED = PurePosixPath("/home/otto/.ssh/authorized_keys")
_HOST_KEY = PurePosixPath("/etc/ssh/ssh_host_ed25519_key.pub")
_KEY_FIELDS = 2
_LOOK_AGAIN = 20
_MOMENT = 0.3


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a host may take to boot, and whether anyone still waits for it."""

    deadline: Callable[[], Deadline] = lambda: Deadline.after(BOOT)
    cancelled: Callable[[], bool] = lambda: False


@dataclass(frozen=True, slots=True)
class Reached:
    """Where a host is reached: by the controller, and by its neighbours."""

    address: str
    ssh_port: int
    http_port: int


def read(api: Api, name: str) -> Container | None:
    """A host's container by name or id, with the limits the kernel really holds it to."""
    found = api.container(name)
    if found is None or not found.pid:
        return found
    limits = cgroups.limits(found.pid, found.id)
    return dataclasses.replace(found, limits=limits) if limits else found


def reached(found: Container) -> Reached:
    """Where a host is reached, running or not."""
    if found.ports:
        return Reached(LOOPBACK, found.ports.get(SSH, SSH), found.ports.get(HTTP, HTTP))
    return Reached(found.labels.get(names.ADDRESS, ""), SSH, HTTP)


def create(api: Api, spec: HostSpec, waiting: Waiting) -> Container:
    """Make a host and wait until its sshd answers; leaves nothing behind when that fails.

    Raises:
        AlreadyExistsError: there is a container of that name.
        TerminalError: its network or image is not there, or its network is full.
        TransientError: it does not come up in time, or nobody waits for it any longer.
    """
    network = networks.read(api, spec.network)
    if network is None:
        raise TerminalError(f"host {spec.name}: there is no network {spec.network}")
    check_image(api, spec.name, spec.image)
    existing = api.container(spec.container)
    if existing:
        raise _exists(existing)
    own, *spare = allocation.places(network.subnet, spec.role, spec.index)
    taken: AddressTakenError | None = None
    # Its own twice: a container that goes just now gives its address back in a moment.
    for address in (own, own, *spare):
        try:
            return _make(api, spec, address, waiting)
        except AddressTakenError as error:
            taken = error
            time.sleep(_MOMENT)
    raise taken or TransientError(f"host {spec.name}: its network {spec.network} has no free address")


def check_image(api: Api, host: str, image: str) -> None:
    """Make sure that there is what a host is to be made from.

    Raises:
        TerminalError: there is not.
    """
    if api.image(image) is None:
        raise TerminalError(
            f"host {host}: there is no image {image}", mend="otto lab up; or: otto images build"
        )


def _make(api: Api, spec: HostSpec, address: IPv4Address, waiting: Waiting) -> Container:
    """Make a host at an address, and wait for it; leaves nothing behind when that fails."""
    ports = free_ports() if spec.publish else {}
    body = recipe.request(spec, address, ports, podman=api.podman)
    created = _create(api, spec, body)
    try:
        put_key(api, created, spec.authorized_key)
        api.start_container(created)
        return came_up(api, created, waiting)
    except BaseException:
        with contextlib.suppress(OttoError):
            api.remove_container(created)
        raise


def mend(api: Api, found: Container, spec: HostSpec, waiting: Waiting) -> Container:
    """Make a host what it should be without making it anew: name, network, running, limits, key.

    Raises:
        AlreadyExistsError: its name went to another container.
        TransientError: it does not come up in time, or nobody waits for it any longer.
    """
    if found.name != spec.container:
        api.rename_container(found.id, spec.container)
    _reconnect(api, found, spec.network)
    if found.state == "paused":
        api.unpause_container(found.id)
    elif found.state != "running":
        api.start_container(found.id)
    put_key(api, found.id, spec.authorized_key)
    running = came_up(api, found.id, waiting)
    limits = limits_of(spec.size)
    if running.limits == limits:
        return running
    api.limit_container(found.id, limits)
    return read(api, found.id) or running


def connected(found: Container, network: str) -> bool:
    """Whether a host is in its network, at its own address. One that does not run may be either."""
    if found.state not in ("running", "paused"):
        return True
    address = found.labels.get(names.ADDRESS, "")
    return any(place.network == network and place.address == address for place in found.attachments)


def mac(found: Container) -> str:
    """The MAC that goes with a host's address, whether it runs or not."""
    address = found.labels.get(names.ADDRESS, "")
    return allocation.mac(IPv4Address(address)) if address else ""


def host_key(api: Api, name: str) -> str:
    """The public host key, as "ssh-ed25519 AAAA…"; "" before it is made."""
    text = api.get_file(name, _HOST_KEY) or ""
    return " ".join(text.split()[:_KEY_FIELDS])


def authorized_key(api: Api, name: str) -> str:
    """The public key that may log in; "" when there is none."""
    return (api.get_file(name, _AUTHORIZED) or "").strip()


def put_key(api: Api, name: str, key: str) -> None:
    """Let the owner of a key log in, and nobody else.

    Podman 4 unpacks what it is given in a child process, which under load fails now and then; writing the
    same file again does no harm.
    """
    for tries_left in (2, 1, 0):
        try:
            api.put_file(name, _AUTHORIZED, f"{key.strip()}\n", mode=0o600, owner=USER_ID)
        except TransientError:
            if not tries_left:
                raise
        else:
            return


def _create(api: Api, spec: HostSpec, body: dict[str, object]) -> str:
    try:
        return api.create_container(spec.container, body)
    except AlreadyExistsError as error:  # made by someone since we looked
        raise _exists(api.container(spec.container)) from error


def came_up(api: Api, name: str, waiting: Waiting) -> Container:
    """Wait until sshd of a container that was started answers.

    Raises:
        TransientError: it does not in time, or nobody waits for it any longer.
    """
    found = _running(api, name)
    place = reached(found)
    for tries, _ in enumerate(waiting.deadline().every(0.05), 1):
        if waiting.cancelled():
            raise TransientError(f"host {_called(found)}: interrupted while it was booting")
        if ssh.answers(place.address, place.ssh_port):
            return found
        if tries % _LOOK_AGAIN == 0:
            _running(api, name)
    raise TransientError(
        f"host {_called(found)} did not answer by SSH in time",
        mend=f"podman logs {found.name}; otto lab status",
    )


def _running(api: Api, name: str) -> Container:
    found = read(api, name)
    if found is None:
        raise TransientError(f"host {name} did not boot: its container is gone")
    if found.state != "running":
        raise TransientError(f"host {_called(found)} did not boot: its container is {found.state}")
    return found


def _called(found: Container) -> str:
    return found.labels.get(names.HOST, found.name)


def _reconnect(api: Api, found: Container, network: str) -> None:
    if connected(found, network):
        return
    if any(place.network == network for place in found.attachments):
        api.disconnect_container(found.id, network)
    address = IPv4Address(found.labels[names.ADDRESS])
    api.connect_container(found.id, network, str(address), allocation.mac(address), _called(found))


def _exists(found: Container | None) -> AlreadyExistsError:
    if found is None:
        return AlreadyExistsError("a container of that name came and went", mend="try again")
    whose = names.ownership(found.labels)
    told = f"owner {whose.owner}, site {whose.site}" if whose.owner else "not made by OttO"
    return AlreadyExistsError(
        f"container {found.name} exists already ({told}, {found.state})",
        mend=f"terraform import ADDRESS {found.name}, or podman rm -f {found.name}",
    )


def free_ports() -> dict[int, int]:
    """Ports of a host -> ports of this machine that nobody listens on."""
    return {inside: _free_port() for inside in (SSH, HTTP)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])
